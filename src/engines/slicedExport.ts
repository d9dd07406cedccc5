import { connect, type Database } from '../database/database.ts'
import type { JobSpec, JobWhat } from '../job/jobSpec.ts'
import { noEndings } from '../job/tally.ts'
import { exportEnds } from '../operations/exportTable.ts'
import { piecesAt } from '../operations/pieceTarget.ts'
import { counted } from '../runtime/counted.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { parseJson } from '../runtime/parseJson.ts'
import { type JoinedPart, joinObjects } from '../storage/joinObjects.ts'
import { isS3, nameOf, readS3Address, S3, type S3Object, type S3Options } from '../storage/s3.ts'
import type { SliceCounters, SliceResult } from './runSlice.ts'
import { RunStore } from './runStore.ts'

/** Sizes of pieces in bytes, by the addresses of their objects. */
type Pieces = Readonly<Record<string, number>>

interface PiecesResult extends SliceResult {
  readonly pieces: Pieces
}

/** Says that the object is made, and what of; from then on the pieces are of no use. */
const MADE = 'made.json'

/** Of the files that a checkpoint speaks of, those that lie in S3 and are not empty; undefined where there are none. */
export function piecesOf(files: Pieces): Pieces | undefined {
  const pieces = Object.entries(files).filter(([name, sizeBytes]) => isS3(name) && sizeBytes > 0)
  return pieces.length === 0 ? undefined : Object.fromEntries(pieces)
}

/** @throws {HeadraceError} `CONFIGURATION` for an export that does not come in pieces */
export function checkSlicedExport({ file = '', format, columns }: JobWhat): void {
  const refuse = (what: string, advice: string): never => {
    throw new HeadraceError('CONFIGURATION', `${what}, so it cannot be exported in slices: ${advice}`)
  }
  if (format === 'native')
    refuse('a native export is a directory', 'let DynamoDB write it to S3 with headrace export --native')
  if (!isS3(file)) refuse(`${file} is a local file`, 'use an S3 object, such as s3://BUCKET/items.xml')
  if (format === 'parquet') refuse('a Parquet file ends with an index of its content', 'choose another format')
  if (format === 'csv' && columns === undefined)
    refuse('the columns of the CSV file are known only at the end', 'set columns (--columns)')
}

/**
 * A slice of an export is done: what counts of it is written down, once. Where several calls come to the end of one slice, such as
 * one that was thought dead, the pieces of the first count, and those of the others are nobody's.
 */
export async function settlePieces(
  job: JobSpec,
  of: number,
  { index, counters, pieces = {} }: { index: number; counters: SliceCounters; pieces: Pieces | undefined },
): Promise<SliceResult> {
  await using store = new RunStore(piecesAt(job.what.file!, job.mark), job, of, s3Options(job))
  const result: PiecesResult = { index, done: true, counters, pieces }
  const { pieces: _, ...settled } = (await store.settle(result)) as PiecesResult
  return settled
}

export interface FinishExportOptions {
  /** Take the place of an object of that name. Default false. */
  readonly overwrite?: boolean | undefined
  /** Default: as the job says. Nothing is sent over it. */
  readonly database?: Database | undefined
}

export interface FinishedExport {
  readonly file: string
  readonly sizeBytes: number
  /** Of all slices, each counted once. */
  readonly counters: SliceCounters
}

/**
 * Makes one object of what the slices of an export have written, and removes that. May be called again where its end is not known.
 *
 * @param of how many slices there are
 * @throws {HeadraceError} `STATE` when some are not done; `INPUT` when S3 refuses, or there is such an object already
 */
export async function finishExport(
  job: JobSpec,
  of: number,
  options: FinishExportOptions = {},
): Promise<FinishedExport | undefined> {
  const { file } = job.what as { file: string }
  const place = piecesAt(file, job.mark)
  await using store = new RunStore(place, job, of, s3Options(job))
  const s3 = new S3(s3Options(job))
  try {
    const address = readS3Address(file)
    const left = await s3.list(readS3Address(`${place}/`))
    const told = await s3.get(readS3Address(`${place}/${MADE}`))
    if (told !== undefined) {
      await removeAll(s3, place, left)
      return parseJson(told.toString()) as FinishedExport
    }
    const before = await s3.find(address)
    // Everything was done, and only the answer was lost.
    if (left.length === 0 && before !== undefined) return undefined
    const results = (await store.results()) as PiecesResult[]
    checkAll(results, of, 'call finishExport after all slices are done')
    const parts = await partsOf(job, results, left, options.database)
    const sizeBytes = parts.reduce((all, part) => all + ('bytes' in part ? part.bytes.length : part.sizeBytes), 0)
    // A call that made it died before it had removed the pieces.
    const isMade = before?.sizeBytes === sizeBytes && options.overwrite !== true && /-\d+"?$/.test(before.etag)
    if (!isMade) await joinObjects(s3, address, parts, options.overwrite ?? false)
    const made: FinishedExport = { file, sizeBytes, counters: sumOf(results) }
    await s3.put(readS3Address(`${place}/${MADE}`), Buffer.from(JSON.stringify(made)), true)
    await removeAll(s3, place, left)
    return made
  } finally {
    await s3.close()
  }
}

/** @throws {HeadraceError} `STATE` when there are others than these */
export function checkAll(results: readonly SliceResult[], of: number, advice: string): void {
  const done = new Set(results.map(({ index }) => index))
  const missing = Array.from({ length: of }, (_, index) => index).filter((index) => !done.has(index))
  if (missing.length === 0 && results.length === of) return
  const named = missing.slice(0, 20).join(', ') + (missing.length > 20 ? ' and others' : '')
  throw new HeadraceError('STATE', `${missing.length} of ${counted(of, 'slice')} have no result (${named}): ${advice}`)
}

/** Of all slices. */
export function sumOf(results: readonly SliceResult[]): SliceCounters {
  const sum = { read: 0, ...noEndings(), readUnits: 0, writeUnits: 0, requests: 0, retried: 0 }
  // A slice that an older Headrace has done knows fewer counters.
  for (const { counters } of results)
    for (const name of Object.keys(sum) as (keyof SliceCounters)[]) sum[name] += counters[name] ?? 0
  return sum
}

async function partsOf(
  job: JobSpec,
  results: readonly PiecesResult[],
  left: readonly (S3Object & { readonly key: string })[],
  database: Database | undefined,
): Promise<JoinedPart[]> {
  const { bucket } = readS3Address(job.what.file!)
  const found = new Map(left.map((object) => [nameOf({ bucket, key: object.key }), object]))
  const own = database ?? connect({})
  const { head, tail } = await exportEnds(own.table(job.what.table.name), job.what)
  const pieces = results.flatMap(({ pieces }) => Object.entries(pieces))
  return [
    { bytes: head },
    ...pieces.map(([name, sizeBytes]) => {
      const object = found.get(name)
      if (object?.sizeBytes === sizeBytes) return { ...object, bucket }
      const now = object === undefined ? 'was removed' : `now has ${object.sizeBytes} bytes instead of ${sizeBytes}`
      throw new HeadraceError('STATE', `${name} ${now}: start the export again`)
    }),
    { bytes: tail },
  ]
}

/** What says that all of it is done goes last, so that a call that dies can be made again. */
async function removeAll(s3: S3, place: string, left: readonly { readonly key: string }[]): Promise<void> {
  const { bucket, key: below } = readS3Address(place)
  const made = `${below}/${MADE}`
  await s3.remove(left.filter(({ key }) => key !== made).map(({ key }) => ({ bucket, key })))
  await s3.remove([{ bucket, key: made }])
}

function s3Options({ what }: JobSpec): S3Options {
  return (what.s3?.connection ?? {}) as S3Options
}
