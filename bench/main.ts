import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { CLIENTS, type Client, PATHS, prepareClient } from './clients.ts'
import { CLIENT_CORE, canPin, SERVER_CORE } from './pinned.ts'
import { runCell } from './runCell.ts'
import { SHAPE_NAMES, type ShapeName, shapeNamed } from './shapes.ts'
import { startNullServer } from './startNullServer.ts'
import { cellText, type MeasuredCell, markdown } from './tables.ts'

/**
 * What an item costs each client, whole engine, against a server that costs almost nothing.
 *
 * The clients of a cell run in turn, and the least of a client's rounds counts. Every run is checked against what the
 * server counted.
 */
const HELP = `What an item costs each client on one core, against a null server on another.

  npm run bench -- [options]   Headrace beside the AWS SDK for JavaScript; some three minutes
  npm run peers -- [options]   beside the AWS SDKs for Rust, Go, Java and Python too, where their toolchains are
                               installed, with 16 and 64 in flight, and answers at once and after 5 ms; some forty
                               minutes. The first time it builds them in .peers/, which takes some more

  --items N         items a client of middling speed is measured over (default 50000); others take more or fewer
  --rounds N        times each client runs (default 3); the least counts. The slowest run once
  --only LIST       of ${PATHS.join(',')}
  --clients LIST    of ${CLIENTS.map((client) => client.id).join(',')}; or all.
                    A word stands for each that begins with it: go is go-struct,go-marshal
  --shapes LIST     of ${SHAPE_NAMES.join(',')}; or all.
                    Publish and scan of items of these shapes, by clients in JavaScript
  --in-flight LIST  requests in flight; of a scan, segments
  --delay LIST      milliseconds the server takes for an answer
  --plain, --tls    only over plain HTTP, or only over TLS
  --markdown        tables in Markdown at the end, in place of one after each cell
  --json FILE       all runs, as JSON
`

const { values: options } = parseArgs({
  options: {
    items: { type: 'string', default: '50000' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: PATHS.join(',') },
    clients: { type: 'string', default: 'headrace,sdk,document' },
    shapes: { type: 'string' },
    'in-flight': { type: 'string', default: '16' },
    delay: { type: 'string', default: '0' },
    plain: { type: 'boolean', default: false },
    tls: { type: 'boolean', default: false },
    markdown: { type: 'boolean', default: false },
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
  const items = wholeNumber('--items', options.items, 1)
  const rounds = wholeNumber('--rounds', options.rounds, 1)
  const shapes = chosenShapes(options.shapes)
  const shaped = options.shapes !== undefined
  const paths = PATHS.filter((path) => options.only.split(',').includes(path) && !(shaped && path === 'update'))
  const clients = chosenClients(options.clients)
  const inFlights = wholeNumbers('--in-flight', options['in-flight'], 1)
  const delays = wholeNumbers('--delay', options.delay, 0)
  const transports = options.plain === options.tls ? [false, true] : [options.tls]
  if (paths.length === 0) throw new TypeError(`--only ${options.only}: say some of ${PATHS.join(',')}`)

  console.log(`${new Date().toISOString().slice(0, 10)}, Node ${process.version} on ${machine()}`)
  if (!canPin(CLIENT_CORE) || !canPin(SERVER_CORE)) {
    console.log('Client and server are not pinned to cores of their own here: read the numbers with care.')
  }
  const reasons = shaped ? withOneShape(clients) : await prepare(clients)
  console.log(clients.map(({ name, version }) => `${name} ${version}`).join('; '))
  for (const [client, reason] of reasons) console.log(`${client.name} is not measured: ${reason}`)

  const cells: MeasuredCell[] = []
  for (const delayMs of delays) {
    for (const tls of transports) {
      const server = await startNullServer({ tls, delayMs })
      try {
        for (const path of paths) {
          for (const shape of shapes) {
            for (const inFlight of inFlights) {
              const cell = { path, ...(shape === undefined ? {} : { shape }), tls, inFlight, delayMs }
              cells.push({ ...cell, rows: await runCell(server, cell, clients, { items, rounds, reasons }) })
              const text = `\n${cellText(cells.at(-1)!)}`
              if (options.markdown) console.error(text)
              else console.log(text)
              for (const { client, reason, failed } of cells.at(-1)!.rows) {
                if (failed !== true) continue
                console.error(`${client.name} failed: ${reason}`)
                process.exitCode = 1
              }
            }
          }
        }
      } finally {
        await server.stop()
      }
    }
  }
  if (options.markdown) console.log(`\n${markdown(cells)}`)
  if (options.json !== undefined) {
    const plain = cells.map((cell) => ({
      ...cell,
      rows: cell.rows.map(({ client, ...row }) => ({ client: client.name, version: client.version, ...row })),
    }))
    writeFileSync(options.json, `${JSON.stringify({ node: process.version, items, rounds, cells: plain }, null, 2)}\n`)
  }
}

function machine(): string {
  const cores = cpus()
  return `${cores.length} cores of ${cores[0]?.model ?? 'an unknown processor'}`
}

/** Builds what has to be built. @returns why clients can not be run */
async function prepare(clients: readonly Client[]): Promise<Map<Client, string>> {
  const reasons = new Map<Client, string>()
  for (const client of clients) {
    if (typeof client.program !== 'string') console.error(`building ${client.name}`)
    const reason = await prepareClient(client)
    if (reason !== undefined) reasons.set(client, reason)
  }
  return reasons
}

/** The programs in other languages are written for one shape. @returns why they can not be run with others */
function withOneShape(clients: readonly Client[]): Map<Client, string> {
  const others = clients.filter(({ program }) => typeof program !== 'string')
  return new Map(others.map((client) => [client, 'its program knows one shape of items']))
}

function chosenShapes(list: string | undefined): readonly (ShapeName | undefined)[] {
  if (list === undefined) return [undefined]
  return list === 'all' ? SHAPE_NAMES : list.split(',').map(shapeNamed)
}

function chosenClients(list: string): Client[] {
  if (list === 'all') return [...CLIENTS]
  const chosen = new Set<Client>()
  for (const word of list.split(',')) {
    const meant = CLIENTS.filter(({ id }) => id === word || id.startsWith(`${word}-`))
    if (meant.length === 0) {
      throw new TypeError(`--clients ${word}: say some of ${CLIENTS.map(({ id }) => id).join(',')}, or all`)
    }
    for (const client of meant) chosen.add(client)
  }
  return CLIENTS.filter((client) => chosen.has(client))
}

function wholeNumbers(name: string, list: string, least: number): number[] {
  return list.split(',').map((text) => wholeNumber(name, text, least))
}

function wholeNumber(name: string, text: string, least: number): number {
  const value = Number(text.replaceAll('_', ''))
  if (text === '' || !Number.isSafeInteger(value) || value < least) {
    throw new TypeError(`${name} ${text}: say a whole number from ${least}`)
  }
  return value
}
