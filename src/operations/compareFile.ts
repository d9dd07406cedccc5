import type { SourceRecord } from '../formats/record.ts'
import type { PlainItem } from '../item/attributeValue.ts'
import { canonicalText } from '../item/canonicalText.ts'
import { ItemError } from '../item/itemError.ts'
import { itemKey, type KeySchema } from '../item/itemKey.ts'
import { textDigest } from '../item/textDigest.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import type { ScanEngine } from '../scan/scanEngine.ts'
import { DigestTable } from './digestTable.ts'
import type { Doubts } from './doubts.ts'
import type { RecordSource } from './file.ts'

export interface CompareFileOptions {
  readonly left: ScanEngine
  readonly sources: readonly RecordSource[]
  /** Of the table, about: the files will not have many more. */
  readonly itemCount: number
  readonly schema: KeySchema
  readonly doubts: Doubts
  readonly counts: { equal: number; leftRead: number; rightRead: number; duplicates: number }
  readonly signal: AbortSignal | undefined
  readonly onProgress: () => void
}

/**
 * Finds what differs between a table and files, whose records lie in any order: the files are read into a table of digests,
 * the table is scanned past that, and if something differs the files are read once more, for the records that do.
 */
export async function compareFile(options: CompareFileOptions): Promise<void> {
  const { left, schema, doubts, counts, onProgress } = options
  const isStopped = (): boolean => options.signal?.aborted === true
  const digests = new DigestTable(options.itemCount)
  for await (const records of recordsOf(options)) {
    for (const record of records) {
      const { key, text } = keyAndText(record, schema)
      if (digests.set(textDigest(key), textDigest(text))) counts.duplicates += 1
    }
    counts.rightRead += records.length
    onProgress()
  }
  const onItem = (item: PlainItem): void => {
    const key = itemKey(item, schema)
    const found = digests.compare(textDigest(key), textDigest(canonicalText(item)))
    if (found === 'same') counts.equal += 1
    else if (found === 'none') doubts.add({ key, seen: 'left', right: null })
    counts.leftRead += 1
  }
  while ((await left.nextEach(onItem)) !== undefined) {
    onProgress()
    await doubts.room()
  }
  if (digests.open === 0 || isStopped()) return
  for await (const records of recordsOf(options)) {
    for (const record of records) {
      const { key, text, item } = keyAndText(record, schema)
      const question = digests.settle(textDigest(key), textDigest(text))
      if (question === undefined) continue
      doubts.add({ key, seen: question.met ? 'both' : 'right', right: item, bytes: text.length })
      await doubts.room()
    }
    onProgress()
  }
  if (digests.open === 0 || isStopped()) return
  const names = options.sources.map(({ name }) => name).join(', ')
  throw new HeadraceError('INPUT', `${names} changed during the comparison: compare again`)
}

async function* recordsOf({ sources, schema, signal }: CompareFileOptions): AsyncGenerator<readonly SourceRecord[]> {
  for (const source of sources) {
    for await (const records of source.records(undefined, schema)) {
      if (signal?.aborted === true) return
      yield records
    }
  }
}

function keyAndText(record: SourceRecord, schema: KeySchema): { key: string; text: string; item: PlainItem } {
  const { file, line } = record.place
  if ('error' in record) throw new HeadraceError('INPUT', `${file}:${line}: ${record.error}`)
  try {
    return { key: itemKey(record.item, schema), text: canonicalText(record.item), item: record.item }
  } catch (error) {
    if (!(error instanceof ItemError)) throw error
    throw new HeadraceError('INPUT', `${file}:${line}: ${error.message}`)
  }
}
