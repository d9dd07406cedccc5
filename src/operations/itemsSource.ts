import type { RecordPosition, SourceRecord } from '../formats/record.ts'
import type { PlainItem } from '../item/attributeValue.ts'
import { counted } from '../runtime/counted.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { StorageError } from '../storage/storageError.ts'
import type { RecordSource, SourceSample } from './file.ts'
import type { ItemsSource } from './jobDefinition.ts'

/** How messages call it, and its items by their number. */
const NAME = 'items'

/** Items of a user's own, as records: each has its number as its line, counted from 1. */
export function itemsSource({ items, resumes = false }: ItemsSource): RecordSource {
  return {
    name: NAME,
    isOnce: !resumes,
    onceAdvice:
      'If the source yields the same items in the same order each time and can skip the first ones, declare it: ' +
      '{ items: (settled) => …, resumes: true }',
    records: (after) => records(items, resumes ? after : undefined),
    ...(resumes ? { sample: sampleOf(items) } : {}),
  }
}

/** More are not gone through to be counted. */
const COUNTED_MAX = 1_000_000

/** A look at what can be had again: an item stands for a byte. */
function sampleOf(items: ItemsSource['items']): SourceSample {
  return {
    seekable: false,
    async sizeBytes() {
      let count = 0
      for await (const list of records(items, undefined)) {
        count += list.length
        if (count <= COUNTED_MAX) continue
        const message = `the source of the job has more than ${counted(COUNTED_MAX, 'item')}, too many to read for a plan`
        throw new HeadraceError('INPUT', message)
      }
      return count
    },
    read() {
      let taken = 0
      async function* noted(): AsyncGenerator<readonly SourceRecord[]> {
        for await (const list of records(items, undefined)) {
          taken += list.length
          yield list
        }
      }
      return { records: noted(), bytesTaken: () => taken }
    },
  }
}

async function* records(
  items: ItemsSource['items'],
  after: RecordPosition | undefined,
): AsyncGenerator<readonly SourceRecord[]> {
  let index = after === undefined ? 0 : after.offset + 1
  try {
    for await (const item of items(index)) {
      const place = { file: NAME, line: index + 1, offset: index }
      index += 1
      const error = `the source yielded ${item === null ? 'null' : `a ${typeof item}`}, which is not an item`
      yield [isItem(item) ? { item, place } : { error, raw: rawText(item), rawFormat: { format: 'jsonl' }, place }]
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : `${cause}`
    throw new StorageError(`the source of the job failed after item ${index}: ${reason}`, NAME, { cause })
  }
}

function rawText(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}

function isItem(value: unknown): value is PlainItem {
  return typeof value === 'object' && value !== null
}
