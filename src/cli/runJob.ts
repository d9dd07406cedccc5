import { type Database, type Job, type JobReject, RejectsFile } from '../index.ts'
import { EXIT, exitCodeOf } from './exitCode.ts'
import { Interruption } from './interruption.ts'
import { type CommonFlags, type ReadFlags, readOptions, type WriteFlags, writeOptions } from './options.ts'
import { Talk } from './talk.ts'
import { warnOfRates } from './warnOfRates.ts'

/**
 * Runs a job as a command does: progress while it runs, rejects into a file, the first Ctrl-C drains, a summary at the
 * end, and the exit status that fits.
 */
export async function runJob(
  verb: string,
  table: string,
  flags: CommonFlags & WriteFlags & Pick<ReadFlags, 'readRate'>,
  database: Database,
  make: (onReject: (reject: JobReject) => void) => Job,
): Promise<void> {
  const talk = new Talk(flags)
  const rejects = new RejectsFile(flags.rejects ?? rejectsPath(verb, table))
  const interruption = new Interruption(talk)
  let shown = 0
  let job: Job | undefined
  let follower: { stop(): void } | undefined
  try {
    job = make((reject) => {
      rejects.add(reject)
      shown += 1
      if (shown <= 3) talk.say(`rejected ${reject.place}: ${reject.message}`)
      else if (shown === 4) talk.say(`more rejects are in ${rejects.path}`)
      talk.event('reject', { code: reject.code, message: reject.message, place: reject.place })
    })
    const rates = { ...writeOptions(flags), ...(verb === 'update' ? readOptions(flags) : {}) }
    await warnOfRates(talk, database.table(table), rates)
    const running = job
    talk.event('start', { operation: verb, table })
    follower = talk.follow(() => running.progress)
    const summary = await running.run({ signal: interruption.signal })
    follower.stop()
    rejects.close()
    talk.summary(summary, rejects.count > 0 ? [['rejects', rejects.path]] : [])
    if (interruption.exitCode !== undefined) {
      talk.say(`stopped by a signal: ${summary.written} written; run it again to do the rest`)
      process.exitCode = interruption.exitCode
    } else {
      process.exitCode = summary.rejected > 0 ? EXIT.rejects : EXIT.done
    }
  } catch (error) {
    follower?.stop()
    rejects.close()
    const progress = job?.progress
    if (progress !== undefined && progress.read > 0)
      talk.summary(progress, rejects.count > 0 ? [['rejects', rejects.path]] : [])
    talk.failure(error)
    process.exitCode = exitCodeOf(error)
  } finally {
    interruption.release()
    await database.close()
  }
}

function rejectsPath(verb: string, table: string): string {
  const stamp = new Date().toISOString().replace(/[-:]|\.\d+Z/g, '')
  return `headrace-${verb}-${table}-${stamp}-rejects.jsonl`
}
