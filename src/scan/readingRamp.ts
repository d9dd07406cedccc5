/** A page that comes within this time says that more may be asked for at once; one that takes longer than the other, less. */
const QUICK_MS = 60
const SLOW_MS = 250
/** Bytes of the first page: few, so that whoever waits has something to do. */
const FIRST_PAGE_BYTES = 64 * 1024

/**
 * How many segments are read at once, and how much of each, found out by what answers take. It begins with one small page.
 *
 * ```
 *   quick answer   one segment more, and pages of twice the size
 *   slow answer    half of the segments; pages stay as large as they are
 *   in between     pages of twice the size
 * ```
 *
 * For a store on this machine, which reads for all of them on the same cores: sixteen readers of whole pages took it several
 * seconds each, in which nothing else was done.
 */
export class ReadingRamp {
  readonly #segmentsMax: number
  #segments = 1
  #pageBytes = FIRST_PAGE_BYTES

  constructor(segmentsMax: number) {
    this.#segmentsMax = segmentsMax
  }

  /** Segments that may be open. */
  get segments(): number {
    return this.#segments
  }

  /** Of items looked at in one request, at most. */
  get pageBytes(): number {
    return this.#pageBytes
  }

  /** A page has come. */
  onAnswer(latencyMs: number): void {
    if (latencyMs > SLOW_MS) {
      this.#segments = Math.max(1, Math.floor(this.#segments / 2))
      return
    }
    this.#pageBytes *= 2
    if (latencyMs <= QUICK_MS) this.#segments = Math.min(this.#segmentsMax, this.#segments + 1)
  }
}
