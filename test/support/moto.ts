import { type ChildProcess, spawn } from 'node:child_process'
import { type AddressInfo, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** A server of moto, which pretends to be many services of AWS. */
export interface Moto extends AsyncDisposable {
  readonly port: number
  readonly endpoint: string
  /** Forgets everything. */
  reset(): Promise<void>
  post(path: string, body: object): Promise<void>
}

/**
 * @param python of an environment with moto's server
 * @param callsPort where it sends what its services ask of each other. Default: to itself
 */
export async function startMoto(python: string, callsPort?: number): Promise<Moto> {
  const port = await freePort()
  const process: ChildProcess = spawn(python, ['-m', 'moto.server', '-p', String(port)], {
    env: {
      ...globalThis.process.env,
      MOTO_PORT: String(callsPort ?? port),
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
    },
    stdio: 'ignore',
  })
  const endpoint = `http://127.0.0.1:${port}`
  const until = Date.now() + 30_000
  for (;;) {
    try {
      await (await fetch(`${endpoint}/moto-api/config`)).arrayBuffer()
      break
    } catch (error) {
      if (Date.now() > until) throw error
      await sleep(100)
    }
  }
  const post = async (path: string, body: object): Promise<void> => {
    const answer = await fetch(`${endpoint}${path}`, { method: 'POST', body: JSON.stringify(body) })
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
    await answer.arrayBuffer()
  }
  return {
    port,
    endpoint,
    post,
    reset: () => post('/moto-api/reset', {}),
    async [Symbol.asyncDispose]() {
      const ended = new Promise((resolve) => process.once('exit', resolve))
      process.kill('SIGKILL')
      await ended
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
