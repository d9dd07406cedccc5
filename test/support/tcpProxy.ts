import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Random, seededRandom } from '../../src/runtime/random.ts'

/** What the bytes on their way go through; all that is left out does nothing. */
export interface TcpFaults {
  /** Half to one and a half times that for each piece. */
  readonly latencyMs?: number
  /** Of each direction of each connection. */
  readonly bytesPerSecond?: number
  /** Share of the pieces that begin with slices of 1 to 20 bytes. */
  readonly sliceShare?: number
  /** Share of the pieces at which the connection is reset, in place of passing them on. */
  readonly resetShare?: number
}

/** One event for all connections. */
export interface TcpEvent {
  /** From when the schedule is played. */
  readonly atMs: number
  /**
   * - `reset`: every connection is reset
   * - `half-open`: the connections that there are carry nothing any more, in either direction, and nobody is told; where
   *   `forMs` is given they are reset after so long
   * - `refused`: no connection is accepted for `forMs`, and those that there are end
   */
  readonly kind: 'reset' | 'half-open' | 'refused'
  readonly forMs?: number
}

export interface TcpProxyOptions {
  /** Of a server on this machine. */
  readonly targetPort: number
  /** Repeats the dice; the order of the pieces is the network's. */
  readonly seed: number
}

/** How often each thing happened, by connections; slices and pieces by themselves. */
interface TcpCounts {
  connections: number
  pieces: number
  sliced: number
  reset: number
  halfOpen: number
  refusedPeriods: number
}

/** Both ends of one connection. */
interface Pair {
  readonly client: Socket
  readonly server: Socket
  frozen: boolean
}

const HOST = '127.0.0.1'
/** Bytes of a piece that go in slices, when it is sliced. */
const SLICED_BYTES = 200

/** A network between client and server on loopback, with what real ones do below HTTP. */
export class TcpProxy implements AsyncDisposable {
  readonly counts: TcpCounts = { connections: 0, pieces: 0, sliced: 0, reset: 0, halfOpen: 0, refusedPeriods: 0 }
  faults: TcpFaults = {}
  port = 0
  readonly #options: TcpProxyOptions
  readonly #random: Random
  readonly #pairs = new Set<Pair>()
  readonly #timers = new Set<NodeJS.Timeout>()
  #listener: Server | undefined

  private constructor(options: TcpProxyOptions) {
    this.#options = options
    this.#random = seededRandom(options.seed)
  }

  static async start(options: TcpProxyOptions): Promise<TcpProxy> {
    const proxy = new TcpProxy(options)
    await proxy.#listen()
    return proxy
  }

  /** Lets these things happen, from now on. */
  play(events: readonly TcpEvent[]): void {
    for (const event of events) this.#later(event.atMs, () => this.#happen(event))
  }

  /** What has not happened by now does not happen, and connections are taken. */
  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
    if (this.#listener?.listening === false) void this.#listen()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#listener?.close()
    for (const { client, server } of this.#pairs) {
      client.destroy()
      server.destroy()
    }
  }

  async #listen(): Promise<void> {
    this.#listener = createServer({ noDelay: true, allowHalfOpen: true }, (client) => this.#join(client))
    this.#listener.listen(this.port, HOST)
    await once(this.#listener, 'listening')
    this.port = (this.#listener.address() as AddressInfo).port
  }

  #join(client: Socket): void {
    this.counts.connections += 1
    const server = connect({ port: this.#options.targetPort, host: HOST, noDelay: true, allowHalfOpen: true })
    const pair: Pair = { client, server, frozen: false }
    this.#pairs.add(pair)
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.on('error', () => to.destroy())
      from.on('close', () => {
        if (to.closed) this.#pairs.delete(pair)
        // What ended well may still have its last piece under way.
        if (!from.readableEnded) to.destroy()
      })
      this.#carry(pair, from, to).catch(() => to.destroy())
    }
  }

  async #carry(pair: Pair, from: Socket, to: Socket): Promise<void> {
    // One direction may end before the other.
    for await (const piece of from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      const { latencyMs = 0, bytesPerSecond = Number.POSITIVE_INFINITY, sliceShare = 0, resetShare = 0 } = this.faults
      this.counts.pieces += 1
      const delayMs = latencyMs * (0.5 + this.#random()) + (piece.length / bytesPerSecond) * 1_000
      if (delayMs >= 1) await sleep(delayMs)
      // What carries nothing reads nothing either, and so hears of no end.
      if (pair.frozen) return await new Promise<never>(() => undefined)
      if (this.#random() < resetShare) return this.#reset(pair)
      await this.#pass(piece, to, this.#random() < sliceShare)
    }
    to.end()
  }

  async #pass(piece: Buffer, to: Socket, sliced: boolean): Promise<void> {
    let start = 0
    if (sliced) {
      this.counts.sliced += 1
      while (start < Math.min(piece.length, SLICED_BYTES)) {
        const end = start + 1 + Math.floor(this.#random() * 20)
        to.write(piece.subarray(start, end))
        start = Math.min(end, piece.length)
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    if (start < piece.length && !to.write(piece.subarray(start)) && !to.destroyed) {
      await Promise.race([once(to, 'drain'), once(to, 'close')])
    }
  }

  #happen({ kind, forMs = 0 }: TcpEvent): void {
    if (kind === 'half-open') {
      for (const pair of this.#pairs) {
        if (pair.frozen) continue
        pair.frozen = true
        this.counts.halfOpen += 1
        if (forMs > 0) this.#later(forMs, () => this.#reset(pair))
      }
      return
    }
    // Of what carries nothing nobody hears, not even that it ended.
    for (const pair of [...this.#pairs]) if (!pair.frozen) this.#reset(pair)
    if (kind === 'reset') return
    this.counts.refusedPeriods += 1
    this.#listener?.close()
    this.#later(forMs, () => void this.#listen())
  }

  #reset({ client, server }: Pair): void {
    this.counts.reset += 1
    client.resetAndDestroy()
    server.destroy()
  }

  #later(delayMs: number, then: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      then()
    }, delayMs)
    this.#timers.add(timer)
  }
}
