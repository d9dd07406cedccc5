import { join } from 'node:path'
import {
  type Database,
  type FilteredJob,
  type FilterPreview,
  findJobSpec as findJob,
  HeadraceError,
  inThreads,
  type Job,
  type JobReject,
  jobStatus,
  missingActions,
  type Plan,
  type PlannableJob,
  type PlanOptions,
  type PriceTable,
  type Rate,
  readRates,
  type Summary,
} from '../index.ts'
import { doneWords } from '../report/endingWords.ts'
import { describeJob } from './describeJob.ts'
import { dryRun, readPrices } from './dryRun.ts'
import { EXIT, exitCodeOf } from './exitCode.ts'
import { Interruption } from './interruption.ts'
import { LiveJob } from './liveJob.ts'
import { type MetricsServer, serveMetrics } from './metricsServer.ts'
import type { CommonFlags, JobFlags, PlanFlags, ThreadFlags, WriteFlags } from './options.ts'
import { sayPreview } from './sayPreview.ts'
import { Talk } from './talk.ts'
import { warnOfRates } from './warnOfRates.ts'
import { writeReport } from './writeReport.ts'

/** Where jobs are kept that were not told where. */
export const JOBS = '.headrace'

/** So that none has much left when the others have nothing. */
const SLICES_PER_THREAD = 4

/** A file that is broken stays so, and one that is corrected is another. */
const CORRECT_FIRST =
  'To go on: correct the file, and load it as a new job. Records that are already written are written again'

const NOT_TWICE =
  'This job cannot be resumed, because standard input cannot be read twice: write it to a file, and load that'

export interface JobToRun {
  readonly operation: string
  readonly table: string
  readonly flags: CommonFlags & JobFlags & PlanFlags & ThreadFlags & WriteFlags
  /** Closed at the end. */
  readonly database: Database
  /** Where the target of a copy is; closed by the command. */
  readonly target?: Database | undefined
  readonly rates: { readonly readUnitsPerSecond?: Rate | undefined; readonly writeUnitsPerSecond?: Rate | undefined }
  readonly make: (options: MakeOptions) => Job | Promise<Job>
  /** Says what is to be known before it begins. */
  readonly warn?: ((say: (text: string) => void) => Promise<void>) | undefined
  /** Asks again where the filter matches all that was sampled. @throws {TypeError} when the answer is no */
  readonly askAgain?: ((preview: FilterPreview) => Promise<void>) | undefined
  /** It reads standard input, so that it can not be gone on with. Default false. */
  readonly readsStdin?: boolean | undefined
  /** What `--dry-run` shows. Default: the job's own plan, where it has one. */
  readonly plan?: ((job: Job, options: PlanOptions) => Promise<Plan>) | undefined
}

/** What each job is made with. */
interface MakeOptions {
  readonly onReject: (reject: JobReject) => void
  readonly prices?: PriceTable | undefined
}

/**
 * Runs a job as a command does: progress while it runs, its state in a directory, the first Ctrl-C drains, a summary at the
 * end, and the exit status that fits.
 */
export async function runJob(toRun: JobToRun): Promise<void> {
  const { operation, table, flags, database, rates, make, plan, warn, readsStdin = false } = toRun
  const talk = new Talk(flags)
  let prices: { prices?: PriceTable }
  try {
    prices = await readPrices(flags)
  } catch (error) {
    talk.failure(error)
    process.exitCode = exitCodeOf(error)
    await database.close()
    return
  }
  if (flags.dryRun === true) {
    return dryRun(flags, database, async (options) => {
      const planned = await make({ onReject: () => undefined, ...prices })
      return plan === undefined ? (planned as PlannableJob).plan(options) : plan(planned, options)
    })
  }
  if (flags.describe !== undefined) {
    return describeJob(
      flags,
      database,
      async () => (await make({ onReject: () => undefined, ...prices })) as PlannableJob,
    )
  }
  const directory = flags.job ?? newDirectory(operation, table)
  const rejectsPath = join(directory, 'rejects.jsonl')
  const goOn = readsStdin ? NOT_TWICE : `To resume: headrace resume ${directory}`
  let interruption: Interruption | undefined
  let shown = 0
  let firstReject: JobReject | undefined
  let job: Job | undefined
  let follower: { stop(): void } | undefined
  let live: LiveJob | undefined
  let metrics: MetricsServer | undefined
  const reread = (): void => rereadRates(directory, job, talk)
  const end = async (summary: Summary): Promise<void> => {
    const report = flags.report === true ? await reportOf(directory, talk) : undefined
    talk.outcome(summary, firstReject, rejectsPath)
    talk.summary(summary, [
      ...(summary.rejected > 0 ? ([['rejects', rejectsPath]] as const) : []),
      ...(report === undefined ? [] : ([['report', report]] as const)),
      ['job', directory],
    ])
  }
  let doneAt: string | undefined
  try {
    doneAt = doneBefore(directory)
    const onReject = (reject: JobReject): void => {
      firstReject ??= reject
      shown += 1
      if (shown <= 3) talk.say(`rejected ${reject.place}: ${reject.message}`)
      else if (shown === 4) talk.say(`more rejected records are in ${rejectsPath}`)
      talk.event('reject', { code: reject.code, message: reject.message, place: reject.place })
      live?.reject(reject)
    }
    job = await makeThreaded(toRun, directory, { onReject, ...prices }, talk)
    await warnOfRates(talk, database.table(table), rates, flags)
    const running = job
    const { name, arn } = await fullName(database, table, (text) => talk.say(text))
    talk.say(`${operation} ${name}`)
    await warn?.((text) => talk.say(text))
    talk.event('start', { operation, table, arn, job: directory })
    live = await follow(flags, directory, running, talk)
    // Until now nothing was done that would have to be ended well.
    interruption = new Interruption(talk)
    if (flags.metricsPort !== undefined) {
      metrics = await serveMetrics(flags.metricsPort, () => running.progress)
      talk.say(`metrics at ${metrics.url}`)
    }
    follower = talk.follow(() => running.progress)
    interruption.signal.addEventListener('abort', () => live?.stopping(), { once: true })
    process.on('SIGHUP', reread)
    const { maxErrors, maxDuration, maxCost } = flags
    const summary = await running.run({
      signal: interruption.signal,
      directory,
      onWarning: (text) => {
        talk.say(text)
        talk.event('warning', { message: text })
        live?.warn(text)
      },
      limits: {
        rejectsMax: maxErrors,
        costMax: maxCost,
        durationMsMax: maxDuration,
      },
    })
    follower.stop()
    if (doneAt !== undefined) {
      const message = `the job in ${directory} was already done at ${doneAt}, so this run changed nothing. The summary is of the earlier run. For a new run, pass another --job`
      // Also with --quiet: a nightly command that names one directory would do nothing from the second night on.
      talk.tell(message)
      talk.event('warning', { message })
    }
    await live?.end(
      summary.complete ? 'done' : 'stopped',
      summary.complete ? doneWords(summary) : `${stopWords(summary, flags)}. ${goOn}`,
      summary,
    )
    await end(summary)
    if (summary.complete) {
      process.exitCode = summary.rejected > 0 || summary.incompleteInput.length > 0 ? EXIT.rejects : EXIT.done
    } else {
      const words = interruption.hasStray ? 'stopped by an unhandled error' : stopWords(summary, flags)
      talk.tell(`${words}. ${goOn}`)
      process.exitCode = interruption.exitCode ?? EXIT.limit
    }
  } catch (error) {
    follower?.stop()
    const progress = job?.progress
    if (progress !== undefined) await live?.end('failed', error instanceof Error ? error.message : `${error}`, progress)
    if (progress !== undefined && progress.read > 0) await end(progress)
    talk.failure(error)
    if (error instanceof HeadraceError && error.code === 'DENIED') {
      await sayWhatIsMissing(talk, operation, database, table)
      talk.say(`For the IAM policy it needs: headrace iam ${operation} --table ${arnOf(table)}`)
    }
    // The state may be what keeps it from going on, and then the error has said so.
    const isState = error instanceof HeadraceError && error.code === 'STATE'
    const isBroken = error instanceof HeadraceError && 'filePlace' in error && !readsStdin
    const after = isBroken ? CORRECT_FIRST : goOn
    if (progress !== undefined && progress.read > 0 && !isState) talk.say(after)
    process.exitCode = exitCodeOf(error)
  } finally {
    process.off('SIGHUP', reread)
    interruption?.release()
    metrics?.close()
    await database.close()
  }
}

/** Shows the job on a page, where that was asked for. */
function follow(
  { ui, uiControl = false }: JobFlags,
  directory: string,
  job: Job,
  talk: Talk,
): Promise<LiveJob> | undefined {
  if (ui === undefined && !uiControl) return undefined
  return LiveJob.start({
    directory,
    port: typeof ui === 'number' ? ui : 0,
    progress: () => job.progress,
    setRates: uiControl ? (rates) => job.setRates(rates) : undefined,
    talk,
  })
}

/** Writes the report that was asked for. That there is none changes nothing of what the job has come to. */
async function reportOf(directory: string, talk: Talk): Promise<string | undefined> {
  const file = join(directory, 'report.html')
  try {
    await writeReport(directory, file)
    return file
  } catch (error) {
    const message = `no report was written: ${error instanceof Error ? error.message : error}`
    talk.say(message)
    talk.event('warning', { message })
    return undefined
  }
}

/** The job, or the same in threads where those were asked for. */
async function makeThreaded(toRun: JobToRun, directory: string, options: MakeOptions, talk: Talk): Promise<Job> {
  const { flags, database, target, make, askAgain } = toRun
  const job = await make(options)
  const { threads = 1, maxInFlight, split } = flags
  const earlier = findJob(directory)
  if (earlier === undefined && isFiltered(job) && (threads > 1 || askAgain !== undefined)) {
    const preview = await job.preview()
    // A job that runs in this thread says so itself.
    if (threads > 1) sayPreview(talk, preview)
    if (preview !== undefined && preview.sampled > 0 && preview.matched === preview.sampled) await askAgain?.(preview)
  }
  if (threads === 1) return job
  if (!isPlannable(job)) throw new TypeError('--threads: this job cannot run in several threads')
  const described = await job.describe({
    slices: threads * SLICES_PER_THREAD,
    split,
  })
  const segments = earlier?.what.segments
  // However it was cut when it was begun.
  const spec = segments === undefined ? described : { ...described, what: { ...described.what, segments } }
  return inThreads(spec, {
    threads,
    database,
    ...options,
    target,
    maxInFlight,
  })
}

function isFiltered(job: Job): job is FilteredJob {
  return 'preview' in job
}

function isPlannable(job: Job): job is PlannableJob {
  return 'describe' in job
}

/** Region and account, too: so that whoever is wrong about where they are sees it while Ctrl-C still helps. */
async function fullName(
  database: Database,
  table: string,
  say: (text: string) => void,
): Promise<{ readonly name: string; readonly arn: string | undefined }> {
  // Why it can not be described is told by the work that needs it.
  const description = await database
    .table(table)
    .describe()
    .catch(() => undefined)
  const { connection } = await database.open()
  if (description?.status === 'CREATING') say(`table ${table} is CREATING: waiting until it is ACTIVE`)
  const arn = description?.arn === '' ? undefined : description?.arn
  if (connection.loopback) return { name: `${table} at ${connection.endpoint}`, arn }
  return { name: arn ?? `${table} in ${connection.region}`, arn }
}

/** One denial says one right; whoever is asked for it would rather hear of all of them at once. */
async function sayWhatIsMissing(talk: Talk, operation: string, database: Database, table: string): Promise<void> {
  try {
    const missing = await missingActions(operation, database.table(table))
    if (missing.length > 0)
      talk.say(`Missing IAM actions on ${table}: ${missing.map((action) => `dynamodb:${action}`).join(', ')}`)
  } catch (error) {
    talk.say(`Cannot check for other missing IAM actions: ${error instanceof Error ? error.message : error}`)
  }
}

function arnOf(table: string): string {
  return `arn:aws:dynamodb:REGION:ACCOUNT:table/${table}`
}

function stopWords({ stoppedBy }: Summary, { maxErrors, maxDuration, maxCost }: JobFlags): string {
  if (stoppedBy === 'cost') return `stopped before the cost could exceed ${maxCost} (--max-cost)`
  if (stoppedBy === 'rejects' && maxErrors === undefined)
    return 'stopped because every record so far was rejected; pass --max-errors 100% to continue anyway'
  if (stoppedBy === 'rejects') return `stopped at more than ${maxErrors} rejected records (--max-errors)`
  if (stoppedBy === 'duration') return `stopped after ${maxDuration! / 1_000} s (--max-duration)`
  return 'stopped by a signal'
}

/** A hang-up asks for the job's file to be read again: its rates hold from now on. */
function rereadRates(directory: string, job: Job | undefined, talk: Talk): void {
  try {
    const rates = readRates(directory)
    job?.setRates(rates)
    talk.say(`new rates from ${join(directory, 'job.json')}: ${JSON.stringify(rates)}`)
    talk.event('rates', rates)
  } catch (error) {
    talk.say(`rates unchanged: ${error instanceof Error ? error.message : error}`)
  }
}

function newDirectory(operation: string, table: string): string {
  const stamp = new Date().toISOString().replace(/[-:]|\.\d+Z/g, '')
  return join(JOBS, `${operation}-${table}-${stamp}-${process.pid.toString(36)}`)
}

/** When the job in a directory was done, before this run of it. */
function doneBefore(directory: string): string | undefined {
  if (findJob(directory) === undefined) return undefined
  const { state, checkpoint } = jobStatus(directory)
  return state === 'done' ? checkpoint?.savedAt : undefined
}
