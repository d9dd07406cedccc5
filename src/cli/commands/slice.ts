import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  beginSlice,
  type Database,
  HeadraceError,
  type JobSpec,
  type Rate,
  resume,
  runLeasedSlice,
  type SharedRate,
  type Slice,
  type SliceCounters,
  sharedRate,
  sliceRates,
} from '../../index.ts'
import { endingWords } from '../../report/endingWords.ts'
import { parseJson } from '../../runtime/parseJson.ts'
import { EXIT, exitCodeOf } from '../exitCode.ts'
import { Interruption } from '../interruption.ts'
import { openAgain } from '../openAgain.ts'
import type { CommonFlags, JobFlags, WriteFlags } from '../options.ts'
import { JOBS, runJob } from '../runJob.ts'
import { Talk } from '../talk.ts'

interface SliceFlags {
  index?: number
  of: number
  workers?: number
  controlTable?: string
  readRate?: Rate
  rejects?: string
}

/** `headrace slice` */
export async function sliceCommand(
  file: string,
  flags: CommonFlags & JobFlags & WriteFlags & SliceFlags,
): Promise<void> {
  const talk = new Talk(flags)
  try {
    const job = readJob(file)
    const index = flags.index ?? arrayIndex()
    const { of } = flags
    if (flags.controlTable !== undefined) return await runLeased({ job, index, of }, flags, talk)
    const directory = flags.job ?? join(JOBS, `${job.id}-${index}-of-${of}`)
    const database = openAgain(job, flags)
    const rates = await ratesOf(job, flags, database, (text) => talk.say(text))
    beginSlice(directory, { job, index, of })
    await runJob({
      operation: job.what.operation,
      table: job.what.table.name,
      // What is the same in all slices was said when the job was described.
      flags: { ...flags, job: directory },
      database,
      rates: {},
      make: (made) =>
        resume(directory, {
          database,
          ...made,
          ...rates,
          ...(flags.maxInFlight === undefined ? {} : { maxInFlight: flags.maxInFlight }),
        }),
    })
  } catch (error) {
    talk.failure(error)
    process.exitCode = exitCodeOf(error)
  }
}

/** What a slice needs is in the control table, and nothing of it on this machine but the rejects. */
async function runLeased(
  slice: Slice,
  flags: CommonFlags & JobFlags & WriteFlags & SliceFlags,
  talk: Talk,
): Promise<void> {
  const { job, index, of } = slice
  if (flags.job !== undefined) throw new TypeError('with --control-table a slice keeps no directory; leave out --job')
  const { maxErrors, maxDuration, maxCost } = flags
  if (maxErrors !== undefined || maxDuration !== undefined || maxCost !== undefined) {
    throw new TypeError(
      'a slice with --control-table is done to its end: leave out --max-errors, --max-duration and --max-cost, or the control table',
    )
  }
  const { rejects = `${job.id}-${index}-of-${of}-rejects.jsonl` } = flags
  const database = openAgain(job, flags)
  const interruption = new Interruption(talk)
  try {
    const name = `slice ${index} of ${of} of ${job.id}`
    const words = (counters: SliceCounters): string => `${name}: ${endingWords(counters)}`
    talk.say(`${name}: ${job.what.operation} ${job.what.table.name}, its state in ${flags.controlTable}`)
    const result = await runLeasedSlice(slice, database.table(flags.controlTable!), {
      database,
      signal: interruption.signal,
      ...(await ratesOf(job, flags, database, (text) => talk.say(text))),
      ...(flags.maxInFlight === undefined ? {} : { maxInFlight: flags.maxInFlight }),
      writeRejects: (lines) => appendFileSync(rejects, lines, { mode: 0o600 }),
      keepCursor: async (_, counters) => {
        talk.say(words(counters))
        talk.event('progress', counters)
      },
      onWarning: (text) => {
        talk.say(text)
        talk.event('warning', { message: text })
      },
    })
    const { done, counters } = result
    talk.event('done', { ...counters, operation: job.what.operation, table: job.what.table.name, complete: done })
    talk.say(words(counters))
    if (counters.rejected > 0) talk.say(`rejects of this process are in ${rejects}`)
    if (!done) talk.say(`stopped by a signal. The same command, on any machine, goes on`)
    process.exitCode = done ? (counters.rejected > 0 ? EXIT.rejects : EXIT.done) : (interruption.exitCode ?? EXIT.limit)
  } finally {
    interruption.release()
    await database.close()
  }
}

function readJob(file: string): JobSpec {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const message = `${file} can not be read: ${(error as Error).message}. headrace VERB TABLE … --describe ${file} writes it`
    throw new HeadraceError('CONFIGURATION', message, { cause: error })
  }
  try {
    const job = parseJson(text) as JobSpec | null
    if (job?.version === 1 && typeof job.what?.operation === 'string') return job
  } catch {
    // Told of below, as what is JSON and no job.
  }
  throw new HeadraceError('CONFIGURATION', `${file} is no job; headrace VERB TABLE … --describe ${file} writes one`)
}

/** Of the jobs of an AWS Batch array each is told its own (AWS Batch user guide, "Array jobs"). */
function arrayIndex(): number {
  const text = process.env['AWS_BATCH_JOB_ARRAY_INDEX']
  if (text !== undefined && /^\d+$/.test(text)) return Number(text)
  throw new TypeError('say which slice: --index, from 0 on (or AWS_BATCH_JOB_ARRAY_INDEX, which AWS Batch sets)')
}

interface Rates {
  readonly readUnitsPerSecond?: Rate
  readonly writeUnitsPerSecond?: Rate
  readonly sharedReadRate?: SharedRate
  readonly sharedWriteRate?: SharedRate
}

async function ratesOf(
  job: JobSpec,
  flags: CommonFlags & WriteFlags & SliceFlags,
  database: Database,
  say: (text: string) => void,
): Promise<Rates> {
  const read = flags.readRate ?? flags.rate ?? job.how.rates?.read
  const write = flags.writeRate ?? flags.rate ?? job.how.rates?.write
  const workersMax = flags.workers ?? flags.of
  const asked: JobSpec = {
    ...job,
    how: {
      ...job.how,
      rates: { ...(read === undefined ? {} : { read }), ...(write === undefined ? {} : { write }) },
    },
  }
  if (flags.controlTable === undefined || (read === undefined && write === undefined))
    return sliceRates(asked, workersMax, database)
  const control = database.table(flags.controlTable)
  const share = (direction: 'read' | 'write', rate: number | string | undefined): SharedRate | undefined => {
    // A part of what the table has is each slice's own share of it.
    if (typeof rate !== 'number') return undefined
    return sharedRate(control, { name: `${job.id}#${direction}`, unitsPerSecond: rate, workersMax, onNotice: say })
  }
  const [sharedReadRate, sharedWriteRate] = [share('read', read), share('write', write)]
  const shared = {
    ...(sharedReadRate === undefined ? {} : { sharedReadRate }),
    ...(sharedWriteRate === undefined ? {} : { sharedWriteRate }),
  }
  return { ...(await sliceRates(asked, workersMax, database, shared)), ...shared }
}
