import { connect as connectSocket, isIP, type OnReadOpts, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls, type SecureContext } from 'node:tls'
import type { HttpProxy } from '../network/proxy.ts'
import { nameAuthority } from '../network/trust.ts'
import { openTunnel, ProxyError } from '../network/tunnel.ts'
import type { Clock, Timer } from '../runtime/clock.ts'
import type { Deadlines } from '../runtime/deadlines.ts'
import { AnswerError, AnswerReader } from './answerReader.ts'
import type { AnswerReceiver, TransportFailure } from './transport.ts'

export interface HttpConnectionOptions {
  readonly endpoint: URL
  readonly clock: Clock
  /** How long each connection may carry nothing, in the background: what is under way keeps the process alive by itself. */
  readonly silences: Deadlines
  readonly connectTimeoutMs: number
  /**
   * Where what comes is put, for all connections alike: it is read to the end before anything else comes, and memory that is
   * used again at once stays near to the processor. Undefined where each needs its own.
   */
  readonly readBuffer: Buffer | undefined
  /** Undefined over plain HTTP. */
  readonly tls: SharedTls | undefined
  /** Undefined where the endpoint is reached directly. */
  readonly proxy: HttpProxy | undefined
  /** What each request begins with: the request line, and what a proxy that passes it on wants to know. */
  readonly requestHead: string
}

/** What all connections to one endpoint have together. */
interface SharedTls {
  /** Whom to trust. To read certificates for each connection anew takes longer than to connect. */
  readonly context: SecureContext
  /** What the server gave at the end of the latest handshake, so that the next one takes half as long (RFC 8446 §2.2). */
  session: Buffer | undefined
}

/** Of one read. A record of TLS is at most 16 KiB. */
export const READ_BYTES: number = 32 << 10
/** Up to here a request is copied into one piece: one call of the system, and one record of TLS where it fits. */
const JOINED_BYTES_MAX = 64 << 10
/** A connection that is about to be closed by the server is not used: the request and the end might cross. */
const KEEP_ALIVE_MARGIN_MS = 2_000
/** An answer can not come before the request has left, which on a slow line may take a while; so many times as long. */
const WRITE_PERIODS_MAX = 6
/** TCP's own sign of life, of a connection that waits for an answer. */
const PROBE_AFTER_MS = 60_000

export const CLOSED: TransportFailure = { kind: 'closed', message: 'the connection pool was closed', cause: undefined }
const UNASKED: TransportFailure = { kind: 'reset', message: 'the server sent an unexpected answer', cause: undefined }

/**
 * One socket, and the exchange that is on it. Nothing is sent before the connection stands, over TLS before the server
 * has shown who it is; and a connection that had any trouble is not used again.
 */
export class HttpConnection {
  readonly expiresAt: number
  /** The beginning of the latest exchange; of an idle connection, the answer to it was heard since. */
  sentAt: number = 0
  /** Until when an idle connection is of use: then the server closes it, by its own account. */
  idleUntil: number = Number.POSITIVE_INFINITY
  readonly #options: HttpConnectionOptions
  readonly #release: (connection: HttpConnection, failure: TransportFailure | undefined) => void
  /** Over a tunnel at first the one to the proxy, then the one that is secured inside of it. */
  #socket: Socket
  readonly #reader = new AnswerReader()
  #connectTimer: Timer | undefined
  /** The connection has carried something; see `#hear`. */
  #heard: (() => void) | undefined
  #writePeriods = 0
  #standing = false
  #receiver: AnswerReceiver | undefined
  /** A request that waits for the connection to stand. */
  #waiting: { headers: readonly string[]; body: Buffer } | undefined
  #failure: TransportFailure | undefined

  /** @param release told once when an exchange has ended well, and once when the connection is at its end */
  constructor(
    options: HttpConnectionOptions,
    expiresAt: number,
    release: (connection: HttpConnection, failure: TransportFailure | undefined) => void,
  ) {
    this.#options = options
    this.expiresAt = expiresAt
    this.#release = release
    const { endpoint, clock, connectTimeoutMs, tls, proxy } = options
    // An address of IPv6 stands in brackets.
    const host = endpoint.hostname.replace(/^\[|\]$/g, '')
    const port = Number(endpoint.port || (tls === undefined ? 80 : 443))
    const onread = { buffer: options.readBuffer ?? Buffer.allocUnsafeSlow(READ_BYTES), callback: this.#onBytes }
    if (tls !== undefined && proxy !== undefined) {
      this.#socket = openTunnel(
        proxy,
        tls.context,
        { host, port },
        (socket) => {
          this.#socket = this.#secure(tls, host, onread, { socket })
        },
        (error) => this.#fail(this.#describe(error)),
      )
    } else if (tls !== undefined) {
      this.#socket = this.#secure(tls, host, onread, { host, port })
    } else {
      this.#socket = connectSocket({ ...(proxy ?? { host, port }), onread })
      this.#listen('connect')
    }
    this.#connectTimer = clock.setTimer(() => {
      this.#fail({ kind: 'connect', message: `no connection to ${endpoint.host} in time`, cause: undefined })
    }, connectTimeoutMs)
  }

  /** TLS on a new socket, or on one that a proxy has opened. */
  #secure(
    tls: SharedTls,
    host: string,
    onread: OnReadOpts,
    place: { host: string; port: number } | { socket: Socket },
  ): Socket {
    const { context, session } = tls
    // `onread` is one of a socket's options, and works over TLS as well; its type does not say so.
    const settings: ConnectionOptions & { onread: OnReadOpts } = {
      ...place,
      onread,
      secureContext: context,
      ALPNProtocols: ['http/1.1'],
      ...(isIP(host) === 0 ? { servername: host } : {}),
      session,
    }
    const socket = connectTls(settings)
    nameAuthority(socket)
    // Node takes no notice of `onread` where TLS is inside of another socket.
    if ('socket' in place) socket.on('data', (bytes: Buffer) => this.#onBytes(bytes.length, bytes))
    socket.on('session', (latest) => {
      tls.session = latest
    })
    this.#socket = socket
    this.#listen('secureConnect')
    return socket
  }

  #listen(standing: 'connect' | 'secureConnect'): void {
    this.#socket.once(standing, this.#onStanding)
    this.#socket.on('error', (error) => this.#fail(this.#describe(error)))
    this.#socket.on('end', this.#onEnd)
    this.#socket.on('close', this.#onEnd)
  }

  /** Begins an exchange; the one before has ended. */
  send(headers: readonly string[], body: Buffer, receiver: AnswerReceiver): void {
    this.#receiver = receiver
    const failure = this.#failure
    if (failure !== undefined) {
      queueMicrotask(() => receiver.onFailure(failure))
    } else if (this.#standing) {
      this.#socket.ref()
      this.#write(headers, body)
    } else {
      this.#waiting = { headers, body }
    }
  }

  abort(receiver: AnswerReceiver): void {
    // By now another request may be on this connection.
    if (this.#receiver === receiver) this.#fail(CLOSED)
  }

  /** Ends the connection, and what is on it as closed. */
  destroy(): void {
    this.#fail(CLOSED)
  }

  /** Resolves when a connection that is at its end has given its socket back. */
  async released(): Promise<void> {
    if (!this.#socket.closed) await new Promise<void>((resolve) => void this.#socket.once('close', () => resolve()))
  }

  readonly #onStanding = (): void => {
    this.#connectTimer?.clear()
    this.#connectTimer = undefined
    this.#standing = true
    this.#socket.setNoDelay(true)
    this.#socket.setKeepAlive(true, PROBE_AFTER_MS)
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting !== undefined) this.#write(waiting.headers, waiting.body)
  }

  #write(headers: readonly string[], body: Buffer): void {
    this.#writePeriods = 1
    this.#hear()
    let head = this.#options.requestHead
    for (let index = 0; index < headers.length; index += 2) head += `${headers[index]}: ${headers[index + 1]}\r\n`
    head += `content-length: ${body.length}\r\n\r\n`
    if (body.length > JOINED_BYTES_MAX) {
      this.#socket.cork()
      this.#socket.write(head, 'latin1')
      this.#socket.write(body)
      this.#socket.uncork()
      return
    }
    const request = Buffer.allocUnsafe(head.length + body.length)
    request.write(head, 0, 'latin1')
    body.copy(request, head.length)
    this.#socket.write(request)
  }

  readonly #onBytes = (count: number, memory: Uint8Array): boolean => {
    if (this.#receiver === undefined) {
      this.#fail(UNASKED)
      return false
    }
    this.#hear()
    let whole: boolean
    try {
      whole = this.#reader.read(Buffer.from(memory.buffer, memory.byteOffset, count))
    } catch (error) {
      if (!(error instanceof AnswerError)) throw error
      this.#fail({ kind: 'reset', message: `the answer is not HTTP/1.1: ${error.message}`, cause: error })
      return false
    }
    if (whole) this.#complete()
    return true
  }

  #complete(): void {
    const receiver = this.#receiver!
    const reader = this.#reader
    const answer = reader.take()
    this.#receiver = undefined
    // Who answers before it has read the request may take the rest of it for the next one.
    if (reader.persistent && this.#socket.writableLength === 0) {
      this.#socket.unref()
      const { keepAliveMs } = reader
      this.idleUntil =
        keepAliveMs === undefined
          ? Number.POSITIVE_INFINITY
          : this.#options.clock.now() + keepAliveMs - Math.min(KEEP_ALIVE_MARGIN_MS, keepAliveMs / 2)
      this.#release(this, undefined)
    } else {
      this.#fail(CLOSED)
    }
    receiver.onAnswer(answer)
  }

  /** From now on it may be silent for as long as an answer may take. */
  #hear(): void {
    this.#heard?.()
    this.#heard = this.#options.silences.begin(this.#onSilence)
  }

  readonly #onSilence = (): void => {
    if (this.#socket.writableLength > 0 && this.#writePeriods < WRITE_PERIODS_MAX) {
      this.#writePeriods += 1
      this.#hear()
    } else if (this.#receiver === undefined) {
      this.#fail(CLOSED)
    } else {
      const message = this.#reader.begun ? 'the answer ended early' : 'no answer in time'
      this.#fail({ kind: 'timeout', message, cause: undefined })
    }
  }

  readonly #onEnd = (): void => {
    if (this.#receiver !== undefined && this.#reader.end()) this.#complete()
    else
      this.#fail({
        kind: this.#standing ? 'reset' : 'connect',
        message: 'the server closed the connection',
        cause: undefined,
      })
  }

  /** The connection is at its end, and what is on it has failed. What comes after the first time says nothing new. */
  #fail(failure: TransportFailure): void {
    if (this.#failure !== undefined) return
    this.#failure = failure
    this.#connectTimer?.clear()
    this.#heard?.()
    this.#waiting = undefined
    this.#socket.destroy()
    const receiver = this.#receiver
    this.#receiver = undefined
    this.#release(this, failure)
    if (receiver !== undefined) queueMicrotask(() => receiver.onFailure(failure))
  }

  #describe(error: Error): TransportFailure {
    if (error instanceof ProxyError) {
      return { kind: error.standing ? 'proxy' : 'connect', message: error.message, cause: error }
    }
    const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
    const message = error.message === '' ? code : error.message
    if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS/.test(code)) return { kind: 'certificate', message, cause: error }
    return { kind: this.#standing ? 'reset' : 'connect', message, cause: error }
  }
}
