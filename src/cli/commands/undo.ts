import { jobSpec, jobStatus, undo } from '../../index.ts'
import { exitCodeOf } from '../exitCode.ts'
import { openAgain } from '../openAgain.ts'
import { type CommonFlags, type JobFlags, type WriteFlags, writeOptions } from '../options.ts'
import { runJob } from '../runJob.ts'
import { Talk } from '../talk.ts'

/** `headrace undo` */
export async function undoCommand(directory: string, flags: CommonFlags & JobFlags & WriteFlags): Promise<void> {
  const talk = new Talk(flags)
  let spec: ReturnType<typeof jobSpec>
  try {
    const { state, holder } = jobStatus(directory)
    if (state === 'running') throw new TypeError(`the job in ${directory} still runs, in ${holder}; stop it first`)
    spec = jobSpec(directory)
  } catch (error) {
    talk.failure(error)
    process.exitCode = exitCodeOf(error)
    return
  }
  const database = openAgain(spec, flags)
  await runJob({
    operation: 'undo',
    table: spec.what.table.name,
    flags,
    database,
    rates: writeOptions(flags),
    make: (made) => undo(directory, { ...writeOptions(flags), database, ...made }),
  })
}
