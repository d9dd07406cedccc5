import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { NullServerOptions } from './nullServer.ts'
import { startNullServer } from './startNullServer.ts'

/**
 * Peak memory of the built command: each job small and ten times as large, against a server that is slow, or in which
 * something is stuck. Ends with 1 where a peak is above the bound, or the larger job's is far above the smaller one's.
 */
const BOUND_MEGABYTES = 256
const RATIO_MAX = 1.15
/** Until heap and allocator have settled, which takes longer than a small job. */
const SETTLING_MEGABYTES = 40

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    // A part of everything, for a quick look.
    scale: { type: 'string', default: '1' },
  },
})
const scale = Number(values.scale)
const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), 'headrace-memory-'))
/** Of this machine, and not taken for an emulator on it: the job is as it is with the service. */
const ELSEWHERE = '0.0.0.0'

interface Job {
  readonly name: string
  /** Larger and larger. */
  readonly sizes: readonly number[]
  readonly words: (size: number) => string
  readonly server: Partial<NullServerOptions>
  /** Writes the input and says what to run. */
  readonly prepare: (size: number, directory: string) => Promise<readonly string[]>
  readonly exitCode: number
}

const inMegabytes = (bytes: number): string => `${Math.round(bytes / 1e6).toLocaleString('en')} MB`
const count = (items: number): string => items.toLocaleString('en')

/** Lines of 500 bytes to 5 KB. */
const TEXT = 'all work and no play '.repeat(250)
function* items(bytes: number): Generator<string> {
  for (let written = 0, index = 0; written < bytes; index += 1) {
    const line = `{"pk":"user-${index}","sk":"profile","text":"${TEXT.slice(0, 440 + ((index * 7_919) % 4_560))}"}\n`
    written += line.length
    yield line
  }
}

function* recordsWithoutKey(records: number, filler: string): Generator<string> {
  for (let index = 0; index < records; index += 1) yield `{"number":${index},"text":"${filler}"}\n`
}

/** One item that can not be written for a while, and behind it what never can. */
function* rejectsBehindStuck(records: number): Generator<string> {
  yield '{"pk":"stuck","sk":"profile"}\n'
  yield* recordsWithoutKey(records, TEXT.slice(0, 4_000))
}

async function load(path: string, lines: Iterable<string>): Promise<string[]> {
  const stream = createWriteStream(path)
  let text = ''
  for (const line of lines) {
    text += line
    if (text.length < 1_000_000) continue
    if (!stream.write(text)) await once(stream, 'drain')
    text = ''
  }
  stream.end(text)
  await once(stream, 'finish')
  return ['load', 'bench', path]
}

/** As the same items are in a file of that format; the text repeats, so that packed files stay small. */
function* csvRows(bytes: number): Generator<string> {
  yield 'pk,sk,text\n'
  for (const line of items(bytes)) {
    const { pk, sk, text } = JSON.parse(line) as { pk: string; sk: string; text: string }
    yield `${pk},${sk},${text}\n`
  }
}

const sized = [1e8, 1e9]
const formatSizes = [1e8, 5e9]
const jobs: Job[] = [
  {
    name: 'load, 20,000 items/s',
    sizes: sized,
    words: inMegabytes,
    server: { writesPerSecond: 20_000 },
    prepare: (size, directory) => load(join(directory, 'items.jsonl'), items(size)),
    exitCode: 0,
  },
  {
    name: 'load, answers after 200 ms',
    sizes: sized,
    words: inMegabytes,
    server: { delayMs: 200 },
    prepare: (size, directory) => load(join(directory, 'items.jsonl'), items(size)),
    exitCode: 0,
  },
  {
    name: 'load, all rejects',
    sizes: [1e6, 1e7],
    words: count,
    server: {},
    prepare: async (size, directory) => [
      ...(await load(join(directory, 'items.jsonl'), recordsWithoutKey(size, 'short'))),
      ...['--max-errors', '100%'],
    ],
    exitCode: 3,
  },
  {
    name: 'load, rejects behind an item that is stuck',
    sizes: [1e4, 1e5],
    words: count,
    server: { stuckText: '"stuck"', stuckTimes: 3 },
    prepare: async (size, directory) => [
      ...(await load(join(directory, 'items.jsonl'), rejectsBehindStuck(size))),
      ...['--max-errors', '100%'],
    ],
    exitCode: 3,
  },
  ...['items.jsonl', 'items.jsonl.gz'].map((name) => ({
    name: `export to ${name}`,
    sizes: [2e5, 2e6],
    words: count,
    server: {},
    prepare: async (size: number, directory: string) => [
      'export',
      tableOf(size),
      join(directory, name),
      '--segments',
      '20',
    ],
    exitCode: 0,
  })),
  {
    name: 'update, an item that is stuck',
    sizes: [2e5, 2e6],
    words: count,
    // The first item of the second segment.
    server: { stuckText: '"item-00010000000"', stuckTimes: 3 },
    prepare: async (size) => ['update', tableOf(size), '--set', 'tier="gold"', '--segments', '20'],
    exitCode: 0,
  },
  {
    name: 'update, each an old image',
    sizes: [2e5, 2e6],
    words: count,
    server: { writesPerSecond: 50_000 },
    prepare: async (size) => ['update', tableOf(size), '--set', 'tier="gold"', '--segments', '20', '--keep-old'],
    exitCode: 0,
  },
  {
    name: 'update, each a reject',
    sizes: [2e5, 2e6],
    words: count,
    server: {},
    prepare: async (size, directory) => {
      const visitor = join(directory, 'visit.mjs')
      writeFileSync(visitor, "export default () => { throw new Error('not this one') }\n")
      return ['update', tableOf(size), visitor, '--segments', '20', '--max-errors', '100%']
    },
    exitCode: 3,
  },
]

for (const [name, lines] of [
  ['items.jsonl', items],
  ['items.csv', csvRows],
] as const) {
  jobs.push({
    name: `format: load ${name}`,
    sizes: formatSizes,
    words: inMegabytes,
    server: {},
    prepare: (size, directory) => load(join(directory, name), lines(size)),
    exitCode: 0,
  })
}
for (const name of ['items.jsonl', 'items.ddb.jsonl.gz', 'items.xml', 'items.csv', 'items.parquet', 'items.ion']) {
  jobs.push({
    name: `format: export to ${name}`,
    sizes: formatSizes,
    words: inMegabytes,
    server: {},
    prepare: async (size, directory) => ['export', largeTableOf(size), join(directory, name), '--segments', '20'],
    exitCode: 0,
  })
}
jobs.push({
  name: 'format: load items.parquet',
  sizes: formatSizes,
  words: inMegabytes,
  server: {},
  prepare: async (size, directory) => {
    const path = join(directory, 'items.parquet')
    const server = await startNullServer({})
    try {
      await command(['export', largeTableOf(size), path, '--segments', '20'], server.endpoint, directory, 'made')
    } finally {
      await server.stop()
    }
    return ['load', 'bench', path]
  },
  exitCode: 0,
})

/** So many bytes of items in 20 segments, of pages of 400. */
function largeTableOf(bytes: number): string {
  return `bench-large-own-pages-${Math.max(1, Math.round(bytes / 20 / 400 / 2_750))}`
}

/** So many items in 20 segments, of pages of 5,000. */
function tableOf(size: number): string {
  return `bench-own-pages-${Math.max(1, Math.round(size / 20 / 5_000))}`
}

/** What the process says of itself at its end. */
const TELL_PEAK = `data:text/javascript,${encodeURIComponent(`
  import { readFileSync, writeSync } from 'node:fs'
  process.on('exit', () => {
    let kilobytes = process.resourceUsage().maxRSS
    try {
      kilobytes = Number(/VmHWM:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1])
    } catch {}
    const { user, system } = process.cpuUsage()
    writeSync(3, JSON.stringify({ megabytes: kilobytes / 1_024, cpuSeconds: (user + system) / 1e6 }))
  })
`)}`

interface Taken {
  readonly megabytes: number
  readonly cpuSeconds: number
}

async function run(job: Job, size: number): Promise<Taken> {
  const directory = mkdtempSync(join(scratch, 'job-'))
  const server = await startNullServer(job.server)
  try {
    const args = await job.prepare(size, directory)
    const { code, said, told } = await command(args, server.endpoint, directory, 'job')
    if (code !== job.exitCode) throw new Error(`${args.join(' ')} ended with ${code}: ${said}`)
    return JSON.parse(told)
  } finally {
    await server.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function command(
  args: readonly string[],
  server: string,
  directory: string,
  job: string,
): Promise<{ readonly code: number; readonly said: string; readonly told: string }> {
  const endpoint = server.replace('127.0.0.1', ELSEWHERE)
  const flags = ['--endpoint-url', endpoint, '--allow-insecure-endpoint', '--region', 'eu-west-1']
  // So much that no rate is looked for.
  const rates = ['--rate', '100000000']
  const child = spawn(
    process.execPath,
    ['--import', TELL_PEAK, MAIN, ...args, ...flags, ...rates, '--job', join(directory, job)],
    {
      cwd: directory,
      env: { ...process.env, AWS_ACCESS_KEY_ID: 'none', AWS_SECRET_ACCESS_KEY: 'none' },
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    },
  )
  let said = ''
  let told = ''
  child.stderr!.on('data', (chunk) => {
    said = `${said}${chunk}`.slice(-4_000)
  })
  child.stdio[3]!.on('data', (chunk) => {
    told += chunk
  })
  const [code] = await once(child, 'close')
  return { code, said, told }
}

try {
  for (const job of jobs.filter(({ name }) => name.includes(values.only))) {
    const peaks: number[] = []
    for (const size of job.sizes) {
      const { megabytes: peak, cpuSeconds } = await run(job, size * scale)
      peaks.push(peak)
      const bad = peak > BOUND_MEGABYTES || peak > peaks[0]! * RATIO_MAX + SETTLING_MEGABYTES
      if (bad) process.exitCode = 1
      console.log(
        `${bad ? 'TOO MUCH ' : ''}${job.name}, ${job.words(size * scale)}: peak RSS ${peak.toFixed(0)} MB, ${cpuSeconds.toFixed(1)} s of CPU`,
      )
    }
  }
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
