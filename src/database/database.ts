import { type Connection, type ConnectionOptions, resolveConnection } from '../dynamodb/connection.ts'
import { HttpTransport } from '../dynamodb/httpTransport.ts'
import { Service } from '../dynamodb/service.ts'
import { Signer } from '../dynamodb/signer.ts'
import type { Transport } from '../dynamodb/transport.ts'
import type { PlainItem } from '../item/attributeValue.ts'
import { readTrust } from '../network/trust.ts'
import { type Clock, systemClock } from '../runtime/clock.ts'
import { type Random, systemRandom } from '../runtime/random.ts'
import { Table } from './table.ts'

export interface ConnectOptions extends ConnectionOptions {
  /** Certificates to trust in place of those that Node trusts, PEM. */
  readonly certificateAuthority?: string | undefined
  /** Longest wait for an answer to begin or to go on, 1 to 600,000. Default 10,000. */
  readonly answerTimeoutMs?: number | undefined
  /** Another clock, for tests and simulations. Default: the machine's. */
  readonly clock?: Clock | undefined
  /** Another source of random numbers, for tests and simulations. Default: `Math.random`. */
  readonly random?: Random | undefined
  /** Another wire, for tests and simulations. Default: HTTP. */
  readonly transport?: Transport | undefined
}

/** Tables of any name, whose items are {@link PlainItem}: what {@link connect} assumes without an interface of tables. */
export interface AnyTables {
  // biome-ignore lint/suspicious/noExplicitAny: only then every interface of tables is one of these
  readonly [name: string]: any
}

type ItemOf<Tables, Name extends keyof Tables> = unknown extends Tables[Name]
  ? PlainItem
  : Tables[Name] extends object
    ? Tables[Name]
    : never

/**
 * What a database is once endpoint, region and credentials are known.
 *
 * @internal
 */
export interface OpenDatabase {
  readonly service: Service
  readonly connection: Connection
  readonly clock: Clock
  readonly random: Random
}

/**
 * DynamoDB in one region of one account, or an emulator. Making one sends nothing and reads nothing.
 *
 * @typeParam Tables an interface of table names and the types of their items. Default: any table, with items of any shape
 * @example
 * await using db = connect<{ users: User }>({ region: 'eu-west-1' })
 */
export class Database<out Tables extends AnyTables = AnyTables> implements AsyncDisposable {
  /** As they were given. */
  readonly options: ConnectOptions
  #open: Promise<OpenDatabase> | undefined
  /** Ends every wait for credentials, also the one of {@link open}. */
  readonly #closing = new AbortController()

  /**
   * Made by {@link connect}.
   *
   * @internal
   */
  constructor(options: ConnectOptions) {
    this.options = options
  }

  /**
   * A table, by its name. Sends nothing: that the table exists is found out when it is used.
   *
   * @param name one of `Tables`, where {@link connect} was given them
   * @throws {TypeError} for a name that is not valid in DynamoDB
   * @example
   * const users = connect<{ users: User }>().table('users') // Table<User>
   */
  table<Name extends keyof Tables & string, All extends Tables = Tables>(name: Name): Table<ItemOf<All, Name>>
  /**
   * A table whose items have the type that you name. Nothing is checked when items are read.
   *
   * @example
   * const users = connect().table<User>('users') // Table<User>
   */
  table<Item extends object>(name: keyof Tables & string): Table<Item>
  table(name: string): Table {
    return new Table(this, name)
  }

  /**
   * Finds endpoint, region and credentials, on the first call.
   *
   * @internal
   * @throws {HeadraceError} `CONFIGURATION`, `CREDENTIALS`
   */
  open(): Promise<OpenDatabase> {
    this.#open ??= this.#connect()
    return this.#open
  }

  /**
   * Releases every connection. Close publishers first; what they have under way fails.
   *
   * @example
   * await db.close()
   */
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
 * Connects to DynamoDB. What the options leave out comes from the environment and the AWS profile. Sends nothing: wrong
 * settings are found out when a table is used.
 *
 * @typeParam Tables an interface of table names and the types of their items. Default: any table, with items of any shape
 * @example
 * interface Tables { users: User; orders: Order }
 * await using db = connect<Tables>({ region: 'eu-west-1' })
 * const users = db.table('users') // Table<User>
 */
export function connect<Tables extends AnyTables = AnyTables>(options: ConnectOptions = {}): Database<Tables> {
  return new Database(options)
}
