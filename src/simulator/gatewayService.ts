import type { IncomingMessage, ServerResponse } from 'node:http'
import { crc32 } from 'node:zlib'
import type { Clock, Timer } from '../runtime/clock.ts'
import { parseJson } from '../runtime/parseJson.ts'
import type { Random } from '../runtime/random.ts'
import { drawFault, type Fault, type FaultPlan } from './faults.ts'
import { errorReply, type GatewayCall, type GatewayRecord, passUntouched, type Reply } from './gatewayCall.ts'
import { GatewayCounters } from './gatewayStatistics.ts'
import { describeCapacity, type GatewayCapacity, KnownTables } from './knownTables.ts'
import { drawLatencyMs, type LatencyOptions } from './latency.ts'
import { passBatchWrite } from './passBatchWrite.ts'
import { passSingle } from './passSingle.ts'
import { passStatements } from './passStatements.ts'
import { ServiceError } from './serviceError.ts'
import { readBody, type Upstream } from './upstream.ts'

export interface GatewayServiceOptions {
  readonly upstream: Upstream
  readonly clock: Clock
  readonly random: Random
  readonly latency: LatencyOptions
  readonly faults: FaultPlan
  readonly capacityOf: (table: string) => GatewayCapacity
  readonly onEvent: (record: GatewayRecord) => void
  /** Accepts no connections for a while. */
  readonly refuse: () => void
}

/** What happens to each request of a gateway: a fault perhaps, latency, want of units, and what the store says. */
export class GatewayService {
  readonly counters: GatewayCounters = new GatewayCounters()
  faults: FaultPlan
  readonly #options: GatewayServiceOptions
  readonly #tables: KnownTables
  readonly #waiting = new Map<Timer, () => void>()
  readonly #startMs: number
  #requests = 0

  constructor(options: GatewayServiceOptions) {
    this.#options = options
    this.#startMs = options.clock.now()
    this.faults = options.faults
    this.#tables = new KnownTables(options.upstream, options.capacityOf, () => options.clock.now())
  }

  /** Nobody waits for latency any more. */
  close(): void {
    for (const [timer, release] of this.#waiting) {
      timer.clear()
      release()
    }
    this.#waiting.clear()
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { clock, random, onEvent } = this.#options
    const raw = await readBody(request)
    const operation = `${request.headers['x-amz-target'] ?? ''}`.replace(/^DynamoDB_20120810\./, '')
    const fault = drawFault(this.faults, random, this.#ageMs())
    this.#requests += 1
    const record: GatewayRecord = {
      id: `GATEWAY${this.#requests}`,
      operation,
      sentAtMs: clock.now(),
      servedAtMs: undefined,
      answeredAtMs: undefined,
      error: '',
      readUnits: 0,
      writeUnits: 0,
      throttledItems: 0,
      fault: fault ?? '',
      acknowledgedWrites: 0,
    }
    this.counters.begin(operation, fault)
    response.once('close', () => {
      this.counters.end(record)
      onEvent(record)
    })
    const { latency } = this.#options
    const latencyMs = drawLatencyMs(latency, random, operation, raw.length) * (fault === 'slow' ? 100 : 1)
    if (fault === 'connect' || fault === 'reset before') {
      if (fault === 'connect') this.#options.refuse()
      request.socket.resetAndDestroy()
      return
    }
    if (fault === 'stall before') return
    // Half of the way there, half back. The service works even if nobody waits for it any more.
    await this.#wait(latencyMs / 2)
    const reply = await this.#answer(record, request, raw, fault)
    record.servedAtMs = clock.now()
    this.counters.served(record)
    if (fault === 'stall after') return
    const backMs = latencyMs / 2 + (reply.body.length / 1_048_576) * (latency.msPerMebibyte ?? 20)
    await this.#wait(backMs)
    if (fault === 'reset after') request.socket.resetAndDestroy()
    else this.#send(record, response, reply, fault)
  }

  #send(
    record: GatewayRecord,
    response: ServerResponse,
    { status, body, writes }: Reply,
    fault: Fault | undefined,
  ): void {
    const { random, clock } = this.#options
    const headers: { [name: string]: string } = {
      'content-type': 'application/x-amz-json-1.0',
      'x-amzn-requestid': record.id,
      'x-amz-crc32': `${crc32(body)}`,
    }
    let bytes = body
    if (fault === 'wrong checksum') {
      // The damage that only a checksum shows: what arrives is JSON, and says that all is well.
      bytes = Buffer.from('{"UnprocessedItems":{},"Responses":[],"Items":[],"Count":0,"ScannedCount":0}')
    } else if (fault === 'proxy page') {
      headers['content-type'] = 'text/html'
      delete headers['x-amz-crc32']
    } else if (fault === 'cut body') {
      bytes = body.subarray(0, Math.floor(body.length * random() * 0.9))
      if (status === 200) delete headers['x-amz-crc32']
      if (random() < 0.5) {
        // More was promised than comes.
        response.writeHead(status, { ...headers, 'content-length': body.length })
        response.write(bytes.length === 0 ? ' ' : bytes, () => response.socket?.destroy())
        return
      }
    } else {
      response.once('finish', () => {
        record.answeredAtMs = clock.now()
        record.acknowledgedWrites = fault === 'error after' ? 0 : writes
      })
    }
    response.writeHead(status, { ...headers, 'content-length': bytes.length })
    response.end(bytes)
  }

  async #answer(
    record: GatewayRecord,
    request: IncomingMessage,
    raw: Buffer,
    fault: Fault | undefined,
  ): Promise<Reply> {
    if (fault === 'proxy page') return { status: 502, body: Buffer.from('<h1>502 Bad Gateway</h1>'), writes: 0 }
    let reply = errorReply(new ServiceError('InternalServerError', 'Internal server error', 500))
    if (fault === 'unavailable') {
      reply = errorReply(new ServiceError('ServiceUnavailable', 'The service is unavailable', 503))
    } else if (fault === 'expired token') {
      reply = errorReply(
        new ServiceError('ExpiredTokenException', 'The security token included in the request is expired'),
      )
    } else if (fault === 'throttle') {
      reply = errorReply(new ServiceError('ThrottlingException', 'Rate exceeded'))
    } else if (fault !== 'error before') {
      const made = await this.#pass(record, request, raw)
      if (fault !== 'error after') reply = made
    }
    if (reply.status !== 200) record.error = /"__type": ?"[^"]*#(\w+)/.exec(reply.body.toString('latin1'))?.[1] ?? ''
    return reply
  }

  async #pass(record: GatewayRecord, request: IncomingMessage, raw: Buffer): Promise<Reply> {
    const { clock, random, upstream } = this.#options
    const { headers } = request
    const { partFailureShare = 0, untilMs = Number.POSITIVE_INFINITY } = this.faults
    const call: GatewayCall = {
      operation: record.operation,
      body: readJson(raw),
      raw,
      record,
      random,
      partFailureShare: this.#ageMs() < untilMs ? partFailureShare : 0,
      now: () => clock.now(),
      tableOf: (name) => this.#tables.find(`${name}`, headers),
      forward: (body) => upstream.ask(headers, record.operation, body),
    }
    try {
      return await this.#operate(call)
    } catch (error) {
      this.counters.failedUpstream()
      const why = error instanceof Error ? error.message : `${error}`
      return errorReply(new ServiceError('InternalServerError', `the store behind the gateway failed: ${why}`, 500))
    }
  }

  async #operate(call: GatewayCall): Promise<Reply> {
    if (call.body === undefined) return passUntouched(call)
    switch (call.operation) {
      case 'BatchWriteItem':
        return passBatchWrite(call)
      case 'BatchExecuteStatement':
        return passStatements(call)
      case 'PutItem':
      case 'UpdateItem':
      case 'DeleteItem':
      case 'GetItem':
      case 'Query':
      case 'Scan':
        return passSingle(call)
      case 'DescribeTable':
        return this.#describe(call)
      default: {
        const reply = await passUntouched(call)
        if (/^(?:Create|Update|Delete)Table$/.test(call.operation)) this.#tables.forget(`${call.body.TableName}`)
        return reply
      }
    }
  }

  async #describe(call: GatewayCall): Promise<Reply> {
    const table = await call.tableOf(call.body.TableName)
    const { status, body } = await call.forward(call.raw)
    if (status !== 200 || table === undefined) return { status, body, writes: 0 }
    const answer = describeCapacity(parseJson(body.toString('utf8')) as { Table: object }, table)
    return { status, body: Buffer.from(JSON.stringify(answer)), writes: 0 }
  }

  /** The time by which faults are planned. */
  #ageMs(): number {
    return this.#options.clock.now() - this.#startMs
  }

  async #wait(delayMs: number): Promise<void> {
    // The machine's timers know nothing below a millisecond.
    if (delayMs < 0.5) return
    await new Promise<void>((resolve) => {
      const timer = this.#options.clock.setTimer(() => {
        this.#waiting.delete(timer)
        resolve()
      }, delayMs)
      this.#waiting.set(timer, resolve)
    })
  }
}

/** Undefined for what is no JSON object: the store says so. */
function readJson(raw: Buffer): object | undefined {
  try {
    const body: unknown = parseJson(raw.toString('utf8'))
    return body !== null && typeof body === 'object' ? body : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
