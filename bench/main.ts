import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { ITEMS_PER_PAGE, SEGMENTS } from './items.ts'
import type { LoopResult } from './loop/measure.ts'
import type { NullServerCounts } from './nullServer.ts'
import { CLIENT_CORE, canPin, pinnedNode, SERVER_CORE } from './pinned.ts'
import { type NullServer, startNullServer } from './startNullServer.ts'

/**
 * What an item costs each client, whole engine, against a server that costs almost nothing.
 *
 * Machines drift, so the clients run in turn (A B C, A B C, ...) in fresh processes, and the least of a client's rounds
 * counts: noise only ever adds. Every run is checked against what the server counted.
 */
const PATHS = ['publish', 'update', 'scan'] as const
type Path = (typeof PATHS)[number]

interface Client {
  name: string
  /** File name of its programs in `loop/`, before the path. */
  program: string
  /** A client that is this many times cheaper is given as many times more items, so that all run about as long. */
  itemsFactor: Record<Path, number>
}

const CLIENTS: readonly Client[] = [
  { name: 'headrace', program: 'headrace', itemsFactor: { publish: 6, update: 4, scan: 2 } },
  { name: '@aws-sdk/client-dynamodb', program: 'sdk', itemsFactor: { publish: 1, update: 1, scan: 1 } },
  { name: '@aws-sdk/lib-dynamodb', program: 'document', itemsFactor: { publish: 1, update: 1, scan: 1 } },
]

/** A run that takes longer hangs. */
const RUN_MS_MAX = 600_000

interface Run extends LoopResult {
  /** The server's own time, warm-up included: if it comes near the client's, the server was the bottleneck. */
  serverMicrosPerItem: number
}

interface Row {
  client: string
  path: Path
  tls: boolean
  runs: Run[]
}

const HELP = `What an item costs each client, against a null server.

  npm run bench -- [options]

  --items N        items an SDK client is measured over (default 100000; Headrace takes some times more)
  --rounds N       times each client runs (default 3); the least counts
  --only LIST      of publish,update,scan
  --clients LIST   of headrace,sdk,document
  --plain, --tls   only over plain HTTP, or only over TLS
  --json FILE      all runs, as JSON
`

const { values: options } = parseArgs({
  options: {
    items: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: PATHS.join(',') },
    clients: { type: 'string', default: CLIENTS.map((client) => client.program).join(',') },
    plain: { type: 'boolean', default: false },
    tls: { type: 'boolean', default: false },
    json: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

if (options.help) {
  console.log(HELP)
} else {
  await main()
}

async function main(): Promise<void> {
  const items = positive('--items', options.items)
  const rounds = positive('--rounds', options.rounds)
  const paths = PATHS.filter((path) => options.only.split(',').includes(path))
  const clients = CLIENTS.filter((client) => options.clients.split(',').includes(client.program))
  const transports = options.plain === options.tls ? [false, true] : [options.tls]
  if (paths.length === 0) throw new TypeError(`--only ${options.only}: say some of ${PATHS.join(',')}`)
  if (clients.length === 0) throw new TypeError(`--clients ${options.clients}: say some of headrace,sdk,document`)

  console.log(`Node ${process.version} on ${cpus()[0]?.model ?? 'an unknown processor'}`)
  if (!canPin(CLIENT_CORE) || !canPin(SERVER_CORE)) {
    console.log('Client and server are not pinned to cores of their own here: read the numbers with care.')
  }
  const rows: Row[] = []
  for (const tls of transports) {
    const server = await startNullServer({ tls })
    try {
      for (const path of paths) {
        const pathRows = await runPath(server, path, clients, { items, rounds, tls })
        rows.push(...pathRows)
        print(path, tls, pathRows)
      }
    } finally {
      await server.stop()
    }
  }
  if (options.json !== undefined) {
    writeFileSync(options.json, `${JSON.stringify({ node: process.version, items, rounds, rows }, null, 2)}\n`)
  }
}

function positive(name: string, text: string): number {
  const value = Number(text.replaceAll('_', ''))
  if (!Number.isSafeInteger(value) || value < 1) throw new TypeError(`${name} ${text}: say a whole number from 1`)
  return value
}

async function runPath(
  server: NullServer,
  path: Path,
  clients: readonly Client[],
  { items, rounds, tls }: { items: number; rounds: number; tls: boolean },
): Promise<Row[]> {
  const rows = clients.map((client): Row => ({ client: client.name, path, tls, runs: [] }))
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, client] of clients.entries()) {
      rows[index]!.runs.push(await runOnce(server, path, client, items * client.itemsFactor[path]))
    }
  }
  return rows
}

async function runOnce(server: NullServer, path: Path, client: Client, items: number): Promise<Run> {
  const warmUpItems = path === 'scan' ? SEGMENTS * ITEMS_PER_PAGE : Math.max(10_000, Math.ceil(items / 4))
  const pagesPerSegment = Math.max(1, Math.round(items / (SEGMENTS * ITEMS_PER_PAGE)))
  const program = fileURLToPath(
    new URL(`./loop/${client.program}${path[0]!.toUpperCase()}${path.slice(1)}.js`, import.meta.url),
  )
  const { command, args } = pinnedNode(CLIENT_CORE, [
    program,
    `--endpoint=${server.endpoint}`,
    ...(server.caFile === undefined ? [] : [`--ca=${server.caFile}`]),
    `--items=${items}`,
    `--warm-up=${warmUpItems}`,
    `--pages=${pagesPerSegment}`,
  ])

  const before = await server.counts()
  const { stdout } = await promisify(execFile)(command, args, { timeout: RUN_MS_MAX })
  const after = await server.counts()

  const result: LoopResult = JSON.parse(stdout)
  const itemsSent = path === 'scan' ? (pagesPerSegment + 1) * SEGMENTS * ITEMS_PER_PAGE : items + warmUpItems
  const itemsCounted = countedItems(path, after) - countedItems(path, before)
  if (itemsCounted !== itemsSent) {
    throw new Error(`${client.name}, ${path}: ${itemsSent} items were sent, but the server counted ${itemsCounted}`)
  }
  return { ...result, serverMicrosPerItem: (after.cpuMicros - before.cpuMicros) / itemsSent }
}

function countedItems(path: Path, counts: NullServerCounts): number {
  if (path === 'publish') return counts.puts
  return path === 'update' ? counts.statements : counts.pages * ITEMS_PER_PAGE
}

function print(path: Path, tls: boolean, rows: readonly Row[]): void {
  const headrace = rows.find((row) => row.client === 'headrace')
  const least = (row: Row) => Math.min(...row.runs.map((run) => run.cpuMicrosPerItem))
  const cells = rows.map((row) => {
    const cpu = row.runs.map((run) => run.cpuMicrosPerItem)
    return [
      row.client,
      `${Math.min(...cpu).toFixed(2)} .. ${Math.max(...cpu).toFixed(2)}`,
      Math.round(Math.max(...row.runs.map((run) => run.itemsPerSecond))).toLocaleString('en'),
      Math.round(Math.max(...row.runs.map((run) => run.peakRssMegabytes))).toString(),
      Math.min(...row.runs.map((run) => run.serverMicrosPerItem)).toFixed(2),
      headrace === undefined ? '' : `${(least(row) / least(headrace)).toFixed(1)} x`,
    ]
  })
  const heads = [
    `${path}, ${tls ? 'TLS' : 'plain'}`,
    'CPU µs/item',
    'items/s',
    'RSS MB',
    'server µs/item',
    'to headrace',
  ]
  const widths = heads.map((head, column) => Math.max(head.length, ...cells.map((row) => row[column]!.length)))
  const line = (row: readonly string[]) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('   ')
  console.log(`\n${line(heads)}\n${cells.map(line).join('\n')}`)
}
