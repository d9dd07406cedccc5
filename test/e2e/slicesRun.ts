import type { ChildProcess } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { Agent, createServer, request } from 'node:http'
import { join } from 'node:path'
import { connect, type Table } from '../../src/index.ts'
import { startLocal } from '../../src/local/startLocal.ts'
import { createTable } from '../../src/operations/tables.ts'
import { closeServer, listen, operationOf, readBody } from '../support/httpExchange.ts'
import { type CommandEnd, headrace, scratchDirectory } from './command.ts'

export interface SlicesOptions {
  readonly items: number
  readonly unitsPerSecond: number
  readonly slices: number
  /** Of these, so many begin when the others have done a quarter. */
  readonly late: number
  /** So many are killed, one after another, when half is done, and begun again. */
  readonly killed: number
}

export interface SlicesEnd {
  /** Write units that came to the store in each second of the clock. */
  readonly seconds: readonly number[]
  /** Places in `seconds` in which a process was killed. */
  readonly killedIn: ReadonlySet<number>
  /** Where only one slice was left. */
  readonly lastAlone: ReadonlySet<number>
  /** What is not as it should be; empty when all is well. */
  readonly faults: readonly string[]
}

/**
 * An update that adds 1 to each item, in slices, each a process of the built command, which share one rate: some begin late, some
 * are killed and begun again.
 */
export async function runSlices(options: SlicesOptions): Promise<SlicesEnd> {
  const { items, unitsPerSecond, slices, late, killed } = options
  using scratch = scratchDirectory()
  await using store = await startLocal({ kind: 'dynoxide' })
  await using meter = await startMeter(store.endpoint)
  await using database = connect({ endpoint: store.endpoint })
  for (const name of ['things', 'control'])
    await createTable(database, name, { key: { partition: { name: 'pk', type: 'S' } } })
  const table = database.table('things')
  await fill(table, items)
  writeFileSync(join(scratch.path, 'add.mjs'), 'export default () => ({ add: { count: 1 } })\n')
  const directory = scratch.path
  const endpoint = ['--endpoint-url', meter.endpoint]
  const described = await headrace(
    ['update', 'things', 'add.mjs', '--once', '--describe', 'job.json', '--slices', `${slices}`, ...endpoint],
    { directory },
  )
  if (described.code !== 0) throw new Error(`--describe: ${described.stderr}`)
  const children = new Map<number, ChildProcess>()
  const rate = ['--write-rate', `${unitsPerSecond}`, '--control-table', 'control']
  const begin = (index: number): Promise<CommandEnd> => {
    const args = ['slice', 'job.json', '--slice', `${index}`, '--of', `${slices}`, ...rate, ...endpoint, '--json']
    return headrace(args, { directory, lifeMs: 180_000, onStart: (child) => children.set(index, child) }).finally(() =>
      children.delete(index),
    )
  }
  const ends: Promise<CommandEnd>[] = []
  const killedAtMs: number[] = []
  const aloneFromMs: number[] = []
  for (let index = 0; index < slices - late; index += 1) ends.push(begin(index))
  await meter.until(items / 4)
  for (let index = slices - late; index < slices; index += 1) ends.push(begin(index))
  await meter.until(items / 2)
  for (let index = 0; index < killed; index += 1) {
    const child = children.get(index)
    if (child === undefined) continue
    child.kill('SIGKILL')
    killedAtMs.push(Date.now())
    await ends[index]
    ends[index] = begin(index)
  }
  let open = ends.length
  const all = await Promise.all(
    ends.map(async (end) => {
      const ended = await end
      open -= 1
      if (open === 1) aloneFromMs.push(Date.now())
      return ended
    }),
  )
  const faults: string[] = []
  let written = 0
  for (const { code, stdout, stderr } of all) {
    const last = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '{}') as { written?: number }
    written += last.written ?? 0
    if (code !== 0) faults.push(`a slice ended with ${code}: ${stderr}${stdout.slice(-500)}`)
  }
  if (written !== items) faults.push(`the slices count ${written} items of ${items}`)
  let counted = 0
  for await (const item of table.scan()) {
    counted += 1
    if (item['count'] !== 1) faults.push(`${item['pk']} was added to ${item['count']} times`)
  }
  if (counted !== items) faults.push(`${counted} items are there, and not ${items}`)
  const { firstSecond, seconds } = meter
  const place = (ms: number): number => Math.floor(ms / 1_000) - firstSecond
  const lastAlone = new Set<number>()
  for (let at = place(aloneFromMs[0] ?? Number.POSITIVE_INFINITY) + 1; at < seconds.length; at += 1) lastAlone.add(at)
  return { seconds, killedIn: new Set(killedAtMs.map(place)), lastAlone, faults }
}

async function fill(table: Table, items: number): Promise<void> {
  await using publisher = table.publisher()
  for (let index = 0; index < items; index += 1)
    if (!publisher.put({ pk: `item${index}`, count: 0 })) await publisher.ready
}

interface Meter extends AsyncDisposable {
  readonly endpoint: string
  /** The first second in which anything was written, and how much was in each from then on. */
  readonly firstSecond: number
  readonly seconds: number[]
  /** Resolves when so many units were asked for. */
  until(units: number): Promise<void>
}

/** Stands in front of a store and counts what is written, by the second in which it comes. */
async function startMeter(target: string): Promise<Meter> {
  const agent = new Agent({ keepAlive: true })
  const seconds: number[] = []
  let firstSecond = 0
  let all = 0
  let waiting: { readonly units: number; readonly resolve: () => void }[] = []
  const server = createServer(async (incoming, outgoing) => {
    const body = await readBody(incoming)
    if (operationOf(incoming) === 'BatchExecuteStatement') {
      const units = (JSON.parse(body.toString()) as { Statements: unknown[] }).Statements.length
      const second = Math.floor(Date.now() / 1_000)
      if (firstSecond === 0) firstSecond = second
      while (seconds.length <= second - firstSecond) seconds.push(0)
      seconds[second - firstSecond]! += units
      all += units
      for (const { units: wanted, resolve } of waiting) if (all >= wanted) resolve()
      waiting = waiting.filter(({ units: wanted }) => all < wanted)
    }
    const headers = { ...incoming.headers, host: new URL(target).host }
    const forward = request(target, { method: 'POST', headers, agent }, (answer) => {
      outgoing.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(outgoing)
    })
    // A process that is killed takes its connections with it.
    forward.on('error', () => outgoing.destroy())
    outgoing.on('error', () => forward.destroy())
    forward.end(body)
  })
  const endpoint = await listen(server)
  return {
    endpoint,
    get firstSecond() {
      return firstSecond
    },
    seconds,
    until: (units) =>
      new Promise<void>((resolve) => {
        if (all >= units) resolve()
        else waiting.push({ units, resolve })
      }),
    async [Symbol.asyncDispose]() {
      await closeServer(server)
      agent.destroy()
    },
  }
}
