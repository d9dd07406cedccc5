import type { PlainItem } from '../item/attributeValue.ts'
import { compareItems } from '../item/compareItems.ts'
import { decodeItem } from '../item/decode.ts'
import type { KeySchema } from '../item/itemKey.ts'
import { keyAttributes } from '../item/keyAttributes.ts'
import { type Clock, sleep } from '../runtime/clock.ts'
import { type Deferred, deferred } from '../runtime/deferred.ts'
import type { Difference } from './difference.ts'
import { type Attributes, KEYS_MAX, type KeyReader } from './keyReader.ts'

/** Two items of one key that do not seem to be the same. */
export interface Doubt {
  /** As `itemKey` writes it. */
  readonly key: string
  /** On which side it was met. */
  readonly seen: 'left' | 'right' | 'both'
  /** What the right side has, where that is no table; null for nothing. */
  readonly right?: PlainItem | null | undefined
  /** Of `right`, about. */
  readonly bytes?: number | undefined
}

/** A difference that has stood, and the items as the service sent them. */
export interface Finding {
  readonly difference: Difference
  readonly left: Attributes | undefined
  readonly right: Attributes | undefined
}

export interface DoubtsOptions {
  readonly schema: KeySchema
  readonly left: KeyReader
  /** Undefined where each doubt brings its right item. */
  readonly right: KeyReader | undefined
  /** Whether what was met on the right alone, and is on both sides, is nothing that the left side's scan shows. */
  readonly isOurs: (key: string) => Promise<boolean>
  readonly clock: Clock
  readonly signal: AbortSignal | undefined
  /** Between the two looks. */
  readonly pauseMs: number
  readonly onFinding: (finding: Finding) => Promise<void> | void
  readonly onEqual: () => void
  /** What was met on one side alone is looked at, and is on both sides or not. */
  readonly onAlone?: ((isOnBoth: boolean) => void) | undefined
}

/** Looked at together, with one pause for all of them. */
const GROUP_MAX = 1_000
const GROUP_BYTES_MAX = 4 * 1024 * 1024
const GROUPS_MAX = 4
/** Doubts that may wait. */
const WAITING_MAX = 4_000
const WAITING_BYTES_MAX = 16 * 1024 * 1024

type Verdict = 'equal' | 'none' | Finding

/**
 * Looks again at what seems to differ: by key, strongly consistent, twice with a pause in between. What others are just
 * writing is read on one side before and on the other behind the write, and is no difference a moment later.
 */
export class Doubts {
  readonly #options: DoubtsOptions
  #waiting: Doubt[] = []
  #waitingBytes = 0
  readonly #groups = new Set<Promise<void>>()
  #changed: Deferred<void> = deferred()
  #failure: unknown
  #stopped = false

  constructor(options: DoubtsOptions) {
    this.#options = options
  }

  /** @returns whether there is room for more */
  add(doubt: Doubt): boolean {
    if (this.#stopped) return true
    this.#waiting.push(doubt)
    this.#waitingBytes += doubt.bytes ?? 0
    if (this.#isGroup()) this.#begin()
    return this.#hasRoom()
  }

  #isGroup(): boolean {
    return this.#waiting.length >= GROUP_MAX || this.#waitingBytes >= GROUP_BYTES_MAX
  }

  #hasRoom(): boolean {
    return this.#waiting.length < WAITING_MAX && this.#waitingBytes < WAITING_BYTES_MAX
  }

  /** Resolves when there is room. @throws what the looking met with */
  async room(): Promise<void> {
    if (!this.#stopped) this.#throwIfFailed()
    while (!this.#hasRoom() && !this.#stopped) {
      this.#begin()
      await this.#changed.promise
      if (!this.#stopped) this.#throwIfFailed()
    }
  }

  /** Resolves when all of them are looked at. @throws what the looking met with */
  async settle(): Promise<void> {
    for (;;) {
      if (!this.#stopped) this.#throwIfFailed()
      this.#begin()
      // What was begun when it was stopped ends by itself, and nobody hears of it.
      if (this.#groups.size === 0 || this.#stopped) return
      await this.#changed.promise
    }
  }

  /** Begins with what waits, however little it is. */
  hurry(): void {
    this.#begin()
  }

  /** What waits is forgotten, and nothing is found any more. */
  stop(): void {
    this.#stopped = true
    this.#waiting = []
    this.#waitingBytes = 0
    this.#wake()
  }

  #throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  #begin(): void {
    while (this.#waiting.length > 0 && this.#groups.size < GROUPS_MAX && this.#failure === undefined) {
      const group = this.#takeGroup()
      const work = this.#lookTwice(group)
        .catch((error: unknown) => {
          this.#failure ??= error
        })
        .finally(() => {
          this.#groups.delete(work)
          if (this.#isGroup()) this.#begin()
          this.#wake()
        })
      this.#groups.add(work)
    }
  }

  #takeGroup(): Doubt[] {
    let bytes = 0
    let count = 0
    while (count < Math.min(GROUP_MAX, this.#waiting.length) && bytes < GROUP_BYTES_MAX) {
      bytes += this.#waiting[count]!.bytes ?? 0
      count += 1
    }
    this.#waitingBytes -= bytes
    return this.#waiting.splice(0, count)
  }

  #wake(): void {
    this.#changed.resolve()
    this.#changed = deferred()
  }

  async #lookTwice(group: readonly Doubt[]): Promise<void> {
    const standing: Doubt[] = []
    await this.#look(group, (doubt) => void standing.push(doubt))
    if (standing.length === 0 || this.#stopped) return
    const { clock, pauseMs, signal } = this.#options
    await sleep(clock, pauseMs, signal)
    await this.#look(standing, (_, finding) => this.#options.onFinding(finding))
  }

  async #look(
    doubts: readonly Doubt[],
    onDifference: (doubt: Doubt, finding: Finding) => Promise<void> | void,
  ): Promise<void> {
    const { left, right, onEqual } = this.#options
    for (let start = 0; start < doubts.length && !this.#stopped; start += KEYS_MAX) {
      const some = doubts.slice(start, start + KEYS_MAX)
      const keys = some.map(({ key }) => key)
      const [lefts, rights] = await Promise.all([left.read(keys), right?.read(keys)])
      for (const doubt of some) {
        const verdict = await this.#judge(doubt, lefts.get(doubt.key), rights?.get(doubt.key))
        if (this.#stopped) return
        if (verdict === 'equal') onEqual()
        else if (verdict !== 'none') await onDifference(doubt, verdict)
      }
    }
  }

  async #judge(doubt: Doubt, left: Attributes | undefined, right: Attributes | undefined): Promise<Verdict> {
    const { schema, isOurs } = this.#options
    const key = decodeItem(keyAttributes(doubt.key, schema))
    const leftItem = left === undefined ? undefined : decodeItem(left)
    const rightItem = doubt.right === undefined ? (right === undefined ? undefined : decodeItem(right)) : doubt.right
    if (doubt.seen !== 'both') this.#options.onAlone?.(leftItem !== undefined && rightItem !== undefined)
    if (leftItem === undefined) {
      if (rightItem === undefined || rightItem === null) return 'none'
      return { difference: { kind: 'extra', key, right: rightItem }, left, right }
    }
    if (rightItem === undefined || rightItem === null) {
      return { difference: { kind: 'missing', key, left: leftItem }, left, right }
    }
    // The scan of the left side has shown it, or will.
    if (doubt.seen === 'right' && !(await isOurs(doubt.key))) return 'none'
    const changes = compareItems(leftItem, rightItem)
    if (changes.length === 0) return 'equal'
    return { difference: { kind: 'changed', key, changes, left: leftItem, right: rightItem }, left, right }
  }
}
