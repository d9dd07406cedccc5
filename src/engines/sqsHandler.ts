import { randomUUID } from 'node:crypto'
import { connect, type Database } from '../database/database.ts'
import type { Table } from '../database/table.ts'
import { readRecords } from '../formats/readRecords.ts'
import { ItemError } from '../item/itemError.ts'
import type { JobReject } from '../job/reject.ts'
import { RejectsFile } from '../job/rejectsFile.ts'
import type { PublishEngine } from '../publish/publishEngine.ts'
import type { PublisherOptions } from '../publish/publisher.ts'
import { type Clock, systemClock } from '../runtime/clock.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { parseJson } from '../runtime/parseJson.ts'
import { readS3Address, S3 } from '../storage/s3.ts'
import { embeddedMetrics } from './embeddedMetrics.ts'
import type { LambdaContext } from './lambdaContext.ts'
import { Queue } from './queue.ts'
import { type SliceEvent, type SliceHandler, sliceHandler } from './sliceHandler.ts'
import type { SqsBatchResponse, SqsEvent, SqsMessage } from './sqsEvent.ts'
import { TakenMessage } from './takenMessage.ts'
import { Visibility } from './visibility.ts'

/** `HEADRACE_WRITE_RATE` of the environment is the default of `writeUnitsPerSecond`. */
export interface SqsHandlerOptions
  extends Pick<
    PublisherOptions,
    'maxInFlight' | 'maxQueueSize' | 'maxQueueBytes' | 'patienceMs' | 'writeUnitsPerSecond'
  > {
  /** Where records are written. Default: the table that `HEADRACE_TABLE` of the environment names; without it, only slices are taken. */
  readonly table?: Table | undefined
  /**
   * `s3://BUCKET/PREFIX`, where the rejected records of a message go of which others were written, an object for each call that had
   * any. Default: `HEADRACE_REJECTS` of the environment; without it the whole message fails.
   */
  readonly rejects?: string | undefined
  /** The queue, for what follows. Default: `HEADRACE_QUEUE_URL` of the environment. */
  readonly queueUrl?: string | undefined
  /**
   * Messages are kept from others for so long from now, again and again, while they are worked on, 3 to 43,200. For queues whose own
   * time is at least a third of that. Default: not at all, as in a Lambda, whose queue must keep them for longer than it runs.
   */
  readonly visibilityTimeoutSeconds?: number | undefined
  /** Works on messages that are slices. Default: `sliceHandler()`. */
  readonly slice?: SliceHandler | undefined
  /** Told why a message fails, and of what is odd, for people. */
  readonly onWarning?: ((text: string) => void) | undefined
  /** As of {@link sliceHandler}. */
  readonly onMetrics?: ((line: string) => void) | undefined
}

/** A handler for batches of messages, and what it holds. */
export interface SqsHandler {
  /** @param context of a Lambda; elsewhere there is none, and no end of time */
  (event: SqsEvent, context?: LambdaContext): Promise<SqsBatchResponse>
  /** Lets go of connections. A Lambda need not. */
  close(): Promise<void>
}

/** What an end needs: requests that are under way, and the answer itself. */
const MARGIN_MS_MAX = 15_000
const MARGIN_SHARE = 0.2
/** Without a Lambda's end, a slice hands itself on after this, so that its message does not live as long as it does. */
const SLICE_MS = 600_000
const SLICE = 'headraceSlice'

/**
 * A Lambda handler for a queue's messages, for an event source with `ReportBatchItemFailures`. Each message is either
 *
 * - records, as a file of them: JSON Lines, a JSON array or object, in plain or DynamoDB JSON; all are written whole, in place of
 *   any item of the same key;
 * - or a slice, `{"headraceSlice": {"job": …, "index": 0, "of": 10, "run": "…"}}`, as {@link sliceHandler} has it; where it is not done
 *   when its time is up, a message with its cursor follows it.
 *
 * A message that was done, and only such a one, is not in the answer. One that can not be read, or of which no record can be written, is
 * there, time and again, until its queue moves it to the dead-letter queue. One that comes twice is written twice, which leaves what
 * once leaves, unless somebody else has written in between. Of a queue that keeps order, messages of a group are done one after another,
 * and none behind one that failed.
 */
export function sqsHandler(options: SqsHandlerOptions = {}): SqsHandler {
  const work = new QueueWork(options)
  return Object.assign((event: SqsEvent, context?: LambdaContext) => work.handle(event, context), {
    close: () => work.close(),
  })
}

/** Of an ARN or a URL. */
function queueName(address: string | undefined): string {
  return address?.split(/[:/]/).at(-1) ?? 'unknown'
}

class QueueWork {
  readonly #options: SqsHandlerOptions
  readonly #queueUrl: string | undefined
  readonly #rejects: string | undefined
  readonly #slice: SliceHandler
  readonly #clock: Clock
  #ownDatabase: Database | undefined
  #queue: Queue | undefined
  #visibility: Visibility | undefined
  #s3: S3 | undefined
  #engine: Promise<PublishEngine> | undefined
  /** Messages whose records the engine has. */
  readonly #active = new Set<TakenMessage>()

  constructor(options: SqsHandlerOptions) {
    const { visibilityTimeoutSeconds: seconds } = options
    this.#options = options
    this.#queueUrl = options.queueUrl ?? process.env['HEADRACE_QUEUE_URL']
    this.#rejects = options.rejects ?? process.env['HEADRACE_REJECTS']
    if (this.#rejects !== undefined) readS3Address(this.#rejects)
    this.#slice = options.slice ?? sliceHandler(options.onWarning === undefined ? {} : { onWarning: options.onWarning })
    this.#clock = options.table?.database.options.clock ?? systemClock
    if (seconds === undefined) return
    if (!(seconds >= 3 && seconds <= 43_200 && Number.isInteger(seconds)))
      throw new TypeError(`visibilityTimeoutSeconds must be a whole number from 3 to 43200, not ${seconds}`)
    this.#visibility = new Visibility(this.#openQueue(), seconds, this.#clock, options.onWarning)
  }

  async handle({ Records: messages }: SqsEvent, context: LambdaContext | undefined): Promise<SqsBatchResponse> {
    const beganAt = this.#clock.now()
    const call = new Call(context, this.#clock, () => this.#stop())
    this.#visibility?.hold(messages)
    try {
      const groups = this.#groupsOf(messages)
      await Promise.all(groups.map((group) => this.#workOnGroup(group, call)))
      await this.#keepRejects(groups, call)
    } finally {
      call.end()
      await this.#visibility?.release(messages)
    }
    this.#options.onMetrics?.(
      embeddedMetrics(
        { Messages: messages.length, FailedMessages: call.failed.size, Duration: this.#clock.now() - beganAt },
        { Queue: queueName(messages[0]?.eventSourceARN ?? this.#queueUrl) },
        this.#clock.wallNow(),
      ),
    )
    return { batchItemFailures: [...call.failed].map((message) => ({ itemIdentifier: message.messageId })) }
  }

  async close(): Promise<void> {
    const engine = await this.#engine?.catch(() => undefined)
    this.#engine = undefined
    await engine?.close()
    await this.#queue?.close()
    await this.#s3?.close()
    await this.#ownDatabase?.close()
  }

  /** Messages that must not overtake each other; of most queues there are none. */
  #groupsOf(messages: readonly SqsMessage[]): readonly (readonly SqsMessage[])[] {
    const groups = new Map<string, SqsMessage[]>()
    for (const message of messages) {
      const keepsOrder = (message.eventSourceARN ?? this.#queueUrl ?? '').endsWith('.fifo')
      const name = (keepsOrder ? message.attributes?.MessageGroupId : undefined) ?? `message ${message.messageId}`
      const there = groups.get(name)
      if (there === undefined) groups.set(name, [message])
      else there.push(message)
    }
    return [...groups.values()]
  }

  async #workOnGroup(group: readonly SqsMessage[], call: Call): Promise<void> {
    let failed = false
    for (const message of group) {
      // One that overtook it would be what is left.
      failed ||= !(await this.#workOn(message, call))
      if (failed) call.failed.add(message)
    }
  }

  /** @returns whether it was done */
  async #workOn(message: SqsMessage, call: Call): Promise<boolean> {
    try {
      call.throwIfOver()
      const slice = sliceOf(message.body)
      if (slice === undefined) await this.#write(message, call)
      else await this.#workOnSlice(slice, message, call)
      return true
    } catch (error) {
      const reason = error instanceof Error ? error.message : `${error}`
      this.#options.onWarning?.(`message ${message.messageId} failed and will be retried: ${reason}`)
      return false
    }
  }

  async #workOnSlice(slice: SliceEvent, message: SqsMessage, call: Call): Promise<void> {
    const result = await this.#slice(slice, call.context ?? contextOf(message, this.#clock))
    if (result.done) return
    // Whoever dies now has done no harm: the slice is gone on with from two places, and one of the two ends counts.
    const next = JSON.stringify({ [SLICE]: { ...slice, result } })
    await this.#openQueue().send(next, message.attributes?.MessageGroupId)
  }

  async #write({ messageId, body }: SqsMessage, call: Call): Promise<void> {
    // Other formats would make something of any text.
    if (!/^\s*[{[]/.test(body)) throw new HeadraceError('INPUT', 'it is not valid JSON')
    const engine = await this.#openEngine()
    call.throwIfOver()
    const taken = new TakenMessage(`message ${messageId}`)
    this.#active.add(taken)
    try {
      for await (const records of readRecords(bytesOf(body), { file: taken.name })) {
        for (const record of records) {
          const { line } = record.place
          if ('error' in record) {
            taken.reject({ code: 'InvalidRecord', message: record.error, raw: record.raw }, line)
            continue
          }
          try {
            taken.take()
            if (!engine.put(record.item, taken, line)) await engine.ready
          } catch (error) {
            if (!(error instanceof ItemError)) throw error
            taken.takeBack()
            taken.reject({ code: 'InvalidItem', message: error.message, item: record.item }, line)
          }
        }
      }
      taken.endReading()
      await taken.end
    } finally {
      this.#active.delete(taken)
    }
    const [first] = taken.rejects
    if (first === undefined) return
    if (taken.written === 0) throw new HeadraceError('REJECTED', `none of its records can be written: ${first.message}`)
    if (this.#rejects === undefined) throw new HeadraceError('REJECTED', `${first.place}: ${first.message}`)
    call.rejects.set(messageId, taken.rejects)
  }

  /** What was rejected of messages that are done otherwise; where that can not be kept, they are not. */
  async #keepRejects(groups: readonly (readonly SqsMessage[])[], call: Call): Promise<void> {
    if (call.rejects.size === 0) return
    let lines = ''
    const file = new RejectsFile('rejects', () => ({
      write: (text) => {
        lines += text
      },
      close: () => undefined,
    }))
    for (const rejects of call.rejects.values()) for (const reject of rejects) file.add(reject)
    file.close()
    const { bucket, key } = readS3Address(`${this.#rejects!.replace(/\/$/, '')}/${call.id}.jsonl`)
    this.#s3 ??= new S3()
    try {
      await this.#s3.put({ bucket, key }, Buffer.from(lines), true)
    } catch (error) {
      this.#options.onWarning?.(`cannot write rejected records: ${error instanceof Error ? error.message : error}`)
      for (const group of groups) {
        const from = group.findIndex(({ messageId }) => call.rejects.has(messageId))
        if (from !== -1) for (const message of group.slice(from)) call.failed.add(message)
      }
    }
  }

  #openEngine(): Promise<PublishEngine> {
    this.#engine ??= this.#makeEngine()
    return this.#engine
  }

  async #makeEngine(): Promise<PublishEngine> {
    const { maxInFlight, maxQueueSize, maxQueueBytes, patienceMs } = this.#options
    const rate = process.env['HEADRACE_WRITE_RATE']
    const writeUnitsPerSecond = this.#options.writeUnitsPerSecond ?? (rate === undefined ? undefined : Number(rate))
    try {
      const engine = await this.#table().publishEngine({
        maxInFlight,
        maxQueueSize,
        maxQueueBytes,
        patienceMs,
        writeUnitsPerSecond,
      })
      engine.onFailure = () => {
        this.#engine = undefined
        for (const taken of this.#active) taken.fail(engine.failure!)
      }
      return engine
    } catch (error) {
      this.#engine = undefined
      throw error
    }
  }

  #table(): Table {
    const { table } = this.#options
    if (table !== undefined) return table
    const name = process.env['HEADRACE_TABLE']
    if (name === undefined) {
      const message = 'no table to write to: pass table to the handler, or set HEADRACE_TABLE'
      throw new HeadraceError('CONFIGURATION', message)
    }
    this.#ownDatabase ??= connect()
    return this.#ownDatabase.table(name)
  }

  #openQueue(): Queue {
    if (this.#queueUrl === undefined) {
      const message = 'no queue: pass queueUrl to the handler, or set HEADRACE_QUEUE_URL'
      throw new HeadraceError('CONFIGURATION', message)
    }
    this.#queue ??= new Queue(this.#queueUrl)
    return this.#queue
  }

  /** The time is up: what is not written by now comes again with its messages. */
  #stop(): void {
    const engine = this.#engine
    this.#engine = undefined
    engine?.then(
      (one) => one.destroy(overError()),
      // Whoever waits for it is told.
      () => undefined,
    )
  }
}

/** One invocation. */
class Call {
  readonly id: string
  readonly context: LambdaContext | undefined
  readonly failed = new Set<SqsMessage>()
  /** By the message's id. */
  readonly rejects = new Map<string, readonly JobReject[]>()
  readonly #timer: { clear(): void } | undefined
  #isOver = false

  constructor(context: LambdaContext | undefined, clock: Clock, onOver: () => void) {
    this.context = context
    this.id = context?.awsRequestId ?? randomUUID()
    if (context === undefined) return
    const remainingMs = context.getRemainingTimeInMillis()
    const marginMs = Math.min(MARGIN_MS_MAX, remainingMs * MARGIN_SHARE)
    this.#timer = clock.setTimer(() => {
      this.#isOver = true
      onOver()
    }, remainingMs - marginMs)
  }

  throwIfOver(): void {
    if (this.#isOver) throw overError()
  }

  end(): void {
    this.#timer?.clear()
  }
}

function overError(): HeadraceError {
  return new HeadraceError('NO_PROGRESS', 'the invocation timed out: raise the timeout, or use smaller batches')
}

function sliceOf(body: string): SliceEvent | undefined {
  if (!body.includes(`"${SLICE}"`)) return undefined
  const value = parseJson(body) as { readonly [SLICE]?: SliceEvent }
  return Object.keys(value).length === 1 ? value[SLICE] : undefined
}

function contextOf({ messageId }: SqsMessage, clock: Clock): LambdaContext {
  const endMs = clock.now() + SLICE_MS
  return { awsRequestId: messageId, getRemainingTimeInMillis: () => endMs - clock.now() }
}

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}
