/** Why {@link unlessAborted} throws: nobody waits for the work any more. */
export class Aborted extends Error {}

/**
 * What the work becomes, unless the signal comes first; then nobody waits for it.
 *
 * @throws {Aborted} when the signal came first
 */
export async function unlessAborted<Value>(signal: AbortSignal, work: Promise<Value>): Promise<Value> {
  let onAbort!: () => void
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(new Aborted('stopped before it started'))
  })
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([aborted, work])
  } finally {
    signal.removeEventListener('abort', onAbort)
    // Whichever is later, nobody hears it.
    aborted.catch(() => undefined)
    work.catch(() => undefined)
  }
}

/**
 * What the work becomes, unless the caller's signal aborts first; then nobody waits for it.
 *
 * @throws the signal's reason when it aborted first
 */
export async function withSignal<Value>(signal: AbortSignal | undefined, work: () => Promise<Value>): Promise<Value> {
  if (signal === undefined) return work()
  signal.throwIfAborted()
  try {
    return await unlessAborted(signal, work())
  } catch (error) {
    throw error instanceof Aborted ? signal.reason : error
  }
}
