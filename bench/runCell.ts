import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { type Client, commandOf, type Path } from './clients.ts'
import { ENTRIES_PER_REQUEST, ITEMS_PER_PAGE } from './items.ts'
import type { LoopResult } from './loop/measure.ts'
import type { NullServerCounts } from './nullServer.ts'
import { CLIENT_CORE, pinned } from './pinned.ts'
import { SHAPES, type ShapeName } from './shapes.ts'
import type { NullServer } from './startNullServer.ts'

/** What all clients are measured at together. */
export interface Cell {
  path: Path
  /** Of the items, where it is another than that of `items.ts`. */
  shape?: ShapeName
  tls: boolean
  /** Requests in flight; of a scan, segments. */
  inFlight: number
  /** Time that the server takes for an answer. */
  delayMs: number
}

export interface Run extends LoopResult {
  /** The server's own time, warm-up included: if it comes near the client's, the server was the bottleneck. */
  serverMicrosPerItem: number
  /** Most requests that were at the server at one moment; tells something with a delay only. */
  inFlightMax: number
}

export interface Row {
  client: Client
  runs: Run[]
  /** Why there are none: it can not be run, or a run of it has failed. */
  reason?: string
  failed?: boolean
}

/** A run that takes longer hangs. */
const RUN_MS_MAX = 600_000

/**
 * Clients in turn (A B C, A B C, ...), each time in a fresh process: machines drift, and noise only ever adds.
 *
 * @param reasons why some of them can not be run
 */
export async function runCell(
  server: NullServer,
  cell: Cell,
  clients: readonly Client[],
  { items, rounds, reasons }: { items: number; rounds: number; reasons: ReadonlyMap<Client, string> },
): Promise<Row[]> {
  const rows = clients.map((client): Row => {
    const reason = reasons.get(client)
    return reason === undefined ? { client, runs: [] } : { client, runs: [], reason }
  })
  for (let round = 0; round < rounds; round += 1) {
    for (const row of rows) {
      const { client } = row
      if (row.reason !== undefined || round >= client.roundsMax) continue
      try {
        row.runs.push(await runOnce(server, cell, client, items * client.itemsFactor[cell.path]))
      } catch (error) {
        // The others have run for long, perhaps, and go on.
        row.reason = error instanceof Error ? error.message : `${error}`
        row.failed = true
      }
    }
  }
  return rows
}

async function runOnce(server: NullServer, cell: Cell, client: Client, itemsAsked: number): Promise<Run> {
  const items = cell.shape === undefined ? itemsAsked : itemsAsked * SHAPES[cell.shape].itemsShare
  const size = cell.path === 'scan' ? scanSize(cell, client, items) : writeSize(cell, client, items)
  const { command, args } = commandOf(client, cell.path)
  const line = pinned([CLIENT_CORE], {
    command,
    args: [
      ...args,
      `--endpoint=${server.endpoint}`,
      ...(server.caFile === undefined ? [] : [`--ca=${server.caFile}`]),
      ...(cell.shape === undefined ? [] : [`--shape=${cell.shape}`]),
      `--in-flight=${cell.inFlight}`,
      `--items=${size.items}`,
      `--warm-up=${size.warmUpItems}`,
      `--pages=${size.pages}`,
      `--warm-up-pages=${size.warmUpPages}`,
    ],
  })

  const before = await server.counts()
  const { stdout } = await promisify(execFile)(line.command, line.args, { timeout: RUN_MS_MAX })
  const after = await server.counts()

  const result: LoopResult = JSON.parse(stdout)
  const itemsSent = size.items + size.warmUpItems
  const itemsCounted = countedItems(cell.path, after) - countedItems(cell.path, before)
  if (itemsCounted !== itemsSent || result.items !== size.items) {
    throw new Error(
      `${client.name}, ${cell.path}: ${itemsSent} items were to be sent and ${size.items} of them measured, but the server ` +
        `counted ${itemsCounted} and the client measured ${result.items}`,
    )
  }
  const { inFlightMax } = after
  // Fewer is no mistake: a client that is slower than the server has few of its requests there.
  if (inFlightMax > cell.inFlight) {
    throw new Error(
      `${client.name}, ${cell.path}: ${cell.inFlight} requests were to be in flight, but the server held ${inFlightMax}`,
    )
  }
  return { ...result, serverMicrosPerItem: (after.cpuMicros - before.cpuMicros) / itemsSent, inFlightMax }
}

interface Size {
  items: number
  warmUpItems: number
  pages: number
  warmUpPages: number
}

/** Whole requests, and with the first of them each connection is opened. */
function writeSize({ inFlight }: Cell, { warmUpShare }: Client, itemsAsked: number): Size {
  const requests = Math.max(inFlight, Math.ceil(itemsAsked / ENTRIES_PER_REQUEST))
  const warmUpRequests = Math.max(2 * inFlight, Math.ceil(requests * warmUpShare))
  return {
    items: requests * ENTRIES_PER_REQUEST,
    warmUpItems: warmUpRequests * ENTRIES_PER_REQUEST,
    pages: 0,
    warmUpPages: 0,
  }
}

/** Whole pages, as many in each segment. */
function scanSize({ inFlight, shape }: Cell, { warmUpShare }: Client, itemsAsked: number): Size {
  const itemsPerRound = inFlight * (shape === undefined ? ITEMS_PER_PAGE : SHAPES[shape].itemsPerPage)
  const pages = Math.max(1, Math.round(itemsAsked / itemsPerRound))
  const warmUpPages = Math.max(1, Math.round(pages * warmUpShare))
  return { items: pages * itemsPerRound, warmUpItems: warmUpPages * itemsPerRound, pages, warmUpPages }
}

function countedItems(path: Path, counts: NullServerCounts): number {
  if (path === 'publish') return counts.puts
  return path === 'update' ? counts.statements : counts.itemsRead
}
