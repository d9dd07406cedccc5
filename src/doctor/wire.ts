import type { Connection } from '../dynamodb/connection.ts'
import { HttpTransport } from '../dynamodb/httpTransport.ts'
import { type Operation, TARGETS } from '../dynamodb/service.ts'
import { Signer } from '../dynamodb/signer.ts'
import type { Transport, TransportFailure } from '../dynamodb/transport.ts'
import type { Credentials } from '../network/credentialSource.ts'
import type { Clock } from '../runtime/clock.ts'
import { parseJson } from '../runtime/parseJson.ts'

/** An answer as it came, errors among them: what the data path sorts and forgets is what the doctor looks at. */
export interface WireAnswer {
  readonly status: number
  /** The name of the error; empty for none. */
  readonly code: string
  readonly message: string
  /** The parsed body; undefined for something else than a JSON object. */
  readonly body: { readonly [name: string]: unknown } | undefined
  /** The `date` header; empty for none. */
  readonly date: string
  readonly sentAtMs: number
  readonly latencyMs: number
}

/** There is no answer. */
export class WireError extends Error {
  readonly failure: TransportFailure

  constructor(failure: TransportFailure) {
    super(failure.message)
    this.failure = failure
  }
}

const ANSWER_MS = 4_000
const CONNECT_MS = 4_000

/** Sends single requests and returns what came, with no retries and no judgement. */
export class Wire {
  /** Added to this machine's time in signatures. */
  skewMs = 0
  readonly clock: Clock
  readonly #transport: Transport
  readonly #signer: Signer

  /** @param transport another one, for tests */
  constructor(
    { endpoint, host, region, proxy }: Connection,
    certificateAuthority: string[] | undefined,
    clock: Clock,
    transport?: Transport,
  ) {
    this.clock = clock
    const limits = { answerTimeoutMs: ANSWER_MS, connectTimeoutMs: CONNECT_MS }
    this.#transport = transport ?? new HttpTransport({ endpoint, clock, certificateAuthority, proxy, ...limits })
    this.#signer = new Signer(host, region)
  }

  /**
   * @param credentials undefined to send the request unsigned
   * @throws {WireError} when there is no answer
   */
  send(operation: Operation, payload: object, credentials: Credentials | undefined): Promise<WireAnswer> {
    const body = Buffer.from(JSON.stringify(payload))
    const target = TARGETS[operation]
    const sentAtMs = this.clock.wallNow()
    const startedAt = this.clock.now()
    const headers =
      credentials === undefined
        ? this.#unsigned(target, sentAtMs)
        : this.#signer.sign(credentials, target, body, sentAtMs + this.skewMs)
    return new Promise((resolve, reject) => {
      this.#transport.send(headers, body, {
        onAnswer: ({ status, body: bytes, date }) => {
          const latencyMs = this.clock.now() - startedAt
          resolve({ status, ...readBody(status, bytes), date, sentAtMs, latencyMs })
        },
        onFailure: (failure) => reject(new WireError(failure)),
      })
    })
  }

  /** Releases the connections; a request under way fails. */
  close(): Promise<void> {
    return this.#transport.close()
  }

  #unsigned(target: string, nowMs: number): string[] {
    const headers = this.#signer.sign({ accessKeyId: 'none', secretAccessKey: 'none' }, target, Buffer.alloc(0), nowMs)
    const at = headers.indexOf('authorization')
    return [...headers.slice(0, at), ...headers.slice(at + 2)]
  }
}

function readBody(status: number, bytes: Buffer): Pick<WireAnswer, 'code' | 'message' | 'body'> {
  let parsed: unknown
  try {
    parsed = parseJson(bytes.toString('utf8'))
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  if (parsed === null || typeof parsed !== 'object') return { code: '', message: '', body: undefined }
  const body = parsed as { [name: string]: unknown }
  if (status === 200) return { code: '', message: '', body }
  const type = `${body['__type'] ?? ''}`
  return {
    code: type.slice(type.lastIndexOf('#') + 1),
    message: `${body['message'] ?? body['Message'] ?? ''}`,
    body,
  }
}
