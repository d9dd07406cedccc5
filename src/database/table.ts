import { compileProjection } from '../expression/compileForService.ts'
import { readFilter } from '../expression/filter.ts'
import type { PlainItem } from '../item/attributeValue.ts'
import { decodeItem } from '../item/decode.ts'
import { ItemEncoder } from '../item/encode.ts'
import { keyPartsOf } from '../item/itemKey.ts'
import { reportedUnits } from '../item/units.ts'
import { type EngineOptions, PublishEngine } from '../publish/publishEngine.ts'
import { Publisher, type PublisherOptions } from '../publish/publisher.ts'
import { sleep, systemClock } from '../runtime/clock.ts'
import { Gate } from '../runtime/gate.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { parseJson } from '../runtime/parseJson.ts'
import { withSignal } from '../runtime/unlessAborted.ts'
import { ScanEngine } from '../scan/scanEngine.ts'
import { chooseSegments } from '../scan/segmentOrder.ts'
import { type Rate, shareOf } from '../throughput/rate.ts'
import type { SharedRate } from '../throughput/sharedRate.ts'
import { checkWhole } from './checkOption.ts'
import type { Database, OpenDatabase } from './database.ts'
import { Scan, type Scanned, type ScanOptions } from './scan.ts'
import { describeTable, type TableDescription } from './tableDescription.ts'
import { TableRates } from './tableRates.ts'

/** Segments read at once. */
const CONCURRENCY = 16
const PATIENCE_MS = 600_000
/** Longest wait for a table that is being made. */
const CREATING_MS = 600_000
const CREATING_ASK_MS = 1_000
/** What a table can be besides usable, and what to do (API reference, "TableDescription"). */
const UNUSABLE: ReadonlyMap<string, string> = new Map([
  ['CREATING', `it was still being created after ${CREATING_MS / 60_000} minutes. Try again later`],
  ['DELETING', 'it is being deleted. Create it again, or choose another table'],
  ['INACCESSIBLE_ENCRYPTION_CREDENTIALS', 'DynamoDB cannot use its KMS key. Enable the key and its grants'],
  ['ARCHIVING', 'DynamoDB is archiving it, because its KMS key was unusable for seven days'],
  ['ARCHIVED', 'its KMS key was unusable for seven days. Restore it from the backup that DynamoDB made'],
])
/** However little patience there is, an endpoint may take as long for its first answer. */
const OPEN_MS_MIN = 3_000
/** A look at how the table is doing can as well fail. */
const LOOK_PATIENCE_MS = 20_000
/** Of one item, where the service has not counted yet. Large, so that the first pages are small. */
const ITEM_BYTES_GUESS = 4_096
/** Items read again at the same time. */
const REREADS_MAX = 16
/** A single read is asked for by someone who waits. */
const GET_PATIENCE_MS = 20_000

/**
 * @throws {TypeError} for a name that a table cannot have (developer guide, "Naming rules and data types")
 *
 * @internal
 */
export function checkTableName(name: string): void {
  if (/^[a-zA-Z0-9_.-]{3,255}$/.test(name)) return
  const named = /^arn:[\w-]+:dynamodb:[\w-]*:\d*:table\/([a-zA-Z0-9_.-]{3,255})$/.exec(name)?.[1]
  if (named !== undefined) {
    throw new TypeError(
      `"${name}" is an ARN: pass only the name, ${named}, and choose its account and region by profile and region`,
    )
  }
  throw new TypeError(`"${name}" is not a valid table name: use 3 to 255 letters, digits, "_", "-" or "."`)
}

/**
 * A table, by its name. Making one sends nothing.
 *
 * @typeParam Item the type of its items, as you claim it: nothing is checked when items are read. Default: {@link PlainItem}
 * @example
 * const users = connect().table<User>('users')
 * const user = await users.get({ id: 'u1' })
 */
export class Table<out Item extends object = PlainItem> {
  readonly name: string
  readonly database: Database
  #description: Promise<TableDescription> | undefined
  /** A batch of conflicts is a request for each; they must not need a connection each. */
  readonly #rereads = new Gate(REREADS_MAX)

  /**
   * Made by `database.table()`.
   *
   * @internal
   */
  constructor(database: Database, name: string) {
    checkTableName(name)
    this.database = database
    this.name = name
  }

  /**
   * What the service tells of the table; asked once, then remembered.
   *
   * @param options.again ask even if it is known. Default false
   * @param options.signal aborting ends the wait. Default: none
   * @throws {HeadraceError} `TABLE`, `UNREACHABLE`, `CREDENTIALS`, `DENIED`; the signal's reason when it aborts
   * @example
   * const { key, itemCount } = await users.describe()
   */
  describe(
    options: { readonly again?: boolean | undefined; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<TableDescription> {
    return options.signal === undefined
      ? this.#describe(options.again)
      : withSignal(options.signal, () => this.#describe(options.again))
  }

  #describe(again: boolean | undefined): Promise<TableDescription> {
    if (this.#description === undefined || again === true) {
      this.#description = this.database
        .open()
        .then(({ service, connection }) => describeTable(service, this.name, connection.loopback ? 3_000 : 20_000))
      this.#description.catch(() => {
        this.#description = undefined
      })
    }
    return this.#description
  }

  /**
   * For operations: as {@link describe}, of a table that can be written and read. One that is being made is waited for.
   *
   * @internal
   * @throws {HeadraceError} `TABLE` for one that is going, or that its encryption key or archiving keeps from being used
   */
  async describeUsable(): Promise<TableDescription> {
    const { clock = systemClock } = this.database.options
    const deadline = clock.now() + CREATING_MS
    let description = await this.describe()
    while (description.status === 'CREATING' && clock.now() < deadline) {
      await sleep(clock, CREATING_ASK_MS)
      description = await this.describe({ again: true })
    }
    const { status } = description
    if (status === 'ACTIVE' || status === 'UPDATING' || !UNUSABLE.has(status)) return description
    const message = `table ${this.name} is ${status} and cannot be used: ${UNUSABLE.get(status)}`
    throw new HeadraceError('TABLE', message, { place: { table: this.name } })
  }

  /**
   * A publisher of its own for this table; see {@link Publisher}.
   *
   * @throws {TypeError} for options out of range
   * @example
   * await using publisher = users.publisher({ writeUnitsPerSecond: '50%' })
   * publisher.put({ id: 'u1', email: 'ann@example.com' })
   */
  publisher(options: PublisherOptions = {}): Publisher<Item> {
    const checked = checkPublisherOptions(options)
    const { maxQueueSize, maxQueueBytes } = checked
    return new Publisher(this.#openEngine(checked), {
      maxQueueSize,
      maxQueueBytes,
      onReject: options.onReject,
    })
  }

  /**
   * For operations: the machine behind a publisher, whose entries have owners of their own.
   *
   * @internal
   */
  async publishEngine(options: PublisherOptions = {}): Promise<PublishEngine> {
    const { engine } = await this.#openEngine(checkPublisherOptions(options))
    return engine
  }

  /**
   * A scan of the whole table; nothing is sent before it is iterated.
   *
   * With `select`, items have the selected attributes only. With `index`, every attribute is optional, because an index
   * may lack any of them.
   *
   * @throws {TypeError} for options out of range
   * @example
   * for await (const { id, email } of users.scan({ select: ['id', 'email'] })) console.log(id, email)
   */
  scan<const Name extends keyof Item & string = never, const Index extends string | undefined = undefined>(
    options: ScanOptions<Name, Index> = {},
  ): Scan<Scanned<Item, Name, Index>> {
    const prepared = this.#prepareScan(options)
    return new Scan(() => this.#openScan(prepared, {}), options.signal)
  }

  /**
   * For operations: as {@link scan}, without the iterable around it.
   *
   * @internal
   */
  scanEngine(options: ScanOptions & InnerScanOptions = {}): Promise<ScanEngine> {
    return this.#openScan(this.#prepareScan(options), options)
  }

  /**
   * For operations: how many segments a scan with these options cuts the table into.
   *
   * @internal
   */
  async segmentsOf(options: ScanOptions): Promise<number> {
    if (options.segments !== undefined) return options.segments
    const { sizeBytes, itemCount } = await this.describe()
    return chooseSegments(sizeBytes, itemCount, options.concurrency ?? CONCURRENCY)
  }

  /**
   * Reads one item, strongly consistent.
   *
   * @param key the key attributes
   * @param options.signal aborting cancels the request. Default: none
   * @returns undefined when there is no such item
   * @throws {HeadraceError} when the table cannot be read; the signal's reason when it aborts
   * @example
   * const user = await users.get({ id: 'u1' })
   */
  async get(
    key: Partial<Item>,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Item | undefined> {
    const { signal } = options
    const keyText = new ItemEncoder().encode(key)
    const found = await withSignal(signal, () => this.readAgain(keyText, GET_PATIENCE_MS, undefined, signal))
    return found === undefined ? undefined : (decodeItem(found) as Item)
  }

  /**
   * For operations: as {@link get}, key and item in DynamoDB JSON. Whoever has a filter asks it of what comes: the service
   * refuses filters with key attributes in such requests.
   *
   * @internal
   * @param onUnits told what it took
   */
  async readAgain(
    keyText: string,
    patienceMs: number = PATIENCE_MS,
    onUnits?: (readUnits: number) => void,
    signal?: AbortSignal,
  ): Promise<{ [name: string]: unknown } | undefined> {
    const [{ service }, { key: schema }] = await Promise.all([this.database.open(), this.describe()])
    const attributes = parseJson(keyText) as { [name: string]: unknown }
    const key = keyPartsOf(schema)
    const names: { [alias: string]: string } = {}
    const values: { [alias: string]: unknown } = {}
    for (const [index, { name }] of key.entries()) {
      names[`#k${index}`] = name
      values[`:k${index}`] = attributes[name]
    }
    const payload = {
      TableName: this.name,
      ConsistentRead: true,
      ReturnConsumedCapacity: 'TOTAL',
      KeyConditionExpression: key.map((_, index) => `#k${index} = :k${index}`).join(' AND '),
      ExpressionAttributeNames: names,
      ExpressionAttributeValues: values,
    }
    const ask = (): Promise<unknown> => service.call('Query', payload, { patienceMs, signal })
    const answer = (await this.#rereads.pass(ask)) as {
      Items?: { [name: string]: unknown }[] | undefined
      ConsumedCapacity?: { CapacityUnits?: unknown } | undefined
    }
    // A strongly consistent read of one item is one unit at least.
    onUnits?.(reportedUnits(answer.ConsumedCapacity?.CapacityUnits) ?? 1)
    return answer.Items?.[0]
  }

  #prepareScan(options: ScanOptions): ScanOptions {
    if (options.segments !== undefined) checkWhole('segments', options.segments, 1, 1_000_000)
    if (options.onlySegments !== undefined) {
      const { segments, onlySegments } = options
      if (segments === undefined) throw new TypeError('onlySegments requires segments, the total number of segments')
      for (const segment of onlySegments) checkWhole('onlySegments', segment, 0, segments - 1)
      if (new Set(onlySegments).size < onlySegments.length) throw new TypeError('onlySegments lists a segment twice')
    }
    if (options.select !== undefined) checkSelect(options.select)
    // One that is not valid is refused before anything is sent.
    if (options.filter !== undefined) readFilter(options.filter)
    if (options.concurrency !== undefined) checkWhole('concurrency', options.concurrency, 1, 1_000)
    if (options.pageItemsMax !== undefined) checkWhole('pageItemsMax', options.pageItemsMax, 1, 1_000_000)
    if (options.readUnitsPerSecond !== undefined) shareOf('readUnitsPerSecond', options.readUnitsPerSecond)
    if (options.patienceMs !== undefined) checkWhole('patienceMs', options.patienceMs, 0, Number.MAX_SAFE_INTEGER)
    return options
  }

  async #openScan(options: ScanOptions, inner: InnerScanOptions): Promise<ScanEngine> {
    const open = await this.database.open()
    const concurrency = options.concurrency ?? CONCURRENCY
    // An emulator on this machine has no limits to ask for, so it need not be asked.
    const isKnown =
      options.segments !== undefined &&
      options.index === undefined &&
      open.connection.loopback &&
      !isShare(options.readUnitsPerSecond)
    const description = isKnown ? undefined : await this.describeUsable()
    if (options.index !== undefined) checkIndex(options.index, description!)
    const { sizeBytes = 0, itemCount = 0 } = description ?? {}
    const segments = options.segments ?? chooseSegments(sizeBytes, itemCount, concurrency)
    return new ScanEngine({
      service: open.service,
      table: this.name,
      clock: open.clock,
      random: open.random,
      segments,
      concurrency: Math.min(concurrency, segments),
      done: inner.done,
      cursors: inner.cursors,
      filter: options.filter === undefined ? undefined : readFilter(options.filter).expression,
      projection: options.select === undefined ? undefined : compileProjection(options.select),
      index: options.index,
      consistentRead: options.consistentRead ?? false,
      countOnly: inner.countOnly ?? false,
      holdSegments: inner.holdSegments,
      ramps: inner.ramps,
      only: inner.only ?? options.onlySegments,
      holdEnds: inner.holdEnds,
      pageItemsMax: options.pageItemsMax,
      pageBytesMax: inner.pageBytesMax,
      itemBytes: itemCount > 0 ? sizeBytes / itemCount : ITEM_BYTES_GUESS,
      rates: this.#rates(open, description, 'read', options.readUnitsPerSecond, options.index, options.sharedReadRate),
      patienceMs: options.patienceMs ?? PATIENCE_MS,
      // Over a network the transfer is what a scan waits for; on this machine unpacking would only cost.
      gzip: !open.connection.loopback,
    })
  }

  async #openEngine(
    options: CheckedPublisherOptions,
  ): Promise<{ engine: PublishEngine; schema: TableDescription['key'] }> {
    const [open, description] = await this.#withinPatience(
      Promise.all([this.database.open(), this.describeUsable()]),
      options.patienceMs,
    )
    const { service, clock, random } = open
    const { writeUnitsPerSecond, sharedWriteRate, ...rest } = options
    const rates = this.#rates(open, description, 'write', writeUnitsPerSecond, undefined, sharedWriteRate)
    const schema = description.key
    const readItem: EngineOptions['readItem'] = (keyText, onUnits) =>
      this.readAgain(keyText, options.patienceMs, onUnits)
    const engine = new PublishEngine({ service, table: this.name, schema, clock, random, rates, readItem, ...rest })
    return { engine, schema }
  }

  /** A provider of credentials may take longer than whoever writes is ready to wait. */
  #withinPatience<Value>(work: Promise<Value>, patienceMs: number): Promise<Value> {
    const { clock = systemClock } = this.database.options
    const limitMs = Math.max(patienceMs, OPEN_MS_MIN)
    return new Promise((resolve, reject) => {
      const timer = clock.setTimer(() => {
        const message = `could not open table ${this.name} for ${Math.round(limitMs / 1_000)} s: the endpoint or the credentials provider does not answer`
        reject(new HeadraceError('NO_PROGRESS', message, { place: { table: this.name } }))
      }, limitMs)
      work.then(resolve, reject).finally(() => timer.clear())
    })
  }

  #rates(
    open: OpenDatabase,
    description: TableDescription | undefined,
    direction: 'read' | 'write',
    rate: Rate | undefined,
    index: string | undefined,
    shared: SharedRate | undefined,
  ): TableRates {
    const describe = (): Promise<TableDescription> => describeTable(open.service, this.name, LOOK_PATIENCE_MS)
    const { loopback } = open.connection
    return new TableRates({ direction, rate, shared, loopback, index, description, describe, clock: open.clock })
  }
}

/** What only operations ask of a scan. */
interface InnerScanOptions {
  /** Pages come without items. */
  readonly countOnly?: boolean | undefined
  /** See `ScanEngineOptions`. */
  readonly done?: ReadonlySet<number> | undefined
  readonly cursors?: ReadonlyMap<number, string> | undefined
  readonly holdSegments?: boolean | undefined
  readonly ramps?: boolean | undefined
  readonly holdEnds?: boolean | undefined
  readonly pageBytesMax?: number | undefined
  readonly only?: readonly number[] | undefined
}

function checkSelect(names: readonly string[]): void {
  if (names.length === 0 || names.includes('')) {
    throw new TypeError('select requires attribute names that are not empty, such as id,price')
  }
  const twice = names.find((name, index) => names.indexOf(name) < index)
  if (twice !== undefined) throw new TypeError(`select lists the attribute ${twice} twice`)
}

function checkIndex(index: string, { name, indexes, localIndexes }: TableDescription): void {
  const names = [...indexes, ...localIndexes].map((known) => known.name)
  if (names.includes(index)) return
  const there = names.length === 0 ? 'it has no indexes' : `its indexes are ${names.join(', ')}`
  throw new TypeError(`table ${name} has no index ${index}: ${there}`)
}

function isShare(rate: Rate | undefined): boolean {
  return typeof rate === 'string'
}

type CheckedPublisherOptions = Omit<
  EngineOptions,
  'service' | 'table' | 'schema' | 'clock' | 'random' | 'rates' | 'readItem'
> &
  Pick<PublisherOptions, 'writeUnitsPerSecond' | 'sharedWriteRate'>

function checkPublisherOptions(options: PublisherOptions): CheckedPublisherOptions {
  const { maxInFlight = 1_000, maxQueueSize = 10_000, maxQueueBytes = 64 * 1024 * 1024, lingerMs = 5 } = options
  const { patienceMs = PATIENCE_MS, writeUnitsPerSecond, sharedWriteRate } = options
  if (writeUnitsPerSecond !== undefined) shareOf('writeUnitsPerSecond', writeUnitsPerSecond)
  return {
    maxInFlight: checkWhole('maxInFlight', maxInFlight, 1, 100_000),
    maxQueueSize: checkWhole('maxQueueSize', maxQueueSize, 1, 10_000_000),
    maxQueueBytes: checkWhole('maxQueueBytes', maxQueueBytes, 1_024, Number.MAX_SAFE_INTEGER),
    lingerMs: checkWhole('lingerMs', lingerMs, 0, 60_000),
    patienceMs: checkWhole('patienceMs', patienceMs, 0, Number.MAX_SAFE_INTEGER),
    writeUnitsPerSecond,
    sharedWriteRate,
  }
}
