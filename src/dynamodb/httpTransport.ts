import { createSecureContext } from 'node:tls'
import type { HttpProxy } from '../network/proxy.ts'
import type { Clock } from '../runtime/clock.ts'
import { Deadlines } from '../runtime/deadlines.ts'
import { CLOSED, HttpConnection, type HttpConnectionOptions, READ_BYTES } from './httpConnection.ts'
import type { Abort, AnswerReceiver, Transport, TransportFailure } from './transport.ts'

export interface HttpTransportOptions {
  /** `http://host:port` or `https://host`. */
  readonly endpoint: string
  readonly clock: Clock
  /** Longest wait for the head of an answer, and between two pieces of its body. Default 10,000. */
  readonly answerTimeoutMs?: number | undefined
  /** Longest wait for a connection. Default 3,000. */
  readonly connectTimeoutMs?: number | undefined
  /** Certificates to trust in place of those that Node trusts, PEM. */
  readonly certificateAuthority?: string | string[] | undefined
  /** What the endpoint is reached through. Default: directly. */
  readonly proxy?: HttpProxy | undefined
}

/**
 * A `Transport` over sockets of its own: HTTP/1.1, one connection for each request in flight, no streams, no promises.
 *
 * A connection is either in `#idle` or in its exchange; there is no flag that says so. The last one used is taken first,
 * so that what a burst opened falls idle, and is closed when it has carried nothing for as long as an answer may take.
 *
 * **Half-open.** Where a network device forgets its connections, or the peer vanishes, all of them carry nothing from one
 * moment on and nobody is told. A request finds out by waiting for its whole timeout; so that not each idle connection has
 * to be found out in this way, those that have been as silent are dropped with it.
 */
export class HttpTransport implements Transport {
  /** Requests that wait for a connection, where the system has no more sockets. */
  readonly #waiting: WaitingRequest[] = []
  #socketsMax = Number.POSITIVE_INFINITY
  #socketsMaxUntil = 0
  readonly #idle: HttpConnection[] = []
  readonly #all = new Set<HttpConnection>()
  readonly #options: HttpConnectionOptions
  #opened = 0
  #closed = false

  constructor(options: HttpTransportOptions) {
    const { answerTimeoutMs = ANSWER_TIMEOUT_MS, certificateAuthority, proxy } = options
    const { connectTimeoutMs = proxy === undefined ? CONNECT_TIMEOUT_MS : PROXY_CONNECT_TIMEOUT_MS } = options
    const endpoint = new URL(options.endpoint)
    const ca = certificateAuthority === undefined ? {} : { ca: certificateAuthority }
    const tls = endpoint.protocol === 'https:' ? { context: createSecureContext(ca), session: undefined } : undefined
    const silences = new Deadlines(options.clock, answerTimeoutMs, true)
    // Windows is told where to put what comes before it comes, for each connection.
    const readBuffer = process.platform === 'win32' ? undefined : Buffer.allocUnsafeSlow(READ_BYTES)
    this.#options = {
      endpoint,
      clock: options.clock,
      silences,
      connectTimeoutMs,
      readBuffer,
      tls,
      proxy,
      requestHead: requestHead(endpoint, proxy),
    }
  }

  send(headers: string[], body: Buffer, receiver: AnswerReceiver): Abort {
    if (this.#closed) {
      queueMicrotask(() => receiver.onFailure(CLOSED))
      return () => undefined
    }
    const now = this.#options.clock.now()
    let connection = this.#idle.pop()
    // What a name stands for changes; a socket that is a few minutes old makes way for a new one.
    while (connection !== undefined && (connection.expiresAt < now || connection.idleUntil < now)) {
      connection.destroy()
      connection = this.#idle.pop()
    }
    if (connection === undefined) {
      const request: WaitingRequest = { headers, body, receiver, abort: () => undefined }
      if (this.#all.size < this.#socketsMaxAt(now)) this.#sendOnNew(request)
      else this.#wait(request)
      return () => request.abort()
    }
    const chosen = connection
    chosen.sentAt = now
    chosen.send(headers, body, receiver)
    return () => chosen.abort(receiver)
  }

  #sendOnNew(request: WaitingRequest): void {
    const now = this.#options.clock.now()
    const connection = this.#open(now)
    const receiver: AnswerReceiver = {
      onAnswer: (answer) => request.receiver.onAnswer(answer),
      onFailure: (failure) => {
        // The others have sockets, and one of them will be free.
        if (isOutOfDescriptors(failure) && this.#all.size > 0 && !this.#closed) this.#wait(request)
        else request.receiver.onFailure(failure)
      },
    }
    request.abort = () => connection.abort(receiver)
    connection.sentAt = now
    connection.send(request.headers, request.body, receiver)
  }

  #wait(request: WaitingRequest): void {
    this.#waiting.push(request)
    request.abort = () => {
      const at = this.#waiting.indexOf(request)
      if (at === -1) return
      this.#waiting.splice(at, 1)
      queueMicrotask(() => request.receiver.onFailure(CLOSED))
    }
  }

  #socketsMaxAt(now: number): number {
    return now < this.#socketsMaxUntil ? this.#socketsMax : Number.POSITIVE_INFINITY
  }

  /** A request that waits gets a connection that has become free, or the place of one that has ended. */
  #sendWaiting(free: HttpConnection | undefined): boolean {
    const request = this.#waiting.shift()
    if (request === undefined) return false
    if (free === undefined) {
      this.#sendOnNew(request)
    } else {
      request.abort = () => free.abort(request.receiver)
      free.sentAt = this.#options.clock.now()
      free.send(request.headers, request.body, request.receiver)
    }
    return true
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#idle.length = 0
    for (const { receiver } of this.#waiting.splice(0)) queueMicrotask(() => receiver.onFailure(CLOSED))
    const connections = [...this.#all]
    for (const connection of connections) connection.destroy()
    await Promise.all(connections.map((connection) => connection.released()))
    this.#all.clear()
    this.#options.silences.clear()
  }

  #open(now: number): HttpConnection {
    // Golden ratio: however many were opened at one moment, they are not all renewed at one moment.
    this.#opened += 1
    const share = (this.#opened * 0.618_033_988_749_895) % 1
    const ageMs = CONNECTION_AGE_MIN_MS + share * (CONNECTION_AGE_MAX_MS - CONNECTION_AGE_MIN_MS)
    const connection = new HttpConnection(this.#options, now + ageMs, this.#release)
    this.#all.add(connection)
    return connection
  }

  readonly #release = (connection: HttpConnection, failure: TransportFailure | undefined): void => {
    if (this.#closed) return
    const now = this.#options.clock.now()
    if (failure === undefined) {
      if (this.#all.size > this.#socketsMaxAt(now)) connection.destroy()
      else if (!this.#sendWaiting(connection)) this.#idle.push(connection)
      return
    }
    const idle = this.#idle.indexOf(connection)
    if (idle !== -1) this.#idle.splice(idle, 1)
    this.#all.delete(connection)
    if (failure.kind === 'timeout') this.#dropSilent()
    if (isOutOfDescriptors(failure)) {
      // Files need some, too.
      this.#socketsMax = Math.max(1, Math.floor(this.#all.size * DESCRIPTORS_SHARE))
      this.#socketsMaxUntil = now + FEWER_SOCKETS_MS
      // Nobody is left who could hand on a connection.
      if (this.#all.size === 0) this.#sendWaiting(undefined)
    } else if (this.#all.size < this.#socketsMaxAt(now)) {
      this.#sendWaiting(undefined)
    }
  }

  /** A request waited in vain: idle connections that have not been heard of for about as long may be dead as well. */
  #dropSilent(): void {
    const { clock, silences } = this.#options
    const before = clock.now() - silences.limitMs * SILENT_SHARE
    for (const connection of this.#idle.filter(({ sentAt }) => sentAt < before)) connection.destroy()
  }
}

/** A request that has no connection yet. */
interface WaitingRequest {
  readonly headers: string[]
  readonly body: Buffer
  readonly receiver: AnswerReceiver
  abort: Abort
}

/** The process, or the system, has as many files open as it may. */
function isOutOfDescriptors({ cause }: TransportFailure): boolean {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  return code === 'EMFILE' || code === 'ENFILE'
}

/** Over plain HTTP a proxy is sent the request itself, and told where it goes (RFC 9112 §3.2.2). */
function requestHead(endpoint: URL, proxy: HttpProxy | undefined): string {
  if (proxy === undefined || endpoint.protocol === 'https:') return 'POST / HTTP/1.1\r\n'
  const credentials = proxy.authorization === undefined ? '' : `proxy-authorization: ${proxy.authorization}\r\n`
  return `POST ${endpoint.origin}/ HTTP/1.1\r\n${credentials}`
}

const ANSWER_TIMEOUT_MS = 10_000
/** Of the sockets that there were when no more could be opened. */
const DESCRIPTORS_SHARE = 0.8
/** Then it is tried again whether there can be more. */
const FEWER_SOCKETS_MS = 30_000
const CONNECT_TIMEOUT_MS = 3_000
/** A proxy looks up the name and connects before it answers, and only then TLS begins. */
const PROXY_CONNECT_TIMEOUT_MS = 10_000
const CONNECTION_AGE_MIN_MS = 4 * 60_000
const CONNECTION_AGE_MAX_MS = 5 * 60_000
/**
 * Of the timeout: another answer may have come just after the request was sent that then timed out, and before everything
 * stopped. To open a connection anew costs little, to wait for a dead one much.
 */
const SILENT_SHARE = 0.5
