import { fork } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { availableParallelism, cpus } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { count, createTable, type Database, dropTable, generate, HeadraceError, startLocal } from '../index.ts'
import { formatCount, formatDuration, formatRate } from '../report/figures.ts'
import { strategiesChart } from '../report/strategiesChart.ts'
import { tableText } from '../report/tableText.ts'
import { counted } from '../runtime/counted.ts'
import { Interruption } from './interruption.ts'
import { openDatabase } from './openDatabase.ts'
import type { CommonFlags, ConnectionFlags } from './options.ts'
import { BATCH_WRITER, DEFAULTS, ONE_BY_ONE, producersAndConsumers, runStrategy, type Strategy } from './strategies.ts'
import type { StrategyNews, StrategyOrder } from './strategyProcess.ts'
import { Talk } from './talk.ts'

export interface StrategiesFlags extends CommonFlags {
  readonly items: number
  readonly itemBytes: number
  readonly producers: readonly number[]
  readonly consumers: readonly number[]
  readonly processes?: number | undefined
  readonly rounds: number
  readonly out: string
  readonly yes?: boolean | undefined
}

/** One way to do the job, measured. */
interface Row {
  readonly strategy: string
  /** Of the fastest round. */
  readonly seconds: number
  readonly itemsPerSecond: number
  /** What the story that this repeats says of it, on its own machine and store; undefined for what is not in it. */
  readonly published?: number | undefined
}

interface Cell {
  readonly producers: number
  readonly consumers: number
  readonly itemsPerSecond: number
}

/**
 * Items a second of "How to mass update a table of DynamoDB", 50,000 items on DynamoDB Local: one by one, batch writer, threads with
 * a parallel scan, several processes.
 */
const PUBLISHED = { oneByOne: 354, batchWriter: 1_666, threads: 2_500, processes: 3_333 } as const

export async function benchStrategies(flags: StrategiesFlags): Promise<void> {
  const { items, producers, consumers, rounds, out } = flags
  const processes = flags.processes ?? availableParallelism()
  const talk = new Talk(flags)
  const runs = producers.length * consumers.length + (processes > 1 ? 5 : 4) * rounds
  await using store = flags.endpointUrl === undefined ? await startLocal() : undefined
  const connection: ConnectionFlags =
    store === undefined
      ? {
          region: flags.region,
          profile: flags.profile,
          allowInsecureEndpoint: flags.allowInsecureEndpoint,
          endpointUrl: flags.endpointUrl!,
        }
      : { endpointUrl: store.endpoint }
  const isHere = /^https?:\/\/(?:localhost|127\.|\[::1\])/.test(connection.endpointUrl!)
  if (!isHere && flags.yes !== true)
    throw new TypeError(
      `this writes and reads ${counted(items, 'item')} ${runs + 1} times at ${connection.endpointUrl}: pass --yes to confirm`,
    )
  const interruption = new Interruption(talk, 'stopping: dropping the table')
  const database = openDatabase(connection)
  const name = `headrace-bench-${process.pid}`
  await createTable(database, name, { key: { partition: { name: 'id', type: 'S' } } })
  try {
    await generate(database.table(name), {
      items,
      itemBytes: flags.itemBytes,
      template: { id: 'user-{{index}}', name: '{{name}}', orders: '{{whole 0 500}}', balance: '{{decimal 0 999 2}}' },
    }).run({ signal: interruption.signal })
    const bench = new Bench(database, connection, name, items, talk, interruption.signal)
    for (const reading of producers) for (const writing of consumers) await bench.timeCell(reading, writing)
    // The best of many is in part the luckiest, so it runs again among the others.
    const { producers: reading, consumers: writing } = bench.bestCell
    const threads = `producers and consumers, ${reading} and ${writing}`
    for (let round = 0; round < rounds && !interruption.signal.aborted; round += 1) {
      if (rounds > 1) talk.say(`round ${round + 1} of ${rounds}`)
      await bench.time('read and write one item at a time', ONE_BY_ONE, PUBLISHED.oneByOne)
      await bench.time('batch writer', BATCH_WRITER, PUBLISHED.batchWriter)
      await bench.time(threads, producersAndConsumers(reading, writing), PUBLISHED.threads)
      if (processes > 1) await bench.timeProcesses(processes, PUBLISHED.processes)
      await bench.time('Headrace defaults', DEFAULTS)
    }
    if (interruption.signal.aborted) {
      process.exitCode = interruption.exitCode!
      return
    }
    const { rows, cells } = bench
    const result = {
      items,
      itemBytes: flags.itemBytes,
      store: store?.kind ?? 'given',
      node: process.version,
      processor: cpus()[0]?.model ?? 'unknown',
      cores: cpus().length,
      rows,
      cells,
    }
    await mkdir(out, { recursive: true })
    await writeFile(join(out, 'strategies.json'), `${JSON.stringify(result, undefined, 2)}\n`)
    await writeFile(join(out, 'strategies.svg'), strategiesChart({ items, rows, cells }))
    talk.event('done', result)
    if (flags.json !== true) process.stdout.write(`${rowsText(rows)}\n\n${cellsText(cells, producers, consumers)}\n`)
    talk.say(`\nFigures: ${join(out, 'strategies.json')}, chart: ${join(out, 'strategies.svg')}`)
  } finally {
    await dropTable(database, name)
    await database.close()
    interruption.release()
  }
}

/** Runs strategies in turn and keeps the fastest round of each. */
class Bench {
  readonly #database: Database
  readonly #connection: ConnectionFlags
  readonly #table: string
  readonly #items: number
  readonly #talk: Talk
  readonly #signal: AbortSignal
  readonly #rows = new Map<string, Row>()
  readonly #cells: Cell[] = []
  #runs = 0

  constructor(
    database: Database,
    connection: ConnectionFlags,
    table: string,
    items: number,
    talk: Talk,
    signal: AbortSignal,
  ) {
    this.#database = database
    this.#connection = connection
    this.#table = table
    this.#items = items
    this.#talk = talk
    this.#signal = signal
  }

  get cells(): readonly Cell[] {
    return this.#cells
  }

  get rows(): Row[] {
    return [...this.#rows.values()]
  }

  get bestCell(): Cell {
    return this.#cells.reduce((best, cell) => (cell.itemsPerSecond > best.itemsPerSecond ? cell : best))
  }

  async time(strategy: string, how: Strategy, published?: number): Promise<void> {
    const itemsPerSecond = await this.#measure(strategy, (mark) => this.#here(mark, how))
    this.#keepRow(strategy, itemsPerSecond, published)
  }

  async timeCell(producers: number, consumers: number): Promise<void> {
    const name = `producers and consumers, ${producers} and ${consumers}`
    const how = producersAndConsumers(producers, consumers)
    const itemsPerSecond = await this.#measure(name, (mark) => this.#here(mark, how))
    this.#cells.push({ producers, consumers, itemsPerSecond })
  }

  /** Each with the best of the settings before, and segments of its own. */
  async timeProcesses(processes: number, published: number): Promise<void> {
    const strategy = `the same in ${processes} processes`
    const { producers, consumers } = this.bestCell
    const itemsPerSecond = await this.#measure(strategy, async (mark) => {
      const order = { connection: this.#connection, table: this.#table, mark, producers, consumers, of: processes }
      const all = await Promise.all(
        Array.from({ length: processes }, (_, index) => startProcess({ ...order, index }, this.#signal)),
      )
      return async () => {
        const counts = await Promise.all(all.map((one) => one.begin()))
        return counts.reduce((sum, written) => sum + written, 0)
      }
    })
    this.#keepRow(strategy, itemsPerSecond, published)
  }

  #keepRow(strategy: string, itemsPerSecond: number, published: number | undefined): void {
    const before = this.#rows.get(strategy)
    if (before !== undefined && before.itemsPerSecond >= itemsPerSecond) return
    this.#rows.set(strategy, { strategy, seconds: this.#items / itemsPerSecond, itemsPerSecond, published })
  }

  /** In this process nothing has to be made ready. */
  async #here(mark: string, how: Strategy): Promise<() => Promise<number>> {
    return () => runStrategy(this.#database, this.#table, mark, how, this.#signal)
  }

  /**
   * @param prepare what is not measured; gives what is
   * @returns items a second, of which each was looked at afterwards
   */
  async #measure(name: string, prepare: (mark: string) => Promise<() => Promise<number>>): Promise<number> {
    if (this.#signal.aborted) return 0
    this.#runs += 1
    const mark = `run-${this.#runs}`
    const run = await prepare(mark)
    const beganAt = performance.now()
    const written = await run()
    const durationMs = performance.now() - beganAt
    if (this.#signal.aborted) return 0
    const { count: marked } = await count(this.#database.table(this.#table), { filter: `strategy = '${mark}'` })
    if (written !== this.#items || marked !== this.#items)
      throw new HeadraceError(
        'ACCOUNTING',
        `"${name}" reported ${formatCount(written)} of ${counted(this.#items, 'item')} written, but ${formatCount(marked)} have its mark`,
      )
    const itemsPerSecond = (written / durationMs) * 1_000
    this.#talk.event('strategy', { strategy: name, seconds: durationMs / 1_000, itemsPerSecond })
    this.#talk.say(`${name}: ${formatDuration(durationMs)}, ${formatRate(itemsPerSecond)} items/s`)
    return itemsPerSecond
  }
}

/** A process that is ready to begin. */
interface ReadyProcess {
  /** @returns items that it wrote */
  begin(): Promise<number>
}

function startProcess(order: StrategyOrder, signal: AbortSignal): Promise<ReadyProcess> {
  const child = fork(fileURLToPath(new URL('./strategyProcess.js', import.meta.url)), [JSON.stringify(order)], {
    signal,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  return new Promise((resolve, reject) => {
    let written: number | undefined
    const ended = new Promise<number>((done, failed) => {
      const fail = (error: unknown): void => {
        if (signal.aborted) {
          resolve({ begin: () => Promise.resolve(0) })
          done(0)
        } else {
          reject(error)
          failed(error)
        }
      }
      child.on('error', fail)
      child.on('exit', (code, end) => {
        if (written !== undefined) done(written)
        else fail(new HeadraceError('LOCAL', `a benchmark process ended with ${end ?? `exit status ${code}`}`))
      })
    })
    // Who waits for it to be ready is told.
    ended.catch(() => undefined)
    child.on('message', (news: StrategyNews) => {
      if (news.kind === 'done') {
        written = news.items
        return
      }
      const begin = (): Promise<number> => {
        child.send('begin')
        return ended
      }
      resolve({ begin })
    })
  })
}

function rowsText(rows: readonly Row[]): string {
  return tableText([
    ['strategy', 'time', 'items/s', 'published, items/s'],
    ...rows.map(({ strategy, seconds, itemsPerSecond, published }) => [
      strategy,
      formatDuration(seconds * 1_000),
      formatRate(itemsPerSecond),
      published === undefined ? '' : formatCount(published),
    ]),
  ])
}

function cellsText(cells: readonly Cell[], producers: readonly number[], consumers: readonly number[]): string {
  return tableText([
    ['items/s', ...consumers.map((consuming) => counted(consuming, 'consumer'))],
    ...producers.map((producing) => [
      counted(producing, 'producer'),
      ...consumers.map((consuming) => {
        const cell = cells.find((one) => one.producers === producing && one.consumers === consuming)!
        return formatCount(cell.itemsPerSecond)
      }),
    ]),
  ])
}
