import { join } from 'node:path'
import { HeadraceError } from '../runtime/headraceError.ts'
import { parseJson } from '../runtime/parseJson.ts'
import { type Disk, systemDisk } from '../storage/disk.ts'
import { replaceFile } from '../storage/replaceFile.ts'

const UNDONE = 'undone.json'

/** Left in the directory of a job by the job that undoes it. */
export interface UndoneMark {
  readonly version: 1
  /** When the undo started, or when it had put everything back. */
  readonly at: string
  /** The directory of the undo; missing where it has none. */
  readonly by?: string | undefined
  /** Everything was put back; until then some of it was. */
  readonly complete: boolean
}

/** On the disk when this resolves, so that no change is put back before. */
export async function markUndone(directory: string, mark: UndoneMark, disk: Disk): Promise<void> {
  await replaceFile(disk, directory, UNDONE, `${JSON.stringify(mark)}\n`)
}

/** @returns undefined for a job that nobody has undone */
export function findUndone(directory: string, disk: Disk = systemDisk): UndoneMark | undefined {
  const bytes = disk.read(join(directory, UNDONE))
  return bytes === undefined ? undefined : (parseJson(bytes.toString()) as UndoneMark)
}

/**
 * A job that was undone does not go on: it would pass over the items that were put back.
 *
 * @throws {HeadraceError} `STATE` for such a job
 */
export function refuseUndone(directory: string, disk: Disk): void {
  const mark = findUndone(directory, disk)
  if (mark === undefined) return
  throw new HeadraceError(
    'STATE',
    `the job in ${directory} was ${undoneWords(mark)}. It cannot be resumed, because ` +
      'restored items would not be changed again. To repeat the change, start a new job in another directory',
  )
}

/** How a job was undone, for people. */
export function undoneWords({ at, by, complete }: UndoneMark): string {
  if (complete) return `undone at ${at}`
  const finish = by === undefined ? 'undo it again' : `headrace resume ${by}`
  return `partly undone, by an undo that started at ${at}; to finish that: ${finish}`
}
