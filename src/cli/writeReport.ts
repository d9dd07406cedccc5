import { writeFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { countRejects, HeadraceError, jobHistory, jobStatus } from '../index.ts'
import { reportChart, reportPage } from '../report/jobReport.ts'
import { svgToPng } from '../report/svgToPng.ts'
import { readVersion } from './readVersion.ts'

/**
 * Makes a page or a picture of a job's directory, by the name of the file.
 *
 * @throws {HeadraceError} `STATE` where there is no job; `CONFIGURATION` where it can not be written, or a picture not be
 *   drawn; {TypeError} for another kind of file
 */
export async function writeReport(directory: string, file: string): Promise<void> {
  const kind = extname(file)
  if (kind !== '.html' && kind !== '.svg' && kind !== '.png')
    throw new TypeError(`--out: "${file}" does not end in .html, .svg or .png`)
  const status = jobStatus(directory)
  const history = jobHistory(directory)
  let content: string | Uint8Array
  if (kind === '.html') {
    const rejects = await countRejects(join(directory, 'rejects.jsonl'))
    content = reportPage({ status, history, rejects, madeAt: new Date().toISOString(), version: readVersion() })
  } else {
    content = reportChart({ status, history })
    if (kind === '.png') content = await svgToPng(content)
  }
  try {
    // It shows places and reasons of rejects, as the rejects do.
    writeFileSync(file, content, { mode: 0o600 })
  } catch (error) {
    const message = `cannot write the report to ${file}: ${(error as Error).message}`
    throw new HeadraceError('CONFIGURATION', message, { cause: error })
  }
}
