import type { RecordPlace } from '../formats/record.ts'
import type { SourcePosition } from '../job/checkpoint.ts'
import type { JobDirectory } from '../job/jobDirectory.ts'
import type { JobReject } from '../job/reject.ts'
import { SettledPrefix } from '../job/settledPrefix.ts'
import type { Ending, Endings } from '../job/tally.ts'
import type { Deferred } from '../runtime/deferred.ts'

/** However far apart the first record that is not settled and the last: the source waits then. */
const SPAN_MAX = 100_000
/** However many bytes of rejects wait for a record in front of them. */
const HELD_BYTES_MAX = 16 * 1024 * 1024

/** How far a file is settled, record by record. */
export class SourceLedger {
  readonly name: string
  readonly #from: SourcePosition | undefined
  readonly #prefix: SettledPrefix
  readonly #heldBytesMax: number
  /** Where records begin that were taken and not passed, and the last that was passed; by sequence number, as in a ring. */
  #lines = new Float64Array(64)
  #offsets = new Float64Array(64)
  /** Nothing more comes. */
  #ended = false
  /** Records that are not settled. */
  unsettled = 0
  /** Somebody waits for fewer of them. */
  room: Deferred<void> | undefined

  /**
   * @param from where an earlier run came to
   * @param side sources that are open at the same time
   */
  constructor(
    name: string,
    from: SourcePosition | undefined,
    passed: Endings,
    onReject: (reject: JobReject) => void,
    side = 1,
  ) {
    this.#heldBytesMax = HELD_BYTES_MAX / side
    this.name = name
    this.#from = from
    this.#prefix = new SettledPrefix(passed, onReject)
  }

  /** What is kept of records behind the first that is not settled is as much as it may be: no more are to be taken. */
  get isFull(): boolean {
    return this.#prefix.span >= SPAN_MAX || this.#prefix.heldBytes >= this.#heldBytesMax
  }

  get position(): SourcePosition {
    const { name } = this
    const { passed, span } = this.#prefix
    if (this.#from?.done === true) return this.#from
    const done = this.#ended && span === 0
    if (passed === 0) return { name, done, ...(this.#from?.after === undefined ? {} : { after: this.#from.after }) }
    const last = (passed - 1) & (this.#lines.length - 1)
    return { name, done, after: { line: this.#lines[last]!, offset: this.#offsets[last]! } }
  }

  /** A record was read. @returns its sequence number */
  take({ line, offset }: RecordPlace): number {
    const sequence = this.#prefix.take()
    // One more than the span: the last that was passed is where to go on.
    if (this.#prefix.span >= this.#lines.length) this.#grow()
    const slot = sequence & (this.#lines.length - 1)
    this.#lines[slot] = line
    this.#offsets[slot] = offset
    this.unsettled += 1
    return sequence
  }

  lineOf(sequence: number): number {
    return this.#lines[sequence & (this.#lines.length - 1)]!
  }

  settle(sequence: number, ending: Ending, reject?: JobReject): void {
    this.#prefix.settle(sequence, ending, reject)
    this.unsettled -= 1
  }

  /** The source has nothing more. */
  end(): void {
    this.#ended = true
  }

  wake(): void {
    this.room?.resolve()
    this.room = undefined
  }

  #grow(): void {
    const size = this.#lines.length
    const lines = new Float64Array(size * 2)
    const offsets = new Float64Array(size * 2)
    const { passed, taken } = this.#prefix
    for (let sequence = Math.max(0, passed - 1); sequence < taken; sequence += 1) {
      const [from, to] = [sequence & (size - 1), sequence & (size * 2 - 1)]
      lines[to] = this.#lines[from]!
      offsets[to] = this.#offsets[from]!
    }
    this.#lines = lines
    this.#offsets = offsets
  }
}

/** Where an earlier run came to in the only source of a job; undefined at the beginning. */
export function firstSource(directory: JobDirectory | undefined): SourcePosition | undefined {
  const positions = directory?.checkpoint?.positions
  return positions?.kind === 'sources' ? positions.sources[0] : undefined
}
