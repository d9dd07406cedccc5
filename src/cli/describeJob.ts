import { writeFileSync } from 'node:fs'
import { type Database, type FilteredJob, HeadraceError, type PlannableJob } from '../index.ts'
import { counted } from '../runtime/counted.ts'
import { exitCodeOf } from './exitCode.ts'
import type { CommonFlags, PlanFlags, ThreadFlags } from './options.ts'
import { sayPreview } from './sayPreview.ts'
import { Talk } from './talk.ts'

/** What `--describe` does in place of the run. Closes the database. */
export async function describeJob(
  flags: CommonFlags & PlanFlags & ThreadFlags,
  database: Database,
  make: () => Promise<PlannableJob>,
): Promise<void> {
  const talk = new Talk(flags)
  const { describe: file = '', slices, split } = flags
  try {
    const job = await make()
    // Whoever runs it in slices has nobody to tell.
    if ('preview' in job) sayPreview(talk, await (job as FilteredJob).preview())
    const spec = await job.describe({
      slices,
      split,
    })
    write(file, `${JSON.stringify(spec, undefined, 2)}\n`)
    const of = slices ?? 1
    talk.say(`${file}: ${spec.what.operation} ${spec.what.table.name}, in at most ${counted(of, 'slice')}`)
    talk.say(`To run one slice: headrace slice ${file} --slice 0 --of ${of}`)
    talk.event('described', { file, job: spec.id, slices: of })
  } catch (error) {
    talk.failure(error)
    process.exitCode = exitCodeOf(error)
  } finally {
    await database.close()
  }
}

/** @throws {HeadraceError} `CONFIGURATION` when it can not be written */
function write(file: string, text: string): void {
  try {
    writeFileSync(file, text, { mode: 0o600 })
  } catch (error) {
    const message = `cannot write the job to ${file}: ${(error as Error).message}`
    throw new HeadraceError('CONFIGURATION', message, { cause: error })
  }
}
