import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sleep, systemClock } from '../runtime/clock.ts'
import { deferred } from '../runtime/deferred.ts'
import { findStore, type StoreKind } from './findStore.ts'
import { LocalError } from './localError.ts'
import type { StoreOrder } from './storeHost.ts'

export interface StartLocalOptions {
  /** 0 to 65,535. Default 0: any that is free. */
  readonly port?: number | undefined
  /** Keeps the data here, also for the next start with the same store. Made if missing. Default: in memory. */
  readonly dataDirectory?: string | undefined
  /** Which store. Default: dynoxide where it is installed, else dynalite. */
  readonly kind?: StoreKind | undefined
  /** Called once if the store ends without {@link LocalStore.stop}; says why. */
  readonly onExit?: ((reason: LocalError) => void) | undefined
}

/** An embedded DynamoDB, in a process of its own. It keeps this process alive until it is stopped, and never outlives it. */
export interface LocalStore {
  /** `http://127.0.0.1:PORT`. Takes any credentials. */
  readonly endpoint: string
  readonly port: number
  readonly kind: StoreKind
  /** Resolves when the store is gone. May be called again. */
  stop(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

const HOST = '127.0.0.1'
const READY_MS_MAX = 10_000
const STOP_MS_MAX = 3000
const POLL_MS = 20
/** Another program may take the port between our finding it free and the store's binding it. */
const PORT_TRIES_MAX = 3
const STDERR_LINES_MAX = 20

/**
 * Starts an embedded DynamoDB and resolves when it answers.
 *
 * @throws {TypeError} for a port that is none.
 * @throws {LocalError} when no store is installed, the port is taken, or the store does not answer within 10 seconds.
 */
export async function startLocal(options: StartLocalOptions = {}): Promise<LocalStore> {
  const wanted = options.port ?? 0
  if (!Number.isInteger(wanted) || wanted < 0 || wanted > 65_535) {
    throw new TypeError(`port must be a whole number from 0 (any free port) to 65535, not ${wanted}`)
  }
  const store = findStore(options.kind)
  const dataPath = options.dataDirectory === undefined ? undefined : dataPathIn(options.dataDirectory, store.kind)
  for (let tries = 1; ; tries += 1) {
    const port = await freePort(wanted)
    const host = new Host({ ...store, port, dataPath }, options.onExit)
    try {
      await host.untilReady()
      return {
        endpoint: `http://${HOST}:${port}`,
        port,
        kind: store.kind,
        stop: () => host.stop(),
        [Symbol.asyncDispose]: () => host.stop(),
      }
    } catch (error) {
      await host.stop()
      if (!host.portTaken) throw error
      if (wanted !== 0 || tries === PORT_TRIES_MAX) throw portTaken(port, error)
    }
  }
}

/** The process that owns the store, seen from here. */
class Host {
  readonly #order: StoreOrder
  readonly #process: ChildProcess
  readonly #exited = deferred()
  readonly #onExit: ((reason: LocalError) => void) | undefined
  #stderr = ''
  #state: 'starting' | 'ready' | 'stopping' | 'gone' = 'starting'
  #end = ''

  constructor(order: StoreOrder, onExit: ((reason: LocalError) => void) | undefined) {
    this.#order = order
    this.#onExit = onExit
    // A group of its own: a Ctrl-C meant for this program must not end the store while this program still drains.
    this.#process = spawn(
      process.execPath,
      [fileURLToPath(new URL('./storeHost.js', import.meta.url)), JSON.stringify(order)],
      {
        stdio: ['pipe', 'ignore', 'pipe'],
        detached: true,
        windowsHide: true,
      },
    )
    // The other side may be gone when the pipe is closed.
    this.#process.stdin!.on('error', () => {})
    this.#process.stderr!.setEncoding('utf8')
    this.#process.stderr!.on('data', (text: string) => {
      this.#stderr = `${this.#stderr}${text}`.split('\n').slice(-STDERR_LINES_MAX).join('\n')
    })
    this.#process.on('error', (error) => this.#gone(error.message))
    this.#process.on('close', (code, signal) => this.#gone(signal === null ? `exit code ${code}` : `signal ${signal}`))
  }

  get portTaken(): boolean {
    return /in use|EADDRINUSE/i.test(this.#stderr)
  }

  async untilReady(): Promise<void> {
    const deadline = systemClock.now() + READY_MS_MAX
    while (!(await answers(this.#order.port))) {
      if (this.#state === 'gone') throw this.#error(`ended while starting (${this.#end})`)
      if (systemClock.now() > deadline) throw this.#error(`did not answer within ${READY_MS_MAX / 1000} s`)
      await sleep(systemClock, POLL_MS)
    }
    // If it is gone, it was somebody else who answered.
    if (this.#state === 'gone') throw this.#error(`ended while starting (${this.#end})`)
    this.#state = 'ready'
  }

  async stop(): Promise<void> {
    if (this.#state === 'gone') return
    this.#state = 'stopping'
    this.#process.stdin!.end()
    const timer = systemClock.setTimer(() => this.#killGroup(), STOP_MS_MAX)
    await this.#exited.promise
    timer.clear()
  }

  #killGroup(): void {
    try {
      process.kill(-this.#process.pid!, 'SIGKILL')
    } catch {
      this.#process.kill('SIGKILL')
    }
  }

  #gone(end: string): void {
    if (this.#state === 'gone') return
    const wasReady = this.#state === 'ready'
    this.#state = 'gone'
    this.#end = end
    this.#exited.resolve()
    if (wasReady) this.#onExit?.(this.#error(`has ended (${end})`))
  }

  #error(what: string): LocalError {
    const said = this.#stderr.trim()
    const { kind, path } = this.#order
    return new LocalError(
      `The embedded DynamoDB (${kind}, ${path}) ${what}.${said === '' ? '' : ` Its last output:\n${said}`}`,
    )
  }
}

function dataPathIn(directory: string, kind: StoreKind): string {
  try {
    mkdirSync(directory, { recursive: true })
  } catch (cause) {
    throw new LocalError(`Cannot create the data directory "${directory}": ${(cause as Error).message}`, { cause })
  }
  return join(resolve(directory), kind === 'dynoxide' ? 'dynoxide.db' : 'dynalite')
}

function portTaken(port: number, cause: unknown): LocalError {
  return new LocalError(`Port ${port} is in use. Choose another, or 0 for any free port.`, { cause })
}

/** `wanted` if it can be bound, or any free port for 0. */
function freePort(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.on('error', (cause: Error & { code?: string }) => {
      if (cause.code === 'EADDRINUSE') reject(portTaken(wanted, cause))
      else reject(new LocalError(`Cannot open port ${wanted}: ${cause.message}`, { cause }))
    })
    probe.listen(wanted, HOST, () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : wanted))
    })
  })
}

/** Whether a DynamoDB answers on this port. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const headers = {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'DynamoDB_20120810.ListTables',
      connection: 'close',
    }
    const ping = request({ host: HOST, port, method: 'POST', headers, timeout: 1000 }, (response) => {
      response.resume()
      // Unsigned, so it is refused; but it is DynamoDB that refuses.
      response.on('close', () => resolve(response.headers['x-amzn-requestid'] !== undefined))
    })
    ping.on('timeout', () => ping.destroy())
    ping.on('error', () => resolve(false))
    ping.end('{}')
  })
}
