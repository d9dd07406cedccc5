import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  beginSlice,
  type Database,
  HeadraceError,
  type JobSpec,
  type Rate,
  resume,
  type SharedRate,
  sharedRate,
  sliceRates,
} from '../../index.ts'
import { exitCodeOf } from '../exitCode.ts'
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
    const directory = flags.job ?? join(JOBS, `${job.id}-${index}-of-${of}`)
    const database = openAgain(job, flags)
    const rates = ratesOf(job, flags, database, (text) => talk.say(text))
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

function readJob(file: string): JobSpec {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const message = `${file} can not be read: ${(error as Error).message}. headrace VERB TABLE … --describe ${file} writes it`
    throw new HeadraceError('CONFIGURATION', message, { cause: error })
  }
  try {
    const job = JSON.parse(text) as JobSpec | null
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

function ratesOf(
  job: JobSpec,
  flags: CommonFlags & WriteFlags & SliceFlags,
  database: Database,
  say: (text: string) => void,
): Rates {
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
  if (flags.controlTable === undefined) return sliceRates(asked, workersMax)
  const control = database.table(flags.controlTable)
  const share = (direction: 'read' | 'write', rate: number | string | undefined): SharedRate | undefined => {
    if (rate === undefined) return undefined
    if (typeof rate === 'number')
      return sharedRate(control, { name: `${job.id}#${direction}`, unitsPerSecond: rate, workersMax, onNotice: say })
    throw new TypeError(`a rate that is shared is in units a second, such as 1000, not ${rate}`)
  }
  const [sharedReadRate, sharedWriteRate] = [share('read', read), share('write', write)]
  if (sharedReadRate === undefined && sharedWriteRate === undefined)
    throw new TypeError('--control-table is for a rate that is shared: name it, such as --rate 1000')
  const shared = {
    ...(sharedReadRate === undefined ? {} : { sharedReadRate }),
    ...(sharedWriteRate === undefined ? {} : { sharedWriteRate }),
  }
  return { ...sliceRates(asked, workersMax, shared), ...shared }
}
