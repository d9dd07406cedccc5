import { join } from 'node:path'
import { exitCodeOf } from '../exitCode.ts'
import { Talk, type TalkOptions } from '../talk.ts'
import { writeReport } from '../writeReport.ts'

/** `headrace report` */
export async function reportCommand(directory: string, flags: TalkOptions & { out?: string }): Promise<void> {
  const talk = new Talk(flags)
  try {
    const { out = join(directory, 'report.html') } = flags
    await writeReport(directory, out)
    talk.say(out)
    talk.event('report', { directory, file: out })
  } catch (error) {
    talk.failure(error)
    process.exitCode = exitCodeOf(error)
  }
}
