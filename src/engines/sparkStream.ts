import { ItemError } from '../item/itemError.ts'
import { counted } from '../runtime/counted.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { parseJson } from '../runtime/parseJson.ts'
import type { StreamRecord } from './runStream.ts'
import { type SparkType, sparkRowReader } from './sparkRow.ts'

/**
 * What `headrace.py` and the worker say to each other, one JSON document a line. Objects are rows, arrays are frames:
 *
 * ```
 * ["begin",{…}]        in, first: what is to be done with the rows
 * {"id":"a",…}         in, a row as Spark's to_json writes it
 * ["end",{"rows":n}]   in, last: so many rows were sent, and the source said itself that there are no more
 * {"code":…,…}         out, a reject, as a line of a rejects file
 * ["done",{…}]         out, last: all is acknowledged or rejected
 * ```
 */
export interface SparkBegin {
  /** Of this protocol. */
  readonly version: number
  readonly table: string
  readonly operation: 'put' | 'delete'
  readonly connection: {
    readonly region?: string | undefined
    readonly endpoint?: string | undefined
    readonly allowInsecureEndpoint?: boolean | undefined
  }
  /** Of all tasks together: units a second, or a part such as `50%`. Default: as of a publisher. */
  readonly rate?: number | `${number}%` | undefined
  /** Of the rate that is this task's, above 0 to 1. */
  readonly share: number
  /** Where all tasks have one rate to spend from, which has to be in units then. */
  readonly control?: { readonly table: string; readonly name: string; readonly workersMax: number } | undefined
  readonly schema: SparkType
  /** What rejects call the task. */
  readonly place: string
  /** Rejects that are written out; the others are only counted. Default: all. */
  readonly rejectsMax?: number | undefined
  readonly maxInFlight?: number | undefined
  readonly patienceSeconds?: number | undefined
}

const SPARK_PROTOCOL = 1
/** Of a line; a row has at most 400 KB to be an item, and what is longer is to be rejected rather than to fail the task. */
const LINE_BYTES_MAX = 256 * 1024 * 1024

/** The rows did not all come: whatever was done with those that did, the task is not. */
export class CutStreamError extends HeadraceError {
  constructor(what: string) {
    super('INPUT', `the rows ended early: ${what}. The Spark task failed or was stopped; Spark retries it`)
  }
}

/** The other side's end of the protocol: hand it pieces of standard input. */
export class SparkStream {
  readonly #pieces: AsyncIterator<Buffer>
  #carry: Buffer[] = []
  #carryBytes = 0

  constructor(pieces: AsyncIterable<Buffer>) {
    this.#pieces = pieces[Symbol.asyncIterator]()
  }

  /** @throws {HeadraceError} `INPUT` for what is no begin frame, {@link CutStreamError} */
  async begin(): Promise<SparkBegin> {
    for (;;) {
      const next = await this.#pieces.next()
      if (next.done === true) throw new CutStreamError('no data arrived')
      const end = next.value.indexOf(NEWLINE)
      this.#keep(end === -1 ? next.value : next.value.subarray(0, end))
      if (end === -1) continue
      const [kind, begin] = frameOf(this.#take()) as ['begin', SparkBegin]
      if (kind !== 'begin') throw new HeadraceError('INPUT', `the first frame is "${kind}" instead of "begin"`)
      if (begin.version !== SPARK_PROTOCOL) {
        const versions = `headrace.py has version ${begin.version}, but its worker has ${SPARK_PROTOCOL}`
        throw new HeadraceError('INPUT', `${versions}: use both from the same headrace pack-spark`)
      }
      this.#keep(next.value.subarray(end + 1))
      return begin
    }
  }

  /** Ends behind an end frame that says as many rows as there were. @throws {CutStreamError} at any other end */
  async *rows(schema: SparkType): AsyncGenerator<readonly StreamRecord[]> {
    const read = sparkRowReader(schema)
    let count = 0
    let piece: Buffer | undefined = this.#take()
    for (;;) {
      const lines = this.#lines(piece)
      const records: StreamRecord[] = []
      for (const line of lines) {
        if (line.charCodeAt(0) === BRACKET) {
          const [kind, end] = frameOf(line) as ['end', { rows: number }]
          if (kind !== 'end') throw new HeadraceError('INPUT', `unexpected frame "${kind}" among the rows`)
          if (records.length > 0) yield records
          if (end.rows !== count)
            throw new CutStreamError(`received ${counted(count, 'row')}, but the end frame reports ${end.rows}`)
          return
        }
        count += 1
        records.push(recordOf(line, read))
      }
      if (records.length > 0) yield records
      const next = await this.#pieces.next()
      if (next.done === true) throw new CutStreamError(`no end frame after ${counted(count, 'row')}`)
      piece = next.value
    }
  }

  /** The lines that this piece completes. */
  #lines(piece: Buffer): string[] {
    const end = piece.lastIndexOf(NEWLINE)
    if (end === -1) {
      this.#keep(piece)
      return []
    }
    this.#keep(piece.subarray(0, end))
    const lines = this.#take().toString('utf8').split('\n')
    this.#keep(piece.subarray(end + 1))
    return lines
  }

  #keep(bytes: Buffer): void {
    this.#carry.push(bytes)
    this.#carryBytes += bytes.length
    if (this.#carryBytes > LINE_BYTES_MAX) {
      throw new HeadraceError('INPUT', `a row has more than ${LINE_BYTES_MAX} bytes: an item has at most 409,600`)
    }
  }

  #take(): Buffer {
    const bytes = this.#carry.length === 1 ? this.#carry[0]! : Buffer.concat(this.#carry)
    this.#carry = []
    this.#carryBytes = 0
    return bytes
  }
}

function recordOf(line: string, read: (text: string) => { readonly [name: string]: unknown }): StreamRecord {
  try {
    return { item: read(line) }
  } catch (error) {
    if (!(error instanceof ItemError)) throw error
    return { error: error.message, raw: line.length > RAW_CHARACTERS_MAX ? line.slice(0, RAW_CHARACTERS_MAX) : line }
  }
}

function frameOf(line: Buffer | string): unknown[] {
  const text = line.toString()
  try {
    const frame: unknown = parseJson(text)
    if (Array.isArray(frame)) return frame
  } catch {
    // Said below, with what stands there.
  }
  throw new HeadraceError('INPUT', `not a frame: ${text.slice(0, 100)}`)
}

const NEWLINE = 10
const BRACKET = 91
const RAW_CHARACTERS_MAX = 64 * 1024
