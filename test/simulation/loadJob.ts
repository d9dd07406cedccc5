import { HeadraceError, type JobReject, load, RejectsFile, type Summary } from '../../src/index.ts'
import { settledOf } from '../../src/job/tally.ts'
import { type Ask, applyAsk } from './ask.ts'
import { acknowledgedMost, checkEnd, checkOrder, checkTable, checkWriteStats } from './checkers.ts'
import type { Client } from './client.ts'
import { LoadInput } from './loadInput.ts'
import { checkHopeless, startModel } from './publishJob.ts'
import type { Run } from './run.ts'
import { SmallDisk } from './smallDisk.ts'
import { survive } from './survive.ts'

/** A file of records, some of which cannot be read and some of which cannot be stored, into a table. */
export async function runLoad(run: Run): Promise<void> {
  const { world, clock, service, failures } = run
  const model = startModel(run)
  const input = new LoadInput(run)
  const { asks } = input
  const disk = new SmallDisk(world.rejectsBytesMax ?? Number.POSITIVE_INFINITY)
  let rejects: JobReject[] = []
  let rejectsFile = new RejectsFile('rejects.jsonl', () => disk.open())
  const stop = new AbortController()
  if (world.stopAtMs !== undefined) clock.setTimer(() => stop.abort(), world.stopAtMs)
  const startedAtMs = clock.now()
  let failure: unknown
  let progress!: () => Summary
  const work = (client: Client): Promise<Summary> => {
    rejects = []
    rejectsFile = new RejectsFile('rejects.jsonl', () => disk.open())
    const source =
      world.brokenFile === undefined ? input.source(client.clock) : input.brokenFile(client.clock, world.brokenFile)
    const onReject = (reject: JobReject): void => {
      rejects.push(reject)
      rejectsFile.add(reject)
    }
    const job = load(source, client.table, { ...world.options, onReject })
    progress = () => job.progress
    run.said.push(job)
    return job.run({ signal: stop.signal }).catch((error: unknown) => {
      failure = error
      return job.progress
    })
  }
  const summary = await survive(run, work, () => {
    const { written } = progress()
    const most = acknowledgedMost(run, asks)
    failures.holds(`${written} acknowledged at the crash, of ${most} that are stored`, written <= most)
  })
  run.said.push(failure, summary, ...rejects.map(({ code, message, place }) => ({ code, message, place })))
  const again = run.again?.writes ?? 0
  checkOrder(run, asks, service.log.writes.slice(0, again))
  checkOrder(run, asks, service.log.writes.slice(again))
  const { read, written, rejected, notReached } = summary
  failures.same('the tally', settledOf(summary) + notReached, read)
  failures.same('rejects told', rejects.length, rejected)
  if (checkRejectsFile(run, rejectsFile, disk, rejects, failure)) return checkGivenUp(run, asks, summary)
  if (world.hopeless !== undefined) {
    if (failure !== undefined) return checkHopeless(run, failure)
  } else if (failure !== undefined && world.brokenFile === undefined) throw failure
  if (stop.signal.aborted) {
    failures.same('complete after a stop', summary.complete, false)
    failures.holds('it did not stop', clock.now() <= startedAtMs + world.stopAtMs! + 11_000)
    return
  }
  if (isHalfARecord(run, asks) && failure !== undefined) return checkHalfARecord(run, failure, summary)
  for (const ask of asks) applyAsk(model, ask)
  if (service.tables.has('things')) checkTable(run, model, 'at the end')
  // Each key counts as written once, however many records had it.
  if (summary.complete && rejected === 0) failures.same('written', written, new Set(asks.map(({ key }) => key)).size)
  checkEnd(run, run.again?.atMs ?? startedAtMs, world.records * 50)
  checkWriteStats(run, summary)
  failures.same('read', read, asks.length)
  failures.same('not reached', notReached, 0)
  failures.same('complete', summary.complete, failure === undefined)
  checkBrokenFile(run, failure)
  checkRejected(run, asks, rejects)
}

/** Whether the job was given up because nobody could be told of rejects. Every reject is in the file, or that is said. */
function checkRejectsFile(
  { world, failures, said, met }: Run,
  file: RejectsFile,
  disk: SmallDisk,
  rejects: readonly JobReject[],
  failure: unknown,
): boolean {
  const isFull = (error: unknown): boolean =>
    error instanceof HeadraceError && error.code === 'CONFIGURATION' && /rejects\.jsonl: ENOSPC/.test(error.message)
  const givenUp = isFull(failure)
  let told = givenUp
  try {
    file.close()
  } catch (error) {
    said.push(error)
    failures.holds(`closing the rejects: ${error}`, isFull(error))
    told = true
  }
  if (told) met.add('full disk')
  failures.holds('a full disk was told of and was not full', !told || world.rejectsBytesMax !== undefined)
  if (!told) {
    const places = disk.lines().map((line) => (JSON.parse(line) as JobReject).place)
    failures.same('places in the rejects', places.join(), rejects.map(({ place }) => place).join())
  }
  return givenUp
}

function checkGivenUp(run: Run, asks: readonly Ask[], { complete, written }: Summary): void {
  const { failures } = run
  failures.same('complete without rejects', complete, false)
  failures.holds(`${written} acknowledged by a job that gave up`, written <= acknowledgedMost(run, asks))
}

/** A file of lines that holds the beginning of one record, and nothing else. Its format may not be known from that. */
function isHalfARecord({ world: { brokenFile } }: Run, asks: readonly Ask[]): boolean {
  return brokenFile?.fault === 'cut' && !brokenFile.array && asks.length === 1 && asks[0]!.invalid
}

function checkHalfARecord({ failures }: Run, failure: unknown, { read, written, complete }: Summary): void {
  const said = failure instanceof HeadraceError ? `${failure.code} ${failure.message}` : `${failure}`
  failures.holds(`half a record ended in: ${said}`, /^INPUT things\.jsonl:1: .*\bnot complete\b/.test(said))
  failures.same('what half a record came to', [read, written, complete].join(), '0,0,false')
}

/** The error is of the file, and names it. */
function checkBrokenFile({ world, failures }: Run, failure: unknown): void {
  if (world.brokenFile === undefined) return
  const { array, fault } = world.brokenFile
  // That lines are missing at the end is nothing that can be seen.
  if (!array && fault === 'cut') {
    if (failure !== undefined) failures.add(`a short file of lines failed: ${failure}`)
    return
  }
  const said = failure instanceof HeadraceError ? `${failure.code} ${failure.message}` : `${failure}`
  const right = /^INPUT /.test(said) && /things\.jsonl?\b/.test(said) && (fault === 'cut' || /EIO/.test(said))
  failures.holds(`a broken file ended in: ${said}`, right)
}

export function checkRejected(
  { failures }: Run,
  asks: readonly Ask[],
  rejects: readonly { readonly place: string }[],
): void {
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
