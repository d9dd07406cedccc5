import { crc32 } from 'node:zlib'
import type { Clock } from '../runtime/clock.ts'
import { parseJson } from '../runtime/parseJson.ts'
import type { Random } from '../runtime/random.ts'
import { type Attributes, readAttributes } from './attributes.ts'
import type { Call } from './call.ts'
import type { CapacityOptions } from './capacity.ts'
import { Consumption } from './consumption.ts'
import { Exchange } from './exchange.ts'
import { drawFault, type Fault, type FaultPlan, isGone } from './faults.ts'
import { drawLatencyMs, type LatencyOptions } from './latency.ts'
import { operate } from './operate.ts'
import { readKey } from './primaryKey.ts'
import { ServiceError } from './serviceError.ts'
import { SimulatedTable, type TableOptions } from './simulatedTable.ts'
import type { PartiqlDialect } from './statement.ts'
import type { Wire, WireReceiver } from './wire.ts'
import { type RequestRecord, THROTTLES, WriteLog } from './writeLog.ts'

export interface SimulatedServiceOptions {
  readonly clock: Clock
  readonly random: Random
  readonly latency?: LatencyOptions
  readonly faults?: FaultPlan
  /** Default `clauses`, as the service documents it. */
  readonly dialect?: PartiqlDialect
  /** How far the service's calendar is ahead of the clock's. Default 0. */
  readonly aheadMs?: number
  /** How long the client waits for an answer to begin or go on. Default 10,000. */
  readonly answerTimeoutMs?: number
  /** How long a table takes to be made or to go. Default 3,000. */
  readonly tableChangeMs?: number
  /** Whether the log keeps every request and every write, and not their counts alone. Default true. */
  readonly keepsLog?: boolean
}

/** Signatures may be so much older or newer than the service's calendar (IAM user guide, "Signature Version 4"). */
const SKEW_MS_MAX = 15 * 60_000

/**
 * DynamoDB in this process, in whatever time its clock keeps: tables with partitions and capacity, latency, faults from a
 * seed, and a log of all that happened. It speaks the service's own protocol, byte for byte what a socket would carry.
 */
export class SimulatedService implements Wire {
  readonly log: WriteLog
  readonly tables: Map<string, SimulatedTable> = new Map()
  readonly #options: SimulatedServiceOptions
  readonly #expiredTokens = new Set<string>()
  readonly #underWay = new Set<Exchange>()
  #faults: FaultPlan
  #closed = false

  constructor(options: SimulatedServiceOptions) {
    this.#options = options
    this.#faults = options.faults ?? {}
    this.log = new WriteLog(options.keepsLog ?? true)
  }

  /** A table that is there at once. */
  addTable(options: TableOptions): SimulatedTable {
    const table = new SimulatedTable(options, this.#options.clock.now())
    this.tables.set(options.name, table)
    return table
  }

  /** Requests that have not ended. */
  get requestsUnderWay(): number {
    return this.#underWay.size
  }

  /** Other faults from now on. */
  setFaults(faults: FaultPlan): void {
    this.#faults = faults
  }

  /** An `UpdateTable`: the table is `UPDATING` and serves as before, and then it is what was asked for. */
  updateTable(
    name: string,
    changes: Partial<CapacityOptions>,
    indexes: { readonly [name: string]: Partial<CapacityOptions> } = {},
  ): void {
    const table = this.tables.get(name)!
    table.status = 'UPDATING'
    this.#later(() => {
      const nowMs = this.#options.clock.now()
      table.capacity.change(changes, nowMs)
      for (const index of table.indexes) index.capacity.change(indexes[index.name] ?? {}, nowMs)
      if (table.status === 'UPDATING') table.status = 'ACTIVE'
    })
  }

  /** Someone deletes a table: from now on it serves nothing, and then it is gone. */
  deleteTable(name: string): void {
    this.tables.get(name)!.status = 'DELETING'
    this.#later(() => this.tables.delete(name))
  }

  /**
   * A write that an application makes meanwhile, by its own way and at once.
   *
   * @param key the key attributes in DynamoDB JSON
   * @param change makes the new item of the present one; undefined for none
   */
  writeFromBeside(tableName: string, key: object, change: (item: Attributes | undefined) => object | undefined): void {
    const table = this.tables.get(tableName)!
    const primaryKey = readKey(readAttributes(key), table.key, true)
    const before = table.get(primaryKey)
    const made = change(before)
    const after = made === undefined ? undefined : readAttributes(made)
    table.set(primaryKey, after)
    const kind = after === undefined ? 'delete' : 'put'
    const atMs = this.#options.clock.now()
    this.log.write({
      atMs,
      table: tableName,
      key: primaryKey.text,
      kind,
      requestId: 'application',
      before,
      after,
    })
  }

  send(headers: string[], body: Buffer, receiver: WireReceiver): () => void {
    const { clock, random, latency = {}, answerTimeoutMs = 10_000 } = this.#options
    const header = (name: string): string => headers[headers.indexOf(name) + 1] ?? ''
    const nowMs = clock.now()
    const operation = header('x-amz-target').replace(/^DynamoDB_20120810\./, '')
    let fault = drawFault(this.#faults, random, nowMs)
    const latencyMs = drawLatencyMs(latency, random, operation, body.length) * (fault === 'slow' ? 100 : 1)
    if (isGone(this.#faults, nowMs, nowMs + latencyMs / 2)) fault = 'stall before'
    else if (isGone(this.#faults, nowMs, nowMs + latencyMs)) fault = 'stall after'
    const record = this.log.open(operation, nowMs, fault ?? '')
    const exchange = new Exchange(clock, receiver, record, () => this.#underWay.delete(exchange))
    this.#underWay.add(exchange)
    this.log.noteUnderWay(this.#underWay.size)
    let failed = true
    if (this.#closed) {
      exchange.failAfter(0, 'closed', 'the connection was closed')
    } else if (latencyMs > answerTimeoutMs) {
      exchange.failAfter(answerTimeoutMs, 'timeout', 'no answer in time')
    } else if (fault === 'connect') {
      exchange.failAfter(latencyMs, 'connect', 'connect ECONNREFUSED')
    } else if (fault === 'reset before') {
      exchange.failAfter(latencyMs, 'reset', 'read ECONNRESET')
    } else if (fault === 'stall before') {
      exchange.failAfter(answerTimeoutMs, 'timeout', 'no answer in time')
    } else {
      failed = false
      // Half of the way there, half back. The service works even if nobody waits for it any more.
      clock.setTimer(() => this.#serve(exchange, header, body, fault, latencyMs / 2), latencyMs / 2)
    }
    if (failed) this.log.fail()
    return () => exchange.abort()
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const exchange of [...this.#underWay]) exchange.failAfter(0, 'closed', 'the connection was closed')
  }

  #serve(
    exchange: Exchange,
    header: (name: string) => string,
    body: Buffer,
    fault: Fault | undefined,
    backMs: number,
  ): void {
    const { record } = exchange
    const { clock, answerTimeoutMs = 10_000, latency = {}, random } = this.#options
    record.servedAtMs = clock.now()
    const reply = this.#answer(record, header, body, fault)
    this.log.serve(record, reply.status)
    if (fault === 'reset after') {
      this.log.fail()
      exchange.failAfter(backMs, 'reset', 'read ECONNRESET')
      return
    }
    if (fault === 'stall after') {
      this.log.fail()
      exchange.failAfter(answerTimeoutMs - backMs, 'timeout', 'no answer in time')
      return
    }
    let bytes = Buffer.from(reply.text)
    let checksum: number | undefined = crc32(bytes)
    if (fault === 'wrong checksum') {
      // The damage that only a checksum shows: what arrives is JSON, and says that all is well.
      bytes = Buffer.from('{"UnprocessedItems":{},"Responses":[],"Items":[],"Count":0,"ScannedCount":0}')
      this.log.fail()
    } else if (fault === 'cut body') {
      bytes = bytes.subarray(0, Math.floor(bytes.length * random() * 0.9))
      this.log.fail()
      if (reply.status === 200) checksum = undefined
    } else if (fault === 'proxy page') {
      checksum = undefined
    }
    const travelMs = (bytes.length / 1_048_576) * (latency.msPerMebibyte ?? 20)
    exchange.answerAfter(backMs + travelMs, {
      status: reply.status,
      body: bytes,
      crc32: checksum,
      requestId: record.id,
      gzip: false,
      date: new Date(this.#serviceTimeMs()).toUTCString(),
      retryAfterMs: this.#retryAfterMs(reply.status, record.error),
    })
  }

  #retryAfterMs(status: number, error: string): number | undefined {
    const { retryAfterMs, untilMs = Number.POSITIVE_INFINITY } = this.#faults
    const asks = status === 503 || THROTTLES.has(error)
    return asks && this.#options.clock.now() < untilMs ? retryAfterMs : undefined
  }

  #answer(
    record: RequestRecord,
    header: (name: string) => string,
    body: Buffer,
    fault: Fault | undefined,
  ): { status: number; text: string } {
    try {
      if (fault === 'proxy page') return { status: 502, text: '<html><h1>502 Bad Gateway</h1></html>' }
      if (fault === 'unavailable') throw new ServiceError('ServiceUnavailable', 'The service is unavailable', 503)
      if (fault === 'error before') throw new ServiceError('InternalServerError', 'Internal server error', 500)
      this.#checkSignature(header, fault)
      if (fault === 'throttle') throw new ServiceError('ThrottlingException', 'Rate exceeded')
      const text = JSON.stringify(operate(this.#callOf(record, body), body.length, (then) => this.#later(then)))
      if (fault === 'error after') throw new ServiceError('InternalServerError', 'Internal server error', 500)
      return { status: 200, text }
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error
      record.error = error.code
      return { status: error.status, text: JSON.stringify(error.body) }
    }
  }

  #callOf(record: RequestRecord, body: Buffer): Call {
    const { clock, random, dialect = 'clauses' } = this.#options
    const { partFailureShare = 0, partThrottleShare = 0, untilMs = Number.POSITIVE_INFINITY } = this.#faults
    let parsed: unknown
    try {
      parsed = parseJson(body.toString('utf8'))
    } catch {
      throw new ServiceError('SerializationException', 'the body is not JSON')
    }
    const nowMs = clock.now()
    return {
      body: parsed,
      nowMs,
      tables: this.tables,
      log: this.log,
      record,
      random,
      dialect,
      partFailureShare: nowMs < untilMs ? partFailureShare : 0,
      partThrottleShare: nowMs < untilMs ? partThrottleShare : 0,
      consumed: new Consumption(),
    }
  }

  /** Whether it is signed with a key that is still good, at a time that is near enough. The signature itself is not checked. */
  #checkSignature(header: (name: string) => string, fault: Fault | undefined): void {
    const token = header('x-amz-security-token')
    if (fault === 'expired token') this.#expiredTokens.add(token)
    if (this.#expiredTokens.has(token)) {
      throw new ServiceError('ExpiredTokenException', 'The security token included in the request is expired')
    }
    if (!header('authorization').startsWith('AWS4-HMAC-SHA256 Credential=')) {
      throw new ServiceError('MissingAuthenticationTokenException', 'Request is missing Authentication Token')
    }
    const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(header('x-amz-date'))
    const [, year, month, day, hour, minute, second] = (match ?? []).map(Number)
    const signedAtMs = match === null ? 0 : Date.UTC(year!, month! - 1, day, hour, minute, second)
    if (Math.abs(signedAtMs - this.#serviceTimeMs()) <= SKEW_MS_MAX) return
    const when = signedAtMs < this.#serviceTimeMs() ? 'expired' : 'not yet current'
    throw new ServiceError('InvalidSignatureException', `Signature ${when}: ${header('x-amz-date')}`)
  }

  #serviceTimeMs(): number {
    return this.#options.clock.wallNow() + (this.#options.aheadMs ?? 0)
  }

  #later(then: () => void): void {
    this.#options.clock.setTimer(then, this.#options.tableChangeMs ?? 3_000)
  }
}
