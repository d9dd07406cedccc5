import { type Connection, type ConnectionOptions, resolveConnection } from '../dynamodb/connection.ts'
import { HttpTransport } from '../dynamodb/httpTransport.ts'
import { Service } from '../dynamodb/service.ts'
import { Signer } from '../dynamodb/signer.ts'
import type { Transport } from '../dynamodb/transport.ts'
import { readTrust } from '../network/trust.ts'
import { type Clock, systemClock } from '../runtime/clock.ts'
import { type Random, systemRandom } from '../runtime/random.ts'
import { Table } from './table.ts'

export interface ConnectOptions extends ConnectionOptions {
  /** Certificates to trust in place of those that Node trusts, PEM. */
  readonly certificateAuthority?: string | undefined
  /** Longest wait for an answer to begin or to go on, 1 to 600,000. Default 10,000. */
  readonly answerTimeoutMs?: number | undefined
  /** Another clock, other dice, another wire: for tests and simulations. */
  readonly clock?: Clock | undefined
  readonly random?: Random | undefined
  readonly transport?: Transport | undefined
}

/** What a database is once endpoint, region and credentials are known. */
export interface OpenDatabase {
  readonly service: Service
  readonly connection: Connection
  readonly clock: Clock
  readonly random: Random
}

/** DynamoDB in one region of one account, or an emulator. Making one sends nothing and reads nothing. */
export class Database implements AsyncDisposable {
  /** As they were given. */
  readonly options: ConnectOptions
  #open: Promise<OpenDatabase> | undefined
  /** Ends every wait for credentials, also the one of {@link open}. */
  readonly #closing = new AbortController()

  constructor(options: ConnectOptions) {
    this.options = options
  }

  table(name: string): Table {
    return new Table(this, name)
  }

  /**
   * Finds endpoint, region and credentials, on the first call.
   *
   * @throws {HeadraceError} `CONFIGURATION`, `CREDENTIALS`
   */
  open(): Promise<OpenDatabase> {
    this.#open ??= this.#connect()
    return this.#open
  }

  /** Releases every connection. Close publishers first; what they have under way fails. */
  async close(): Promise<void> {
    if (this.#open === undefined) return
    this.#closing.abort()
    const open = await this.#open.catch(() => undefined)
    await open?.service.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #connect(): Promise<OpenDatabase> {
    const { clock = systemClock, random = systemRandom, answerTimeoutMs = 10_000 } = this.options
    const connection = await resolveConnection(this.options, process.env, clock, this.#closing.signal)
    const { endpoint, credentials, proxy } = connection
    let { transport } = this.options
    if (transport === undefined) {
      const isTls = endpoint.startsWith('https:') || proxy?.secure === true
      const certificateAuthority =
        this.options.certificateAuthority ?? (isTls ? await readTrust(process.env) : undefined)
      transport = new HttpTransport({ endpoint, clock, certificateAuthority, proxy, answerTimeoutMs })
    }
    const signer = new Signer(connection.host, connection.region)
    return { service: new Service({ transport, signer, credentials, clock }), connection, clock, random }
  }
}

/**
 * The way in: `connect({ region: 'eu-west-1' })`, or `connect()` with everything from environment and profile.
 */
export function connect(options: ConnectOptions = {}): Database {
  return new Database(options)
}
