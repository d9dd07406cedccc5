import { Client, type Dispatcher } from 'undici'
import type { Clock } from '../runtime/clock.ts'
import type { Abort, AnswerReceiver, Transport, TransportAnswer, TransportFailure } from './transport.ts'

export interface UndiciTransportOptions {
  /** `http://host:port` or `https://host`. */
  readonly endpoint: string
  readonly clock: Clock
  /** Longest wait for the head of an answer, and between two pieces of its body. Default 10,000. */
  readonly answerTimeoutMs?: number
  /** Longest wait for a connection. Default 3,000. */
  readonly connectTimeoutMs?: number
  /** Certificates to trust besides the system's, PEM. */
  readonly certificateAuthority?: string | undefined
}

/**
 * A `Transport` over undici's lowest level: one `Client`, that is one socket, for each request in flight, and our own
 * handler in place of streams and promises.
 *
 * A connection is either in `#idle` or in its exchange; there is no flag that says so. The last one used is taken first,
 * so that what a burst opened falls idle and is closed by undici's keep-alive timer.
 *
 * **Half-open.** Where a network device forgets its connections, or the peer vanishes, all of them carry nothing from one
 * moment on and nobody is told. A request finds out by waiting for its whole timeout; so that not each idle connection has
 * to be found out in this way, those that have been as silent are dropped with it.
 */
export class UndiciTransport implements Transport {
  readonly #idle: Connection[] = []
  readonly #all = new Set<Connection>()
  readonly #options: UndiciTransportOptions
  #opened = 0
  #closed = false

  constructor(options: UndiciTransportOptions) {
    this.#options = options
  }

  send(headers: string[], body: Buffer, receiver: AnswerReceiver): Abort {
    if (this.#closed) {
      queueMicrotask(() => receiver.onFailure(CLOSED))
      return () => undefined
    }
    const now = this.#options.clock.now()
    let connection = this.#idle.pop()
    // What a name stands for changes; a socket that is a few minutes old makes way for a new one.
    while (connection !== undefined && connection.expiresAt < now) {
      this.#drop(connection)
      connection = this.#idle.pop()
    }
    const chosen = connection ?? this.#open(now)
    chosen.sentAt = now
    chosen.send(headers, body, receiver)
    return () => chosen.abort(receiver)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#idle.length = 0
    await Promise.all([...this.#all].map((connection) => connection.destroy()))
    this.#all.clear()
  }

  #open(now: number): Connection {
    // Golden ratio: however many were opened at one moment, they are not all renewed at one moment.
    this.#opened += 1
    const share = (this.#opened * 0.618_033_988_749_895) % 1
    const ageMs = CONNECTION_AGE_MIN_MS + share * (CONNECTION_AGE_MAX_MS - CONNECTION_AGE_MIN_MS)
    const connection = new Connection(this.#options, now + ageMs, this.#release)
    this.#all.add(connection)
    return connection
  }

  readonly #release = (connection: Connection, failure: TransportFailure | undefined): void => {
    if (this.#closed) return
    if (failure === undefined) {
      this.#idle.push(connection)
      return
    }
    this.#drop(connection)
    if (failure.kind === 'timeout') this.#dropSilent()
  }

  /** A request waited in vain: idle connections that have not been heard of for about as long may be dead as well. */
  #dropSilent(): void {
    const { clock, answerTimeoutMs = ANSWER_TIMEOUT_MS } = this.#options
    const before = clock.now() - answerTimeoutMs * SILENT_SHARE
    const silent = this.#idle.filter(({ sentAt }) => sentAt < before)
    if (silent.length === 0) return
    const alive = this.#idle.filter(({ sentAt }) => sentAt >= before)
    this.#idle.splice(0, this.#idle.length, ...alive)
    for (const connection of silent) this.#drop(connection)
  }

  #drop(connection: Connection): void {
    this.#all.delete(connection)
    void connection.destroy()
  }
}

const ANSWER_TIMEOUT_MS = 10_000
const CONNECTION_AGE_MIN_MS = 4 * 60_000
const CONNECTION_AGE_MAX_MS = 5 * 60_000
/**
 * Of the timeout: another answer may have come just after the request was sent that then timed out, and before everything
 * stopped. To open a connection anew costs little, to wait for a dead one much.
 */
const SILENT_SHARE = 0.5
const CLOSED: TransportFailure = { kind: 'closed', message: 'the connection pool was closed', cause: undefined }

/**
 * One socket and the exchange that is on it; the connection itself is undici's handler, so an exchange allocates none.
 *
 * It is a handler of undici's older kind (onConnect, onHeaders, …), which undici 7 calls directly and which gets the
 * headers as they came; handlers of the newer kind are wrapped, and get every header of every answer as an object.
 */
class Connection implements Dispatcher.DispatchHandler {
  readonly expiresAt: number
  /** The beginning of the latest exchange; of an idle connection, the answer to it was heard since. */
  sentAt = 0
  readonly #client: Client
  readonly #release: (connection: Connection, failure: TransportFailure | undefined) => void
  readonly #request: { path: string; method: 'POST'; headers: string[]; body: Buffer }
  #receiver: AnswerReceiver | undefined
  #answer: MutableAnswer = emptyAnswer(0)
  #length = -1
  #filled = 0
  #chunks: Buffer[] = []

  constructor(
    options: UndiciTransportOptions,
    expiresAt: number,
    release: (connection: Connection, failure: TransportFailure | undefined) => void,
  ) {
    const { endpoint, answerTimeoutMs = ANSWER_TIMEOUT_MS, connectTimeoutMs = 3_000, certificateAuthority } = options
    this.expiresAt = expiresAt
    this.#release = release
    this.#request = { path: '/', method: 'POST', headers: [], body: NO_BYTES }
    this.#client = new Client(endpoint, {
      pipelining: 1,
      headersTimeout: answerTimeoutMs,
      bodyTimeout: answerTimeoutMs,
      keepAliveTimeout: 10_000,
      connect: {
        timeout: connectTimeoutMs,
        ...(certificateAuthority === undefined ? {} : { ca: certificateAuthority }),
      },
    })
  }

  send(headers: string[], body: Buffer, receiver: AnswerReceiver): void {
    this.#receiver = receiver
    this.#request.headers = headers
    this.#request.body = body
    this.#client.dispatch(this.#request, this)
  }

  abort(receiver: AnswerReceiver): void {
    // By now another request may be on this connection.
    if (this.#receiver === receiver) void this.destroy()
  }

  async destroy(): Promise<void> {
    await this.#client.destroy()
  }

  onConnect(): void {
    // undici hands over a way to abort here; an exchange ends with its connection instead, see `abort`.
  }

  onHeaders(status: number, rawHeaders: Buffer[]): boolean {
    if (status < 200) return true
    this.#answer = emptyAnswer(status)
    this.#length = readHeaders(rawHeaders, this.#answer)
    this.#filled = 0
    this.#chunks = []
    return true
  }

  onData(chunk: Buffer): boolean {
    if (this.#length === chunk.length && this.#filled === 0) {
      // All in one piece, as most answers are: the socket's own memory, which Node does not use again.
      this.#answer.body = chunk
      this.#filled = chunk.length
    } else if (this.#length >= this.#filled + chunk.length) {
      if (this.#filled === 0) this.#answer.body = Buffer.allocUnsafeSlow(this.#length)
      chunk.copy(this.#answer.body, this.#filled)
      this.#filled += chunk.length
    } else {
      this.#chunks.push(chunk)
    }
    return true
  }

  onComplete(): void {
    const receiver = this.#receiver!
    const answer = this.#answer
    if (this.#chunks.length > 0) answer.body = Buffer.concat(this.#chunks)
    this.#reset()
    this.#release(this, undefined)
    receiver.onAnswer(answer)
  }

  onError(error: Error): void {
    const receiver = this.#receiver
    if (receiver === undefined) return
    this.#reset()
    const failure = describeFailure(error)
    this.#release(this, failure)
    // Never within send(): undici reports a connection that is known to be broken at once.
    queueMicrotask(() => receiver.onFailure(failure))
  }

  #reset(): void {
    this.#receiver = undefined
    this.#answer = EMPTY_ANSWER
    this.#chunks = []
    this.#request.body = NO_BYTES
    this.#request.headers = []
  }
}

type MutableAnswer = { -readonly [Name in keyof TransportAnswer]: TransportAnswer[Name] }

const NO_BYTES: Buffer = Buffer.alloc(0)

function emptyAnswer(status: number): MutableAnswer {
  return { status, body: NO_BYTES, crc32: undefined, requestId: '', gzip: false, date: '', retryAfterMs: undefined }
}

const EMPTY_ANSWER: MutableAnswer = emptyAnswer(0)

/** Picks out the five headers that matter, by length first, and returns the announced length or -1. */
function readHeaders(rawHeaders: Buffer[], answer: MutableAnswer): number {
  let length = -1
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!
    switch (name.length) {
      case 4:
        if (isNamed(name, 'date')) answer.date = rawHeaders[index + 1]!.toString('latin1')
        break
      case 11:
        if (isNamed(name, 'x-amz-crc32')) answer.crc32 = Number(rawHeaders[index + 1]!.toString('latin1'))
        break
      case 14:
        if (isNamed(name, 'content-length')) length = Number(rawHeaders[index + 1]!.toString('latin1'))
        break
      case 16:
        if (isNamed(name, 'x-amzn-requestid')) answer.requestId = rawHeaders[index + 1]!.toString('latin1')
        else if (isNamed(name, 'content-encoding')) answer.gzip = rawHeaders[index + 1]!.toString('latin1') === 'gzip'
        break
      case 17:
        if (isNamed(name, 'x-amz-retry-after')) answer.retryAfterMs = Number(rawHeaders[index + 1]!.toString('latin1'))
        break
    }
  }
  return length
}

function isNamed(raw: Buffer, name: string): boolean {
  // The last letter tells most names of one length apart before any string is made.
  return (
    (raw[raw.length - 1]! | 32) === name.charCodeAt(name.length - 1) && raw.toString('latin1').toLowerCase() === name
  )
}

const CONNECT_CODES = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'EMFILE',
  'UND_ERR_CONNECT_TIMEOUT',
])

function describeFailure(error: Error): TransportFailure {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const message = error.message === '' ? code : error.message
  if (code === 'UND_ERR_DESTROYED' || code === 'UND_ERR_CLOSED') return CLOSED
  if (code === 'UND_ERR_HEADERS_TIMEOUT') return { kind: 'timeout', message: 'no answer in time', cause: error }
  if (code === 'UND_ERR_BODY_TIMEOUT') return { kind: 'timeout', message: 'the answer stopped half-way', cause: error }
  if (CONNECT_CODES.has(code)) return { kind: 'connect', message, cause: error }
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS/.test(code)) return { kind: 'certificate', message, cause: error }
  return { kind: 'reset', message, cause: error }
}
