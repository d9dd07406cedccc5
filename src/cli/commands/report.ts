import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { countRejects, HeadraceError, jobHistory, jobStatus } from '../../index.ts'
import { reportChart, reportPage } from '../../report/jobReport.ts'
import { exitCodeOf } from '../exitCode.ts'
import { Talk, type TalkOptions } from '../talk.ts'

/** `headrace report` */
export async function reportCommand(
  directory: string,
  flags: TalkOptions & { out?: string },
  version: string,
): Promise<void> {
  const talk = new Talk(flags)
  try {
    const { out = join(directory, 'report.html') } = flags
    await writeReport(directory, out, version)
    talk.say(out)
    talk.event('report', { directory, file: out })
  } catch (error) {
    talk.failure(error)
    process.exitCode = exitCodeOf(error)
  }
}

/** @throws {HeadraceError} `STATE` where there is no job; `CONFIGURATION` where it can not be written; {TypeError} for another kind of file */
async function writeReport(directory: string, file: string, version: string): Promise<void> {
  if (!/\.(?:html|svg)$/.test(file))
    throw new TypeError(`a report is a page or a picture: --out takes a name in .html or .svg, not "${file}"`)
  const status = jobStatus(directory)
  const history = jobHistory(directory)
  const rejects = await countRejects(join(directory, 'rejects.jsonl'))
  const text = file.endsWith('.svg')
    ? reportChart({ status, history })
    : reportPage({ status, history, rejects, madeAt: new Date().toISOString(), version })
  try {
    // It shows places and reasons of rejects, as the rejects do.
    writeFileSync(file, text, { mode: 0o600 })
  } catch (error) {
    const message = `the report can not be written to ${file}: ${(error as Error).message}`
    throw new HeadraceError('CONFIGURATION', message, { cause: error })
  }
}
