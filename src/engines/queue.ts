import { randomUUID } from 'node:crypto'
import type { SQSClient } from '@aws-sdk/client-sqs'
import { sdkRequestHandler } from '../network/routedAgent.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import type { SqsMessage } from './sqsEvent.ts'

type Module = typeof import('@aws-sdk/client-sqs')

/** Messages that one request takes (API reference, "ChangeMessageVisibilityBatch"). */
const BATCH_MAX = 10

/** A queue, over the SDK's client, which is loaded when it is needed first; a Lambda has it. */
export class Queue {
  readonly #url: string
  #opened: Promise<{ readonly module: Module; readonly client: SQSClient }> | undefined

  constructor(url: string) {
    this.#url = url
  }

  /**
   * Nobody else gets these messages for so long.
   *
   * @returns what went wrong, in words; of a message that is gone, that is nothing
   */
  async keep(messages: readonly SqsMessage[], seconds: number): Promise<string | undefined> {
    const { module, client } = await this.#open()
    let failed: string | undefined
    for (let start = 0; start < messages.length; start += BATCH_MAX) {
      const some = messages.slice(start, start + BATCH_MAX)
      try {
        const answer = await client.send(
          new module.ChangeMessageVisibilityBatchCommand({
            QueueUrl: this.#url,
            Entries: some.map(({ receiptHandle }, index) => ({
              Id: `m${index}`,
              ReceiptHandle: receiptHandle,
              VisibilityTimeout: seconds,
            })),
          }),
        )
        const [one] = answer.Failed ?? []
        failed ??= one && `${one.Code}: ${one.Message}`
      } catch (error) {
        failed ??= error instanceof Error ? error.message : `${error}`
      }
    }
    return failed
  }

  /** @param group of a queue that keeps order */
  async send(body: string, group: string | undefined): Promise<void> {
    const { module, client } = await this.#open()
    await client.send(
      new module.SendMessageCommand({
        QueueUrl: this.#url,
        MessageBody: body,
        MessageGroupId: group,
        ...(this.#url.endsWith('.fifo') ? { MessageDeduplicationId: randomUUID() } : {}),
      }),
    )
  }

  /** Releases its sockets. */
  async close(): Promise<void> {
    const opened = await this.#opened?.catch(() => undefined)
    opened?.client.destroy()
  }

  #open(): Promise<{ readonly module: Module; readonly client: SQSClient }> {
    this.#opened ??= this.#load()
    return this.#opened
  }

  async #load(): Promise<{ readonly module: Module; readonly client: SQSClient }> {
    let module: Module
    try {
      module = await import('@aws-sdk/client-sqs')
    } catch (cause) {
      const message =
        'queues need the package @aws-sdk/client-sqs, which is not installed: npm install @aws-sdk/client-sqs'
      throw new HeadraceError('CONFIGURATION', message, { cause })
    }
    const requestHandler = await sdkRequestHandler(process.env)
    const client = new module.SQSClient({ requestHandler, ...{ clientConfig: { requestHandler } } })
    return { module, client }
  }
}
