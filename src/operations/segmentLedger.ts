import { type Positions, rangesText, readRanges, type SegmentPositions } from '../job/checkpoint.ts'
import type { JobReject } from '../job/reject.ts'
import { SettledPrefix } from '../job/settledPrefix.ts'
import type { Ending, Endings } from '../job/tally.ts'
import { counted } from '../runtime/counted.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { parseJson } from '../runtime/parseJson.ts'
import type { RawPage } from '../scan/page.ts'

export interface LedgerOptions {
  readonly segments: number
  /** Partition key, then sort key. */
  readonly keyNames: readonly string[]
  /** Where an earlier run came to. */
  readonly from: Positions | undefined
  /**
   * A key to go on behind must be of an item that is still there. DynamoDB asks for no such thing; an emulator does
   * (dynoxide 1.2 ends a parallel scan behind a key that is gone).
   */
  readonly survivorsOnly: boolean
  /** Counts what lies in front of the positions. */
  readonly passed: Endings
  readonly onReject: (reject: JobReject) => void
  /** Items of the table, as the service tells it: about, and some hours ago. */
  readonly itemsTold: number
}

/** Of a segment that is not at its end nobody knows how much is left, however many items of it there were. */
const OPEN_SHARE_MAX = 0.95

/** A page of which not everything is settled. */
export interface LedgerPage {
  readonly page: RawPage
  readonly ledger: SegmentState
  /** Sequence number of its first item within its segment. */
  readonly first: number
  /** Items of it that the job has deleted. */
  deleted: Set<number> | undefined
}

interface SegmentState {
  readonly prefix: SettledPrefix
  readonly pages: LedgerPage[]
  /** Behind which everything in front of `pages` lies. */
  cursor: string | undefined
  /** Items that were visited and are not settled. */
  unsettled: number
  /** This run began it. */
  isWhole: boolean
}

/** How far each segment of a table is settled, item by item. */
export class SegmentLedger {
  readonly #options: LedgerOptions
  readonly #done: Set<number>
  readonly #states = new Map<number, SegmentState>()
  /** That this run read from beginning to end, and the items that they had. */
  #whole = 0
  #wholeItems = 0

  constructor(options: LedgerOptions) {
    this.#options = options
    const { from, segments } = options
    if (from !== undefined && (from.kind !== 'segments' || from.segments !== segments)) {
      const then = from.kind === 'segments' ? counted(from.segments, 'segment') : 'files'
      throw new HeadraceError('STATE', `the checkpoint has ${then}, but this job reads ${counted(segments, 'segment')}`)
    }
    this.#done = readRanges(from?.done ?? '')
    for (const [segment, cursor] of Object.entries(from?.cursors ?? {})) {
      const state = this.#state(Number(segment))
      state.cursor = cursor
      state.isWhole = false
    }
  }

  /** Segments that an earlier run came to the end of. */
  get done(): ReadonlySet<number> {
    return this.#done
  }

  /** Where segments go on that an earlier run has begun. */
  get cursors(): ReadonlyMap<number, string> {
    const cursors = new Map<number, string>()
    for (const [segment, { cursor }] of this.#states) if (cursor !== undefined) cursors.set(segment, cursor)
    return cursors
  }

  /**
   * The part of all segments that is settled, from 0 to 1. Segments are about as large as each other, since keys are hashed: what
   * those had that were read whole says more than what is told of the table.
   */
  get share(): number {
    const { segments, itemsTold } = this.#options
    const items = this.#whole > 0 ? this.#wholeItems / this.#whole : itemsTold / segments
    let open = 0
    for (const { prefix } of this.#states.values())
      open += items > 0 ? Math.min(OPEN_SHARE_MAX, prefix.passed / items) : 0
    return Math.min(1, (this.#done.size + open) / segments)
  }

  /** The segment that was begun first of those that are not settled. */
  get oldest(): { readonly segment: number; readonly items: number } | undefined {
    for (const [segment, { prefix }] of this.#states) return { segment, items: prefix.passed }
    return undefined
  }

  /** A page of a segment was read, the next in its order. */
  open(page: RawPage): LedgerPage {
    const ledger = this.#state(page.segment)
    const { prefix, pages } = ledger
    const one: LedgerPage = { page, ledger, first: prefix.taken, deleted: undefined }
    for (let index = 0; index < page.items.length; index += 1) prefix.take()
    pages.push(one)
    this.#pass(ledger)
    return one
  }

  /** An item of a page has ended. */
  settle(ledgerPage: LedgerPage, index: number, ending: Ending, deleted = false, reject?: JobReject): void {
    const { ledger, first } = ledgerPage
    if (deleted && this.#options.survivorsOnly) {
      ledgerPage.deleted ??= new Set()
      ledgerPage.deleted.add(index)
    }
    ledger.prefix.settle(first + index, ending, reject)
    const front = ledger.pages[0]
    if (front !== undefined && ledger.prefix.passed >= front.first + front.page.items.length) this.#pass(ledger)
  }

  positions(): SegmentPositions {
    const cursors: { [segment: string]: string } = {}
    for (const [segment, state] of this.#states) {
      const cursor = this.#cursorOf(state)
      if (cursor !== undefined) cursors[segment] = cursor
    }
    const done = rangesText([...this.#done].sort((left, right) => left - right))
    return { kind: 'segments', segments: this.#options.segments, done, cursors }
  }

  #state(segment: number): SegmentState {
    let state = this.#states.get(segment)
    if (state === undefined) {
      const prefix = new SettledPrefix(this.#options.passed, this.#options.onReject)
      state = { prefix, pages: [], cursor: undefined, unsettled: 0, isWhole: true }
      this.#states.set(segment, state)
    }
    return state
  }

  /** Lets go of pages that are settled. */
  #pass(state: SegmentState): void {
    const { pages, prefix } = state
    for (let front = pages[0]; front !== undefined; front = pages[0]) {
      const { page, first } = front
      if (prefix.passed < first + page.items.length) return
      pages.shift()
      if (page.cursor === undefined) {
        this.#done.add(page.segment)
        this.#states.delete(page.segment)
        if (state.isWhole) {
          this.#whole += 1
          this.#wholeItems += prefix.passed
        }
        return
      }
      state.cursor = this.#endsGone(front) ? this.#survivor(front, page.items.length, state.cursor) : page.cursor
    }
  }

  #cursorOf({ pages, prefix, cursor }: SegmentState): string | undefined {
    const front = pages[0]
    const settled = front === undefined ? 0 : prefix.passed - front.first
    return front === undefined || settled === 0 ? cursor : this.#survivor(front, settled, cursor)
  }

  /** The key of the last of the first so many items that is there to go on behind. */
  #survivor({ page, deleted }: LedgerPage, settled: number, otherwise: string | undefined): string | undefined {
    for (let index = settled - 1; index >= 0; index -= 1) {
      if (deleted?.has(index) !== true) return this.#keyText(page, index)
    }
    return otherwise
  }

  #endsGone({ page, deleted }: LedgerPage): boolean {
    const last = page.items.length - 1
    if (deleted?.has(last) !== true) return false
    const cursor = parseJson(page.cursor!) as { [name: string]: unknown }
    return this.#options.keyNames.every(
      (name) => JSON.stringify(cursor[name]) === JSON.stringify(parseJson(page.rawAttribute(last, name)!)),
    )
  }

  #keyText(page: RawPage, index: number): string {
    const { keyNames } = this.#options
    return `{${keyNames.map((name) => `${JSON.stringify(name)}:${page.rawAttribute(index, name)}`).join(',')}}`
  }
}
