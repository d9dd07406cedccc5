import { type JobReject, load, type SourceRecord } from '../../src/index.ts'
import { sleep } from '../../src/runtime/clock.ts'
import { type Ask, applyAsk } from './ask.ts'
import { checkEnd, checkOrder, checkTable, checkWriteStats } from './checkers.ts'
import { checkHopeless, startModel } from './publishJob.ts'
import { wireOf } from './records.ts'
import type { Run } from './run.ts'

/** A file of records, some of which can not be read and some of which can not be stored, into a table. */
export async function runLoad(run: Run): Promise<void> {
  const { world, clock, table, failures } = run
  const model = startModel(run)
  const asks: Ask[] = []
  const rejects: JobReject[] = []
  const stop = new AbortController()
  if (world.stopAtMs !== undefined) clock.setTimer(() => stop.abort(), world.stopAtMs)
  const startedAtMs = clock.now()
  const source = { name: 'made up', records: () => makeRecords(run, asks) }
  const job = load(source, table, { ...world.options, onReject: (reject) => void rejects.push(reject) })
  let failure: unknown
  const summary = await job.run({ signal: stop.signal }).catch((error: unknown) => {
    failure = error
    return job.progress
  })
  checkOrder(run, asks)
  const { read, written, rejected, filtered, notReached } = summary
  failures.same('the tally', written + rejected + filtered + notReached, read)
  failures.same('rejects told', rejects.length, rejected)
  if (world.hopeless !== undefined) {
    if (failure !== undefined) return checkHopeless(run, failure)
  } else if (failure !== undefined) throw failure
  if (stop.signal.aborted) {
    failures.same('complete after a stop', summary.complete, false)
    failures.holds('it did not stop', clock.now() <= world.stopAtMs! + 11_000)
    return
  }
  for (const ask of asks) applyAsk(model, ask)
  if (run.service.tables.has('things')) checkTable(run, model, 'at the end')
  checkEnd(run, startedAtMs, world.records * 50)
  checkWriteStats(run, summary)
  failures.same('read', read, asks.length)
  failures.same('not reached', notReached, 0)
  failures.same('complete', summary.complete, true)
  checkRejected(run, asks, rejects)
}

async function* makeRecords(run: Run, asks: Ask[]): AsyncGenerator<readonly SourceRecord[]> {
  const { world, records, random, clock } = run
  while (asks.length < world.records) {
    const list: SourceRecord[] = []
    const count = 1 + Math.floor(random() * 40)
    for (let index = 0; index < count && asks.length < world.records; index += 1) {
      const line = asks.length + 1
      const place = { file: 'made up', line, offset: line * 100 }
      const item = records.item(records.someKey(), asks.length)
      const invalid = random() < world.invalidShare
      const poison = !invalid && world.indexes.length > 0 && random() < world.poisonShare
      asks.push({ kind: 'put', key: records.keyText(item), attributes: wireOf(item), invalid, poison })
      if (invalid && random() < 0.5) list.push({ error: 'cut off', raw: '{', place })
      else if (invalid) list.push({ item: { ...item, text: 'x'.repeat(410_000) }, place })
      else list.push({ item: poison ? { ...item, group: 5 } : item, place })
    }
    yield list
    if (random() < 0.2) await sleep(clock, random() * 100)
  }
}

function checkRejected({ failures }: Run, asks: readonly Ask[], rejects: readonly JobReject[]): void {
  const lines = new Set(rejects.map(({ place }) => Number(place.split(':')[1])))
  failures.same('records rejected twice', rejects.length - lines.size, 0)
  const last = new Map(asks.map((ask) => [ask.key, ask]))
  for (const [index, ask] of asks.entries()) {
    const told = lines.has(index + 1)
    if (told) failures.holds(`line ${index + 1} was rejected for nothing`, ask.invalid || ask.poison)
    else
      failures.holds(`nobody was told of line ${index + 1}`, !ask.invalid && !(ask.poison && last.get(ask.key) === ask))
  }
}
