import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Database, JobSpec, Rate, SharedRate, Slice, SliceCounters } from '../../index.ts'
import { HeadraceError } from '../../runtime/headraceError.ts'
import { parseJson } from '../../runtime/parseJson.ts'
import { command } from '../command.ts'
import { EXIT } from '../exitCode.ts'
import { type FlagsOf, option, required } from '../option.ts'
import { COMMON, maxInFlight, READ_AND_WRITE_RATES, STATE } from '../options.ts'
import type { Talk } from '../talk.ts'
import { wholeFrom } from '../values.ts'

const OPTIONS = [
  option('--slice <n>', {
    group: 'Common options',
    description: 'which slice, from 0 on',
    defaultText: 'AWS_BATCH_JOB_ARRAY_INDEX',
    formerly: '--index <n>',
    parse: wholeFrom(0),
  }),
  required(option('--of <n>', { group: 'Common options', description: 'total slices', parse: wholeFrom(1) })),
  option('--concurrent <n>', {
    group: 'Common options',
    description: 'slices that run at once; each takes its share of the rate',
    defaultText: 'all',
    formerly: '--workers <n>',
    parse: wholeFrom(1),
  }),
  option('--control-table <table>', {
    group: 'Common options',
    description:
      'table with the key pk:S that keeps the state of slices, so that any machine can continue them; slices also share a rate through it',
  }),
  option('--rejects <file>', {
    group: 'Common options',
    description: 'with --control-table: file for rejected records',
    defaultText: 'named for the slice',
  }),
  ...READ_AND_WRITE_RATES,
  ...STATE,
  maxInFlight,
  ...COMMON,
] as const
type SliceFlags = FlagsOf<typeof OPTIONS>

export const runSlice = command({
  name: 'slice',
  arguments: '<job>',
  section: 'Run elsewhere',
  summary: 'Run one slice of a job that --describe wrote',
  description:
    'On this machine, or in one container of an array. The state is kept in a directory or in a control table; the same command resumes the slice.',
  examples: [
    'headrace update users add-tier.mjs --describe add-tier.json --slices 40',
    'headrace slice add-tier.json --slice 7 --of 40',
    'headrace slice add-tier.json --of 40',
    'headrace slice add-tier.json --of 40 --rate 4000 --concurrent 10 --control-table headrace-control',
  ],
  options: OPTIONS,
  async run([file], flags) {
    const { beginSlice, resume } = await import('../../index.ts')
    const { openAgain } = await import('../openAgain.ts')
    const { JOBS, runJob } = await import('../runJob.ts')
    const { Talk } = await import('../talk.ts')
    const talk = new Talk(flags)
    const job = readJob(file)
    const index = flags.slice ?? arrayIndex()
    const { of } = flags
    if (flags.controlTable !== undefined) return runLeased({ job, index, of }, flags, talk)
    const directory = flags.job ?? join(JOBS, `${job.id}-${index}-of-${of}`)
    const database = openAgain(job, flags)
    const rates = await ratesOf(job, flags, database, (text) => talk.say(text))
    beginSlice(directory, { job, index, of })
    await runJob({
      operation: job.what.operation,
      table: job.what.table.name,
      // Warnings that all slices share were given when the job was described.
      flags: { ...flags, job: directory },
      database,
      rates: {},
      make: (made) =>
        resume(directory, {
          database,
          ...made,
          ...rates,
          maxInFlight: flags.maxInFlight,
        }),
    })
  },
})

/** What a slice needs is in the control table, and nothing of it on this machine but the rejects. */
async function runLeased(slice: Slice, flags: SliceFlags, talk: Talk): Promise<void> {
  const { job, index, of } = slice
  if (flags.job !== undefined) throw new TypeError('with --control-table a slice keeps no directory; leave out --job')
  const { maxErrors, maxDuration, maxCost } = flags
  if (maxErrors !== undefined || maxDuration !== undefined || maxCost !== undefined) {
    throw new TypeError(
      'a slice with --control-table is done to its end: leave out --max-errors, --max-duration and --max-cost, or the control table',
    )
  }
  const { runLeasedSlice } = await import('../../index.ts')
  const { endingWords } = await import('../../report/endingWords.ts')
  const { Interruption } = await import('../interruption.ts')
  const { openAgain } = await import('../openAgain.ts')
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
      maxInFlight: flags.maxInFlight,
      writeRejects: (lines) => appendFileSync(rejects, lines, { mode: 0o600 }),
      keepCursor: async (_, counters) => {
        talk.say(words(counters))
        talk.event('progress', counters)
      },
      onWarning: (text) => talk.warn(text),
    })
    const { done, counters } = result
    talk.event('done', { ...counters, operation: job.what.operation, table: job.what.table.name, complete: done })
    talk.say(words(counters))
    if (counters.rejected > 0) talk.say(`rejects of this process are in ${rejects}`)
    if (!done) talk.say(`stopped by a signal. To resume, run the same command, on any machine`)
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
    const message = `cannot read ${file}: ${(error as Error).message}. To write it: headrace VERB TABLE … --describe ${file}`
    throw new HeadraceError('CONFIGURATION', message, { cause: error })
  }
  try {
    const job = parseJson(text) as JobSpec | null
    if (job?.version === 1 && typeof job.what?.operation === 'string') return job
  } catch {
    // Told of below, as what is JSON and no job.
  }
  throw new HeadraceError(
    'CONFIGURATION',
    `${file} is not the description of a job. To write one: headrace VERB TABLE … --describe ${file}`,
  )
}

/** Of the jobs of an AWS Batch array each is told its own (AWS Batch user guide, "Array jobs"). */
function arrayIndex(): number {
  const text = process.env['AWS_BATCH_JOB_ARRAY_INDEX']
  if (text !== undefined && /^\d+$/.test(text)) return Number(text)
  throw new TypeError('pass the slice: --slice, from 0 on (AWS Batch sets AWS_BATCH_JOB_ARRAY_INDEX instead)')
}

interface Rates {
  readonly readUnitsPerSecond?: Rate | undefined
  readonly writeUnitsPerSecond?: Rate | undefined
  readonly sharedReadRate?: SharedRate | undefined
  readonly sharedWriteRate?: SharedRate | undefined
}

async function ratesOf(
  job: JobSpec,
  flags: SliceFlags,
  database: Database,
  say: (text: string) => void,
): Promise<Rates> {
  const { sharedRate, sliceRates } = await import('../../index.ts')
  const read = flags.readRate ?? flags.rate ?? job.how.rates?.read
  const write = flags.writeRate ?? flags.rate ?? job.how.rates?.write
  const workersMax = flags.concurrent ?? flags.of
  const asked: JobSpec = {
    ...job,
    how: {
      ...job.how,
      rates: { read, write },
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
    sharedReadRate,
    sharedWriteRate,
  }
  return { ...(await sliceRates(asked, workersMax, database, shared)), ...shared }
}
