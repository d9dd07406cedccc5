/** Turns that are taken before the process looks for events again: looking costs more than a turn. */
const TURNS_AT_ONCE = 16

/**
 * Calls `turn` again and again, each time when everything that is ready has run: promises that can go on, and now and
 * then events that have come in. It is how a virtual clock knows that nothing happens any more before its next timer.
 *
 * @param turn returns whether there shall be another; it must not throw
 */
export function runTurns(turn: () => boolean): void {
  let goesOn = true
  const next = (): void => {
    // Between two immediates of one round Node runs all promises that are ready.
    if (goesOn) goesOn = turn()
    if (goesOn) setImmediate(next)
  }
  for (let index = 0; index < TURNS_AT_ONCE; index += 1) setImmediate(next)
}
