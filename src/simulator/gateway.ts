import { createServer, type Server } from 'node:http'
import { type AddressInfo, createServer as createListener, type Server as Listener, type Socket } from 'node:net'
import { type Clock, systemClock, type Timer } from '../runtime/clock.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { seededRandom } from '../runtime/random.ts'
import { checkFaults, type FaultPlan } from './faults.ts'
import type { GatewayRecord } from './gatewayCall.ts'
import { GatewayService } from './gatewayService.ts'
import type { GatewayStatistics } from './gatewayStatistics.ts'
import type { GatewayCapacity } from './knownTables.ts'
import type { LatencyOptions } from './latency.ts'
import { Upstream } from './upstream.ts'

export interface GatewayOptions {
  /** The store behind it, over plain HTTP: an emulator, such as `startLocal` starts. */
  readonly upstream: string
  /** 0 to 65,535. Default 0: any that is free. */
  readonly port?: number | undefined
  /** Repeats the dice. Only a client with one request under way gets a true replay. Default 1. */
  readonly seed?: number | undefined
  /** What each table can take. Default: what the store says of it. */
  readonly capacity?: GatewayCapacity | undefined
  /** What single tables can take, by name, in place of `capacity`. */
  readonly tables?: { readonly [name: string]: GatewayCapacity }
  /** On top of the store's own. */
  readonly latency?: LatencyOptions | undefined
  /** Default: none. Times in it are from the start of the gateway. */
  readonly faults?: FaultPlan | undefined
  /** Told of each request that has ended. */
  readonly onEvent?: ((record: GatewayRecord) => void) | undefined
  /** Default: the machine's. */
  readonly clock?: Clock | undefined
}

export interface Gateway extends AsyncDisposable {
  readonly port: number
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  /** What it did so far. */
  statistics(): GatewayStatistics
  /** Other faults from now on. */
  setFaults(faults: FaultPlan): void
  /** Ends every connection. May be called again. */
  close(): Promise<void>
}

const HOST = '127.0.0.1'
/** How long no connection is accepted when the fault `connect` comes. */
const REFUSED_MS = 100
/** Idle connections stay, so that the only faults are those that were asked for. */
const KEEP_ALIVE_MS = 10 * 60_000

/**
 * Starts an HTTP server in front of a store, which adds what emulators never do: capacity in units, of tables, partitions
 * and indexes, with throttles of single items; latency; and the faults of networks and services, from a seed. What the
 * store does not have, such as PartiQL, the gateway has not either. Transactions and `BatchGetItem` pass uncounted.
 *
 * @throws {TypeError} for a port, an upstream or faults that are none
 * @throws {HeadraceError} `LOCAL` when the port can not be opened
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { port = 0 } = options
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new TypeError(`port must be a whole number from 0 (any free port) to 65535, not ${port}`)
  }
  if (options.faults !== undefined) checkFaults(options.faults)
  const front = new Front(options)
  await front.open()
  return {
    port: front.port,
    url: `http://${HOST}:${front.port}`,
    statistics: () => front.service.counters.snapshot(),
    setFaults: (faults) => {
      checkFaults(faults)
      front.service.faults = faults
    },
    close: () => front.close(),
    [Symbol.asyncDispose]: () => front.close(),
  }
}

/** Sockets, and what listens for them: apart from the HTTP server, so that it can stop listening and begin again. */
class Front {
  readonly service: GatewayService
  port: number
  readonly #clock: Clock
  readonly #upstream: Upstream
  readonly #http: Server
  readonly #sockets = new Set<Socket>()
  #listener: Listener | undefined
  #reopening: Timer | undefined
  #closed = false

  constructor(options: GatewayOptions) {
    const { clock = systemClock, seed = 1, capacity = {}, tables = {}, latency = {}, faults = {} } = options
    this.port = options.port ?? 0
    this.#clock = clock
    this.#upstream = new Upstream(options.upstream)
    this.service = new GatewayService({
      upstream: this.#upstream,
      clock,
      random: seededRandom(seed),
      latency,
      faults,
      capacityOf: (table) => tables[table] ?? capacity,
      onEvent: options.onEvent ?? (() => undefined),
      refuse: () => this.#refuse(),
    })
    this.#http = createServer({ keepAliveTimeout: KEEP_ALIVE_MS, requestTimeout: 0 }, (request, response) => {
      // The client may go away whenever it likes; then there is nobody to answer.
      response.on('error', () => undefined)
      this.service.handle(request, response).catch(() => request.socket.destroy())
    })
  }

  async open(): Promise<void> {
    const listener = createListener({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      this.#http.emit('connection', socket)
    })
    this.#listener = listener
    await new Promise<void>((resolve, reject) => {
      listener.once('error', (cause) => {
        const message = `Cannot open port ${this.port}: ${cause.message}. Choose another, or 0 for any free port.`
        reject(new HeadraceError('LOCAL', message, { cause }))
      })
      listener.listen(this.port, HOST, resolve)
    })
    this.port = (listener.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#reopening?.clear()
    this.#listener?.close()
    this.service.close()
    this.#upstream.close()
    for (const socket of this.#sockets) socket.destroy()
    // Their end is told in the next turn of the loop.
    await new Promise<void>((resolve) => void this.#clock.setTimer(resolve, 0))
  }

  #refuse(): void {
    if (this.#reopening !== undefined || this.#closed) return
    this.#listener?.close()
    this.#reopening = this.#clock.setTimer(() => {
      this.#reopening = undefined
      // Somebody else may have taken the port; it is tried again as long as anybody could miss it.
      this.open().catch(() => this.#refuse())
    }, REFUSED_MS)
  }
}
