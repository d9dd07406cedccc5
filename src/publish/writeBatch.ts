import { decodeItem } from '../item/decode.ts'
import { itemKey, type KeySchema } from '../item/itemKey.ts'
import { parseJson } from '../runtime/parseJson.ts'
import type { ConsumedUnits } from '../throughput/limiter.ts'
import { type ConsumedCapacity, readConsumed } from './consumed.ts'
import { type Entry, entryKey } from './entry.ts'
import type { BodySlab } from './slab.ts'

/** Entries that one request takes (API reference, BatchWriteItem). */
export const BATCH_ENTRIES_MAX = 25

const COMMA = 44
const TAIL = Buffer.from(']},"ReturnConsumedCapacity":"INDEXES"}')

/** What a `BatchWriteItem` to this table begins with. */
export function writeBatchHead(table: string): Buffer {
  return Buffer.from(`{"RequestItems":{${JSON.stringify(table)}:[`)
}

/** The body of a `BatchWriteItem` of these puts and deletes, all of one table and no two of one key. */
export function writeBatchBody(slab: BodySlab, head: Buffer, entries: readonly Entry[]): Buffer {
  let bytes = head.length + entries.length - 1 + TAIL.length
  for (const entry of entries) bytes += entry.end - entry.start
  const body = slab.cut(bytes)
  let offset = head.copy(body, 0)
  let index = 0
  while (index < entries.length) {
    // Entries mostly lie side by side in their slab, a comma between them, and are copied in one go.
    const { buffer, start } = entries[index]!
    let { end } = entries[index]!
    for (index += 1; index < entries.length; index += 1) {
      const next = entries[index]!
      if (next.buffer !== buffer || next.start !== end + 1) break
      end = next.end
    }
    offset += buffer!.copy(body, offset, start, end)
    if (index < entries.length) body[offset++] = COMMA
  }
  TAIL.copy(body, offset)
  return body
}

export interface WriteBatchReply {
  /** Those that the service did not get to; all others are stored. */
  readonly unprocessed: readonly Entry[]
  /** Write units; undefined where the endpoint does not tell. */
  readonly consumed: ConsumedUnits | undefined
}

/**
 * Reads the answer to a `BatchWriteItem`.
 *
 * @throws {Error} when it is not such an answer, or speaks of entries that were not sent
 */
export function readWriteBatchReply(body: Buffer, entries: readonly Entry[], schema: KeySchema): WriteBatchReply {
  const reply = parseJson(body.toString('utf8')) as {
    UnprocessedItems?:
      | { [table: string]: { PutRequest?: { Item: unknown }; DeleteRequest?: { Key: unknown } }[] }
      | undefined
    ConsumedCapacity?: ConsumedCapacity[] | undefined
  }
  const consumed = readConsumed(reply.ConsumedCapacity)
  const unprocessed: Entry[] = []
  if (reply.UnprocessedItems === undefined || isEmpty(reply.UnprocessedItems)) return { unprocessed, consumed }
  const keys = new Map(entries.map((entry) => [entryKey(entry, schema), entry]))
  for (const table in reply.UnprocessedItems) {
    for (const { PutRequest, DeleteRequest } of reply.UnprocessedItems[table]!) {
      const key = itemKey(decodeItem(PutRequest?.Item ?? DeleteRequest?.Key), schema)
      const entry = keys.get(key)
      if (entry === undefined) throw new Error('UnprocessedItems contains an item that was not sent')
      unprocessed.push(entry)
    }
  }
  return { unprocessed, consumed }
}

function isEmpty(object: object): boolean {
  for (const _name in object) return false
  return true
}
