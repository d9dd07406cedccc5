import type { Outcome } from '../dynamodb/outcome.ts'
import type { KeySchema } from '../item/itemKey.ts'
import { parseJson } from '../runtime/parseJson.ts'
import type { ConsumedUnits } from '../throughput/limiter.ts'
import { readChangeBatchReply } from './changeBatch.ts'
import { type ConsumedCapacity, readConsumed } from './consumed.ts'
import type { Entry } from './entry.ts'
import type { SentBatch } from './sentBatch.ts'
import { readWriteBatchReply } from './writeBatch.ts'

/** What became of a batch of which the service did what was asked, though perhaps not all of it. */
export interface BatchReply {
  /** Of statements that were not all stored, how each ended. */
  readonly outcomes?: readonly Outcome[] | undefined
  /** Of writes, those that it did not get to. */
  readonly unprocessed?: readonly Entry[] | undefined
  readonly consumed: ConsumedUnits | undefined
}

/** Reads the answers to batches. At a steady rate most are the same to the byte, and read once. */
export class ReplyReader {
  readonly #schema: KeySchema
  /** The latest to a batch of writes that were all stored, and to one of statements. */
  #usualWrites: { readonly body: Buffer; readonly reply: BatchReply } | undefined
  #usualStatements: { readonly body: Buffer; readonly count: number; readonly reply: BatchReply } | undefined

  constructor(schema: KeySchema) {
    this.#schema = schema
  }

  /** @throws {Error} when it is not an answer to this batch */
  read({ batch, operation }: SentBatch, body: Buffer): BatchReply {
    if (operation === 'BatchExecuteStatement') return this.#readStatements(body, batch.length)
    if (operation !== 'BatchWriteItem') {
      const { ConsumedCapacity } = parseJson(body.toString('utf8')) as { ConsumedCapacity?: ConsumedCapacity }
      return { consumed: readConsumed(ConsumedCapacity === undefined ? undefined : [ConsumedCapacity]) }
    }
    if (this.#usualWrites?.body.equals(body) === true) return this.#usualWrites.reply
    const reply = readWriteBatchReply(body, batch, this.#schema)
    if (reply.unprocessed.length === 0) this.#usualWrites = { body: Buffer.from(body), reply }
    return reply
  }

  #readStatements(body: Buffer, count: number): BatchReply {
    const usual = this.#usualStatements
    if (usual?.count === count && usual.body.equals(body)) return usual.reply
    const reply = readChangeBatchReply(body, count)
    if (reply.outcomes === undefined) this.#usualStatements = { body: Buffer.from(body), count, reply }
    return reply
  }
}
