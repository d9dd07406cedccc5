import { crc32, gunzip } from 'node:zlib'
import type { CredentialSource, Credentials } from '../network/credentialSource.ts'
import { REQUEST_END, type RequestEnd } from '../runtime/channels.ts'
import { type Clock, sleep } from '../runtime/clock.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { parseJson } from '../runtime/parseJson.ts'
import { type Again, type Outcome, type Refused, sortDamage, sortError, sortFailure, sortPage } from './outcome.ts'
import type { Signer } from './signer.ts'
import type { Abort, Transport, TransportAnswer, TransportFailure } from './transport.ts'

/** Operations that Headrace sends. */
export type Operation =
  | 'BatchWriteItem'
  | 'BatchExecuteStatement'
  | 'PutItem'
  | 'UpdateItem'
  | 'DeleteItem'
  | 'GetItem'
  | 'BatchGetItem'
  | 'Query'
  | 'Scan'
  | 'DescribeTable'
  | 'DescribeTimeToLive'
  | 'DescribeContinuousBackups'
  | 'DescribeKinesisStreamingDestination'
  | 'CreateTable'
  | 'DeleteTable'
  | 'ExportTableToPointInTime'
  | 'DescribeExport'
  | 'ListTables'

/** Told once how a request ended. */
export interface ReplyReceiver {
  /** The service did what was asked; `body` is its answer, whole and checked. */
  onReply(body: Buffer, latencyMs: number, requestId: string): void
  onOutcome(outcome: Outcome, latencyMs: number, requestId: string): void
}

export interface ServiceOptions {
  readonly transport: Transport
  readonly signer: Signer
  readonly credentials: CredentialSource
  readonly clock: Clock
}

/** The code of an outcome that no service gave: there is nothing to sign a request with. */
const NO_CREDENTIALS = 'NoCredentials'

/**
 * One request to DynamoDB, and one outcome: signs, sends, checks the answer's checksum, and sorts what came. Never tries
 * a second time by itself; what an outcome of *again* leads to is its caller's decision.
 */
export class Service {
  readonly clock: Clock
  readonly #transport: Transport
  readonly #signer: Signer
  readonly #credentials: CredentialSource
  /** The service's clock minus this machine's, learnt when a signature is refused for its date. */
  #skewMs = 0

  constructor(options: ServiceOptions) {
    this.clock = options.clock
    this.#transport = options.transport
    this.#signer = options.signer
    this.#credentials = options.credentials
  }

  /** Sends one request. `receiver` is told exactly once, never before this returns, or at most once after an abort. */
  send(operation: Operation, body: Buffer, receiver: ReplyReceiver, acceptGzip = false): Abort {
    const credentials = this.#credentials.current()
    if (credentials !== undefined) return this.#sendSigned(operation, body, receiver, acceptGzip, credentials)
    let aborted = false
    let abort: Abort = () => {
      aborted = true
    }
    this.#credentials.get().then(
      (fresh) => {
        if (!aborted) abort = this.#sendSigned(operation, body, receiver, acceptGzip, fresh)
      },
      (error: unknown) => {
        const message = error instanceof Error ? error.message : `${error}`
        if (error instanceof HeadraceError && error.code === 'CLOSED') {
          if (!aborted) receiver.onOutcome(sortFailure({ kind: 'closed', message, cause: error }), 0, '')
          return
        }
        const retryAfterMs = this.#credentials.askAgainInMs
        const code = NO_CREDENTIALS
        const outcome: Outcome =
          retryAfterMs === undefined
            ? { kind: 'refused', why: 'credentials', code, message }
            : { kind: 'again', why: 'credentials', code, message, ambiguous: false, retryAfterMs }
        if (!aborted) receiver.onOutcome(outcome, 0, '')
      },
    )
    return () => abort()
  }

  #sendSigned(
    operation: Operation,
    body: Buffer,
    receiver: ReplyReceiver,
    acceptGzip: boolean,
    credentials: Credentials,
  ): Abort {
    const headers = this.#signer.sign(credentials, TARGETS[operation], body, this.clock.wallNow() + this.#skewMs)
    if (acceptGzip) headers.push('accept-encoding', 'gzip')
    return this.#transport.send(headers, body, new Exchange(this, operation, receiver, credentials, this.clock.now()))
  }

  /**
   * What an error teaches about clock and credentials, before its outcome is handed on.
   *
   * @returns the outcome; a refusal where the clock is wrong and nothing says how wrong, so that to ask again is no use
   */
  learn(outcome: Again | Refused, answer: TransportAnswer, credentials: Credentials): Again | Refused {
    if (outcome.kind !== 'again') return outcome
    if (outcome.why === 'credentials') this.#credentials.invalidate(credentials)
    if (outcome.why !== 'clock') return outcome
    const serverTimeMs = serverTime(answer.date, outcome.message)
    if (serverTimeMs !== undefined) {
      this.#skewMs = serverTimeMs - this.clock.wallNow()
      return outcome
    }
    const now = new Date(this.clock.wallNow()).toISOString()
    const message = `the endpoint rejects this machine's time, ${now} (${outcome.message}). Set this machine's clock`
    return { kind: 'refused', why: 'unreachable', code: 'Clock', message }
  }

  /**
   * One request of the control plane, asked again while the outcome is *again*, for at most `patienceMs`.
   *
   * @returns the answer, parsed; undefined where its condition does not hold
   * @throws {HeadraceError} as {@link refusalError}; `UNREACHABLE` when patience ends, or `CREDENTIALS` where that was for
   *   want of them
   */
  async call(
    operation: Operation,
    payload: object,
    options: { patienceMs?: number | undefined; signal?: AbortSignal | undefined } = {},
  ): Promise<unknown> {
    const { patienceMs = 20_000, signal } = options
    const body = Buffer.from(JSON.stringify(payload))
    let deadline = this.clock.now() + patienceMs
    for (let waitMs = 50; ; waitMs = Math.min(waitMs * 2, 2_000)) {
      signal?.throwIfAborted()
      const { reply, outcome } = await this.#ask(operation, body, signal)
      const parsed = reply === undefined ? undefined : parseReply(reply)
      if (parsed !== undefined) return parsed
      if (outcome?.kind === 'refused' && outcome.why === 'condition') return undefined
      if (outcome?.kind === 'refused') throw refusalError(outcome, operation)
      const message = outcome?.kind === 'again' ? `${outcome.code}: ${outcome.message}` : 'the answer is not valid JSON'
      // Whoever is asked for a code needs time to find it; the provider's own deadline ends that.
      if (this.#credentials.isFirstAsk) deadline = Math.max(deadline, this.clock.now() + patienceMs)
      const askedMs = outcome?.kind === 'again' ? (outcome.retryAfterMs ?? 0) : 0
      const leftMs = deadline - this.clock.now()
      if (waitMs > leftMs) {
        if (outcome?.kind === 'again' && outcome.code === NO_CREDENTIALS) {
          throw new HeadraceError('CREDENTIALS', outcome.message)
        }
        throw new HeadraceError(
          'UNREACHABLE',
          `DynamoDB did not answer ${operation} for ${Math.round(patienceMs / 1_000)} s (${message}). Check endpoint, region and network`,
        )
      }
      await sleep(this.clock, Math.max(waitMs, Math.min(askedMs, leftMs)), signal)
    }
  }

  #ask(operation: Operation, body: Buffer, signal?: AbortSignal): Promise<{ reply?: Buffer; outcome?: Outcome }> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        abort()
        reject(signal!.reason)
      }
      const end = (answer: { reply?: Buffer; outcome?: Outcome }): void => {
        signal?.removeEventListener('abort', onAbort)
        resolve(answer)
      }
      const abort = this.send(operation, body, {
        onReply: (reply) => end({ reply }),
        onOutcome: (outcome) => end({ outcome }),
      })
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  /** Releases every connection, and ends every wait for credentials. */
  async close(): Promise<void> {
    this.#credentials.close()
    await this.#transport.close()
  }
}

const LESS_THAN = 60

/** The service's clock, by the `date` header, else by what it says of a signature: "… (20261130T101500Z - 15 min.)". */
function serverTime(date: string, message: string): number | undefined {
  const told = Date.parse(date)
  if (Number.isFinite(told)) return told
  const match = /\((\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z [-+] \d+ min/.exec(message)
  if (match === null) return undefined
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number)
  return Date.UTC(year!, month! - 1, day!, hour!, minute!, second!)
}

/** Undefined for an answer that did not arrive whole. */
function parseReply(reply: Buffer): unknown {
  try {
    return parseJson(reply.toString('utf8'))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** One request under way. */
class Exchange {
  readonly #service: Service
  readonly #operation: Operation
  readonly #receiver: ReplyReceiver
  readonly #credentials: Credentials
  readonly #sentAt: number

  constructor(
    service: Service,
    operation: Operation,
    receiver: ReplyReceiver,
    credentials: Credentials,
    sentAt: number,
  ) {
    this.#service = service
    this.#operation = operation
    this.#receiver = receiver
    this.#credentials = credentials
    this.#sentAt = sentAt
  }

  onAnswer(answer: TransportAnswer): void {
    const latencyMs = this.#service.clock.now() - this.#sentAt
    // The checksum is of the bytes that travelled: botocore checks it, the SDK for JavaScript does not.
    if (answer.crc32 !== undefined && answer.crc32 !== crc32(answer.body)) {
      this.#end(sortDamage('the checksum of the answer is wrong'), latencyMs, answer.requestId)
    } else if (answer.gzip) {
      gunzip(answer.body, (error, body) => {
        if (error !== null) this.#end(sortDamage(error.message), latencyMs, answer.requestId)
        else this.#finish(answer, body, latencyMs)
      })
    } else {
      this.#finish(answer, answer.body, latencyMs)
    }
  }

  onFailure(failure: TransportFailure): void {
    this.#end(sortFailure(failure), this.#service.clock.now() - this.#sentAt, '')
  }

  #finish(answer: TransportAnswer, body: Buffer, latencyMs: number): void {
    // A page of HTML is what a captive portal answers, whatever was asked.
    if (answer.status === 200 && body[0] !== LESS_THAN) {
      if (REQUEST_END.hasSubscribers) this.#tell('answered', '', latencyMs)
      this.#receiver.onReply(body, latencyMs, answer.requestId)
      return
    }
    const text = body.toString('utf8')
    const { status, retryAfterMs } = answer
    const outcome = status === 200 ? sortPage(status, text) : sortError(status, text, retryAfterMs)
    this.#end(this.#service.learn(outcome, answer, this.#credentials), latencyMs, answer.requestId)
  }

  #end(outcome: Again | Refused, latencyMs: number, requestId: string): void {
    if (REQUEST_END.hasSubscribers) this.#tell(outcome.kind, outcome.code, latencyMs)
    this.#receiver.onOutcome(outcome, latencyMs, requestId)
  }

  #tell(outcome: RequestEnd['outcome'], code: string, latencyMs: number): void {
    REQUEST_END.publish({ operation: this.#operation, latencyMs, outcome, code } satisfies RequestEnd)
  }
}

/** What `x-amz-target` says of each. */
export const TARGETS: { readonly [Name in Operation]: string } = {
  BatchWriteItem: 'DynamoDB_20120810.BatchWriteItem',
  BatchExecuteStatement: 'DynamoDB_20120810.BatchExecuteStatement',
  PutItem: 'DynamoDB_20120810.PutItem',
  UpdateItem: 'DynamoDB_20120810.UpdateItem',
  DeleteItem: 'DynamoDB_20120810.DeleteItem',
  GetItem: 'DynamoDB_20120810.GetItem',
  BatchGetItem: 'DynamoDB_20120810.BatchGetItem',
  Query: 'DynamoDB_20120810.Query',
  Scan: 'DynamoDB_20120810.Scan',
  DescribeTable: 'DynamoDB_20120810.DescribeTable',
  DescribeTimeToLive: 'DynamoDB_20120810.DescribeTimeToLive',
  DescribeContinuousBackups: 'DynamoDB_20120810.DescribeContinuousBackups',
  DescribeKinesisStreamingDestination: 'DynamoDB_20120810.DescribeKinesisStreamingDestination',
  CreateTable: 'DynamoDB_20120810.CreateTable',
  DeleteTable: 'DynamoDB_20120810.DeleteTable',
  ExportTableToPointInTime: 'DynamoDB_20120810.ExportTableToPointInTime',
  DescribeExport: 'DynamoDB_20120810.DescribeExport',
  ListTables: 'DynamoDB_20120810.ListTables',
}

/** The error that ends a job because of this refusal. `subject` is what was asked for, for the message. */
export function refusalError(refused: Refused, subject: string, table?: string): HeadraceError {
  const place = table === undefined ? {} : { table }
  const said = `${refused.code}${refused.message === '' ? '' : `: ${refused.message}`}`
  switch (refused.why) {
    case 'table':
      return new HeadraceError(
        'TABLE',
        `DynamoDB refuses ${subject}: ${said}. Check the table name, region and account`,
        { place },
      )
    case 'denied':
      return new HeadraceError(
        'DENIED',
        `DynamoDB refuses ${subject}: ${said}. Check the credentials and their IAM policy`,
        { place },
      )
    case 'credentials':
      return new HeadraceError('CREDENTIALS', refused.message, { place })
    case 'unreachable':
      if (refused.code === 'Closed') {
        return new HeadraceError('CLOSED', 'the connection was closed while requests were in flight', { place })
      }
      if (refused.code === 'Clock') return new HeadraceError('CONFIGURATION', refused.message, { place })
      if (refused.code === 'Proxy' || refused.code.startsWith('HTTP '))
        return new HeadraceError('UNREACHABLE', refused.message, { place })
      return new HeadraceError(
        'UNREACHABLE',
        `the endpoint's certificate is not trusted (${refused.message}). If it is your own, name its CA file in AWS_CA_BUNDLE or NODE_EXTRA_CA_CERTS`,
        { place },
      )
    default:
      return new HeadraceError('REFUSED', `DynamoDB refuses ${subject}: ${said}`, { place })
  }
}
