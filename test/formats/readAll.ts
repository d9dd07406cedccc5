import { readRecords } from '../../src/formats/readRecords.ts'
import type { ReadOptions, SourceRecord } from '../../src/formats/record.ts'

/** What reading came to: the records in order, and the error that ended it, if one did. */
export interface ReadResult {
  readonly records: readonly SourceRecord[]
  readonly items: readonly unknown[]
  readonly errors: readonly Extract<SourceRecord, { error: string }>[]
  readonly failure: unknown
}

/** Reads `content` in pieces of `pieceBytes`. */
export async function readAll(
  content: string | Uint8Array,
  options: ReadOptions,
  pieceBytes: number = 64 * 1024,
): Promise<ReadResult> {
  const bytes = Buffer.from(content as Uint8Array)
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let start = 0; start < bytes.length; start += pieceBytes) yield bytes.subarray(start, start + pieceBytes)
  }
  const records: SourceRecord[] = []
  let failure: unknown
  try {
    for await (const batch of readRecords(pieces(), options)) records.push(...batch)
  } catch (error) {
    failure = error
  }
  const items = records.flatMap((record) => ('item' in record ? [record.item] : []))
  const errors = records.flatMap((record) => ('error' in record ? [record] : []))
  return { records, items, errors, failure }
}
