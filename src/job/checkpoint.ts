import { crc32 } from 'node:zlib'
import { parseJson } from '../runtime/parseJson.ts'
import { endingsOf, type Tally } from './tally.ts'

/**
 * How far a job has come, for certain: everything in front of these positions is settled, and all files of the job are on
 * the disk up to the sizes given here.
 */
export interface Checkpoint {
  readonly version: 1
  /** Counts up with each checkpoint of the job. */
  readonly sequence: number
  readonly savedAt: string
  /** Of what lies in front of the positions. Nothing is *not reached* there. */
  readonly tally: Omit<Tally, 'notReached'>
  readonly positions: Positions
  /** Bytes of the job's files, by name: what lies behind them belongs to records that will come again. */
  readonly files: Readonly<Record<string, number>>
  /** Of all runs so far. */
  readonly spent: Spent
  /** Times that the job was started. */
  readonly runs: number
  readonly complete: boolean
  /** Nothing was under way when it was written: what comes next was never asked for before. */
  readonly clean: boolean
}

export interface Spent {
  readonly durationMs: number
  readonly readUnits: number
  readonly writeUnits: number
  /** Estimated, of writes whose answers were lost and of those under way: they may be paid for, too. */
  readonly unitsAtStake: number
  readonly requests: number
  readonly retried: number
}

/** Where to go on: in the segments of a table, or in files. */
export type Positions = SegmentPositions | SourcePositions

export interface SegmentPositions {
  readonly kind: 'segments'
  readonly segments: number
  /** Segments that are at their end, as ranges: `0-16,18`. */
  readonly done: string
  /** Of segments that were begun: the key behind which to go on, as the text of an `ExclusiveStartKey`. */
  readonly cursors: Readonly<Record<string, string>>
}

interface SourcePositions {
  readonly kind: 'sources'
  readonly sources: readonly SourcePosition[]
}

export interface SourcePosition {
  readonly name: string
  readonly done: boolean
  /** Where the last record in front of the position begins; undefined where there is none. */
  readonly after?: { readonly line: number; readonly offset: number } | undefined
}

const MAGIC = 'headrace-checkpoint'

/** One line that tells whether the other is whole, and the other. */
export function checkpointText(checkpoint: Checkpoint): string {
  const body = JSON.stringify(checkpoint)
  return `${MAGIC} ${digest(body)} ${Buffer.byteLength(body)}\n${body}\n`
}

/** @throws {Error} saying what is wrong with it */
export function readCheckpoint(bytes: Buffer): Checkpoint {
  const end = bytes.indexOf(10)
  const [magic, crc, length, ...more] = bytes.toString('latin1', 0, Math.max(0, end)).split(' ')
  if (end === -1 || magic !== MAGIC || more.length > 0) throw new Error('it does not start like a checkpoint')
  const body = bytes.subarray(end + 1, -1)
  if (bytes.at(-1) !== 10 || `${body.length}` !== length) throw new Error('it is truncated')
  if (digest(body) !== crc) throw new Error('it is damaged')
  const checkpoint = parseJson(body.toString()) as Checkpoint
  if (checkpoint.version !== 1) {
    throw new Error(`it has version ${checkpoint.version}, but this Headrace reads version 1: use a newer Headrace`)
  }
  const { tally } = checkpoint
  // An older Headrace knew fewer endings.
  return { ...checkpoint, tally: { read: tally.read, ...endingsOf(tally) } }
}

function digest(body: string | Buffer): string {
  return crc32(body).toString(16).padStart(8, '0')
}

/** `0-2,5` for 0, 1, 2 and 5, which must be sorted. */
export function rangesText(sorted: Iterable<number>): string {
  const ranges: string[] = []
  let first = -1
  let last = -1
  const close = (): unknown => first >= 0 && ranges.push(first === last ? `${first}` : `${first}-${last}`)
  for (const value of sorted) {
    if (value === last + 1 && first >= 0) {
      last = value
      continue
    }
    close()
    first = value
    last = value
  }
  close()
  return ranges.join(',')
}

export function readRanges(text: string): Set<number> {
  const values = new Set<number>()
  if (text === '') return values
  for (const range of text.split(',')) {
    const [first, last = first] = range.split('-')
    for (let value = Number(first); value <= Number(last); value += 1) values.add(value)
  }
  return values
}
