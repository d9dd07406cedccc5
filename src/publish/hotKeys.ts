/** A partition key that was throttled so often is hot; what was seen counts for half as much after the half-life. */
const THROTTLES = 10
const HALF_LIFE_MS = 1_000
/** Not throttled for so long, it is forgotten: it was set aside, and its rate was found, so it is throttled rarely. */
const FORGET_MS = 30_000
/** Keys looked at. A table with more hot keys than this has no hot keys. */
const KEYS_MAX = 1_000

/**
 * Partition keys of which more is wanted than a partition gives (developer guide, "Best practices for designing and using
 * partition keys"). Entries of such a key are set aside as they come, since a batch that holds one comes back for it.
 */
export class HotKeys {
  readonly #keys = new Map<string, { throttles: number; atMs: number; hot: boolean }>()
  #hot = 0

  /** Whether there is any. */
  get any(): boolean {
    return this.#hot > 0
  }

  /** An entry of this key was throttled although it went in company of nothing but such entries. */
  onThrottled(key: string, nowMs: number): void {
    const known = this.#keys.get(key)
    if (known === undefined) {
      if (this.#keys.size >= KEYS_MAX) this.#forget(nowMs)
      this.#keys.set(key, { throttles: 1, atMs: nowMs, hot: false })
      return
    }
    known.throttles = known.throttles * 2 ** ((known.atMs - nowMs) / HALF_LIFE_MS) + 1
    known.atMs = nowMs
    if (known.hot || known.throttles < THROTTLES) return
    known.hot = true
    this.#hot += 1
  }

  isHot(key: string, nowMs: number): boolean {
    const known = this.#keys.get(key)
    if (known === undefined) return false
    if (nowMs - known.atMs > FORGET_MS) this.#drop(key, known.hot)
    return known.hot && nowMs - known.atMs <= FORGET_MS
  }

  /** Half of them go, those that were seen first; and all that are old. */
  #forget(nowMs: number): void {
    for (const [key, { hot, atMs }] of this.#keys) {
      if (this.#keys.size > KEYS_MAX / 2 || nowMs - atMs > FORGET_MS) this.#drop(key, hot)
    }
  }

  #drop(key: string, hot: boolean): void {
    this.#keys.delete(key)
    if (hot) this.#hot -= 1
  }
}
