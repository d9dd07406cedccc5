import { spawn } from 'node:child_process'
import { pathToFileURL } from 'node:url'
import { systemClock } from '../runtime/clock.ts'
import { parseJson } from '../runtime/parseJson.ts'
import type { FoundStore } from './findStore.ts'

/**
 * A program of its own, which owns the store. It ends, and the store with it, as soon as its standard input does: when
 * the parent says so, and just as well when the parent is gone, by whatever signal, for then the system closes the
 * pipe. No parent needs to clean up, and none can forget to.
 */
export interface StoreOrder extends FoundStore {
  readonly port: number
  /** Where to keep data; in memory without. A file for dynoxide, a directory for dynalite. */
  readonly dataPath: string | undefined
}

const HOST = '127.0.0.1'
/** How long a store may take to close its files when asked. */
const FAREWELL_MS = 1000

const order = parseJson(process.argv[2] ?? '{}') as StoreOrder
if (order.kind === 'dynoxide') hostProgram(order)
else await hostModule(order)

function hostProgram({ path, port, dataPath }: StoreOrder): void {
  const options = ['serve', '--host', HOST, '--port', `${port}`]
  if (dataPath !== undefined) options.push('--db-path', dataPath)
  const program = spawn(path, options, { stdio: ['ignore', 'ignore', 'inherit'], windowsHide: true })
  program.on('error', (error) => {
    process.stderr.write(`${error.message}\n`)
    process.exit(1)
  })
  program.on('exit', (code) => process.exit(code ?? 1))
  whenAbandoned(() => {
    program.kill('SIGTERM')
    systemClock.setTimer(() => program.kill('SIGKILL'), FAREWELL_MS)
  })
}

async function hostModule({ path, port, dataPath }: StoreOrder): Promise<void> {
  // This process is the store's alone, which reads items by it.
  JSON.parse = parseJson
  const { default: dynalite } = await import(pathToFileURL(path).href)
  const waits = { createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 }
  const server = dynalite(dataPath === undefined ? waits : { ...waits, path: dataPath })
  server.on('error', (error: Error) => {
    process.stderr.write(`${error.message}\n`)
    process.exit(1)
  })
  server.listen(port, HOST)
  whenAbandoned(() => {
    server.close(() => process.exit(0))
    systemClock.setTimer(() => process.exit(0), FAREWELL_MS)
  })
}

function whenAbandoned(leave: () => void): void {
  process.stdin.on('close', leave)
  process.stdin.on('error', () => {})
  process.stdin.resume()
  process.on('SIGTERM', leave)
  process.on('SIGINT', leave)
}
