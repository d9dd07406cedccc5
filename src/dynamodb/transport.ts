/**
 * The wire, as the engine sees it: bytes of one request out, bytes of one answer in. Everything above can run over
 * another `Transport`: a simulator, a recorder, a fault injector.
 *
 * @example
 * const transport: Transport = new SimulatedService({ clock }) // from 'headrace/simulator'
 * const db = connect({ endpoint: 'http://localhost:1', transport, clock })
 */
export interface Transport {
  /**
   * Sends one `POST /`. Exactly one of the receiver's two methods is called, once, never before `send` returns.
   * A transport opens as many connections as there are requests in flight; how many that are is the caller's bound.
   *
   * @param headers names and values in turn
   * @returns gives up on the answer: the receiver is then told of a failure, or of nothing
   */
  send(headers: string[], body: Buffer, receiver: AnswerReceiver): Abort
  /** Releases every connection. Requests still in flight fail as `closed`. */
  close(): Promise<void>
}

/** Ends a request early. Harmless when it has ended already. */
export type Abort = () => void

export interface AnswerReceiver {
  onAnswer(answer: TransportAnswer): void
  onFailure(failure: TransportFailure): void
}

export interface TransportAnswer {
  readonly status: number
  /** As received, before any decompression. */
  readonly body: Buffer
  /** `x-amz-crc32`, of the body as received; undefined where the server sends none. */
  readonly crc32: number | undefined
  readonly requestId: string
  readonly gzip: boolean
  /** The `date` header. Kept as text, since it is read only when a signature is refused. */
  readonly date: string
  /** `x-amz-retry-after` in milliseconds, where the service sends it. */
  readonly retryAfterMs: number | undefined
}

/**
 * Why there is no answer.
 *
 * - `connect`: no connection came about, so nothing was sent
 * - `reset`: the connection ended under way; a write may have happened
 * - `timeout`: no head, or no next piece of the body, in time; a write may have happened
 * - `certificate`: the server's certificate is not to be trusted; never to be retried
 * - `proxy`: the proxy refuses, and would again: the host is not allowed, or it wants another password
 * - `closed`: the transport was closed
 */
export interface TransportFailure {
  readonly kind: 'connect' | 'reset' | 'timeout' | 'certificate' | 'proxy' | 'closed'
  readonly message: string
  readonly cause: unknown
}
