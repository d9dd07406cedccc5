import type { Outcome } from '../dynamodb/outcome.ts'
import type { Operation } from '../dynamodb/service.ts'
import type { Way } from '../throughput/pushback.ts'
import type { Dialect } from './changeBatch.ts'
import type { Entry } from './entry.ts'

/** A batch at the service, and how it was sent. */
export interface SentBatch {
  readonly batch: Entry[]
  readonly way: Way
  readonly operation: Operation
  readonly bytes: number
  readonly units: number
  /** Those, and what indexes take, of the rate that the user asked for. */
  readonly asked: number
  readonly dialect: Dialect
}

/** Told how a request ended. */
interface SentBatchOwner {
  onReply(sent: SentBatch, body: Buffer, latencyMs: number): void
  onOutcome(sent: SentBatch, outcome: Outcome, latencyMs: number): void
}

/** Hands the end of one request to the engine. */
export class BatchReceiver {
  readonly #owner: SentBatchOwner
  readonly #sent: SentBatch

  constructor(owner: SentBatchOwner, sent: SentBatch) {
    this.#owner = owner
    this.#sent = sent
  }

  onReply(body: Buffer, latencyMs: number): void {
    this.#owner.onReply(this.#sent, body, latencyMs)
  }

  onOutcome(outcome: Outcome, latencyMs: number): void {
    this.#owner.onOutcome(this.#sent, outcome, latencyMs)
  }
}
