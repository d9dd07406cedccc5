import type { PlainItem } from '../item/attributeValue.ts'
import { type Deferred, deferred } from '../runtime/deferred.ts'
import type { Page } from '../scan/page.ts'
import type { ScanEngine } from '../scan/scanEngine.ts'

export type Side = 'left' | 'right'

export interface PairedScanOptions {
  /** Both with `holdSegments` and `holdEnds`, as many segments, and as many of them at once. */
  readonly left: ScanEngine
  readonly right: ScanEngine
  readonly onItem: (side: Side, item: PlainItem, segment: number) => void
  /** All items of a page were told; what it returns is waited for before that side's next page. */
  readonly onPage: (side: Side, page: Page) => Promise<void>
  /** Both sides are at the end of a segment. */
  readonly onSegmentEnd: (segment: number) => void
}

/**
 * Scans two tables side by side: at any time the same segments of both, and in each of them about as many items of one as of
 * the other. Where both have their items in the same order, what belongs together comes about together.
 */
export class PairedScan {
  readonly #options: PairedScanOptions
  readonly #segments = new Map<number, SegmentPair>()
  #ended = 0
  #stopped = false
  #moved: Deferred<void> = deferred()

  constructor(options: PairedScanOptions) {
    this.#options = options
  }

  /** Reads both to their ends, or until {@link stop}. */
  async readAll(): Promise<void> {
    try {
      await Promise.all([this.#read('left'), this.#read('right')])
    } finally {
      this.stop()
    }
  }

  /** Nothing more is read. */
  stop(): void {
    this.#stopped = true
    this.#options.left.destroy()
    this.#options.right.destroy()
    this.#wake()
  }

  async #read(side: Side): Promise<void> {
    const engine = this.#options[side]
    const { onItem, onPage } = this.#options
    try {
      while (!this.#stopped && this.#ended < engine.segments) {
        const page = await engine.nextEach((item, segment) => onItem(side, item, segment))
        if (page === undefined) {
          // All of its segments wait for the other side's.
          if (!this.#stopped && this.#ended < engine.segments) await this.#moved.promise
          continue
        }
        await onPage(side, page)
        this.#advance(side, page)
      }
    } catch (error) {
      this.stop()
      throw error
    }
  }

  #advance(side: Side, page: Page): void {
    const { left, right, onSegmentEnd } = this.#options
    const { segment } = page
    let pair = this.#segments.get(segment)
    if (pair === undefined) {
      pair = { left: newPlace(), right: newPlace() }
      this.#segments.set(segment, pair)
    }
    const place = pair[side]
    place.items += page.scannedCount
    place.isHeld = true
    place.isAtEnd = page.cursor === undefined
    if (pair.left.isAtEnd && pair.right.isAtEnd) {
      this.#segments.delete(segment)
      onSegmentEnd(segment)
      this.#ended += 1
      left.goOn(segment)
      right.goOn(segment)
      this.#wake()
      return
    }
    for (const [engine, here, other] of [
      [left, pair.left, pair.right],
      [right, pair.right, pair.left],
    ] as const) {
      // Whoever is behind goes on; a step ahead is not worth waiting for.
      if (!here.isHeld || here.isAtEnd || (here.items > other.items && !other.isAtEnd)) continue
      here.isHeld = false
      engine.goOn(segment)
      this.#wake()
    }
  }

  #wake(): void {
    this.#moved.resolve()
    this.#moved = deferred()
  }
}

/** How far a segment is on one side. */
interface Place {
  items: number
  /** Its next page is not asked for yet. */
  isHeld: boolean
  isAtEnd: boolean
}

interface SegmentPair {
  readonly left: Place
  readonly right: Place
}

function newPlace(): Place {
  return { items: 0, isHeld: false, isAtEnd: false }
}
