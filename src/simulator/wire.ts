/**
 * The wire, as whoever talks to a service sees it. The same shape as the engine's own `Transport`, and written down once
 * more, since this room knows nothing of the engine.
 */
export interface Wire {
  /** @param headers names and values in turn */
  send(headers: string[], body: Buffer, receiver: WireReceiver): () => void
  close(): Promise<void>
}

export interface WireReceiver {
  onAnswer(answer: WireAnswer): void
  onFailure(failure: WireFailure): void
}

export interface WireAnswer {
  readonly status: number
  readonly body: Buffer
  readonly crc32: number | undefined
  readonly requestId: string
  readonly gzip: boolean
  readonly date: string
  readonly retryAfterMs: number | undefined
}

export interface WireFailure {
  readonly kind: 'connect' | 'reset' | 'timeout' | 'certificate' | 'closed'
  readonly message: string
  readonly cause: unknown
}
