/**
 * Resolves when everything that is ready has run: promises that can go on, and events that have come in. It is how a
 * virtual clock knows that nothing happens any more before its next timer.
 */
export function yieldToEvents(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
