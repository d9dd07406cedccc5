import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { canPin, pinned } from './pinned.ts'
import { startNullServer } from './startNullServer.ts'

// npm run threads: how much more --threads N get done than one, loading files and reading a table. The server takes a share of the same
// cores, so that it is bottleneck to neither: one thread and its server have one core between them, N threads and theirs N cores.
const { values } = parseArgs({
  options: {
    threads: { type: 'string', default: '2' },
    items: { type: 'string', default: '6000000' },
    rounds: { type: 'string', default: '3' },
  },
})
const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const threads = Number(values.threads)
const items = Number(values.items.replaceAll('_', ''))
const rounds = Number(values.rounds)
const PAGE_ITEMS = 5_000
const SEGMENTS = 8

interface Done {
  readonly read: number
  readonly written: number
  readonly durationMs: number
}

const folder = mkdtempSync(join(tmpdir(), 'headrace-threads-'))
/** As many as threads have slices, so that all end at about the same time. */
const files = Array.from({ length: threads * 4 }, (_, index) => join(folder, `items-${index}.jsonl`))

function writeFiles(): void {
  const perFile = Math.ceil(items / files.length)
  for (const [index, path] of files.entries()) {
    const lines: string[] = []
    for (let number = index * perFile; number < (index + 1) * perFile; number += 1)
      lines.push(
        `{"pk":"user-${number}","sk":"profile","name":"Ada Lovelace ${number}","email":"ada.${number}@example.com","active":true,"score":${number % 1_000}}\n`,
      )
    writeFileSync(path, lines.join(''))
  }
}

/** @returns items a second, of all that was read */
async function measure(command: readonly string[], count: number): Promise<number> {
  const cores = Array.from({ length: count }, (_, core) => core)
  const server = await startNullServer({}, cores)
  const job = join(folder, 'job')
  try {
    const args = [...command, '--threads', `${count}`, '--job', job, '--endpoint-url', server.endpoint, '--json']
    const program = pinned(cores, { command: process.execPath, args: [MAIN, ...args] })
    const { stdout } = await promisify(execFile)(program.command, program.args, {
      env: { ...process.env, AWS_REGION: 'us-east-1' },
      maxBuffer: 64 * 1024 * 1024,
    })
    const done: Done = JSON.parse(stdout.trimEnd().split('\n').at(-1)!)
    if (done.read < items * 0.99) throw new Error(`${done.read} of ${items} items were read`)
    return (done.read / done.durationMs) * 1_000
  } finally {
    await server.stop()
    rmSync(job, { recursive: true, force: true })
  }
}

try {
  writeFiles()
  const table = `bench-own-pages-${Math.ceil(items / SEGMENTS / PAGE_ITEMS)}`
  // A visitor that wants nothing: all is read, decoded and looked at.
  const visitor = join(folder, 'look.mjs')
  writeFileSync(visitor, 'export default (item) => (item.score === -1 ? { set: { seen: true } } : undefined)\n')
  const ways = [
    { name: 'publish (load of files)', command: ['load', 'bench', ...files] },
    { name: 'scan (update that changes nothing)', command: ['update', table, visitor, '--segments', `${SEGMENTS}`] },
  ]
  if (!canPin(threads - 1))
    console.log('Nothing is pinned to cores on this machine: one thread has all of them, and the figures say little.')
  console.log(
    `Node ${process.version} on ${cpus()[0]?.model ?? 'an unknown processor'}, ${items.toLocaleString('en')} items`,
  )
  for (const { name, command } of ways) {
    const best = new Map<number, number>()
    for (let round = 0; round < rounds; round += 1)
      for (const count of [1, threads]) best.set(count, Math.max(best.get(count) ?? 0, await measure(command, count)))
    const [one, many] = [best.get(1)!, best.get(threads)!]
    const rate = (value: number): string => Math.round(value).toLocaleString('en')
    console.log(
      `${name}: 1 thread ${rate(one)} items/s, ${threads} threads ${rate(many)}: ${(many / one).toFixed(2)} times`,
    )
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
