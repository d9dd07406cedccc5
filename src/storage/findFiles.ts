import { constants } from 'node:fs'
import { access, readdir, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fileSentence } from './fileSentence.ts'
import { StorageError } from './storageError.ts'
import { readWildcard } from './wildcard.ts'

/**
 * The files that some paths stand for: a file for itself, whatever its name; a directory for those in it and below it that
 * are wanted, and a pattern (`*`, `**`, `?`) for those that it matches, sorted by their paths. None comes twice. Hidden files and directories are skipped, and
 * so are links to directories and the directories of jobs.
 *
 * @param isWanted of a path in a directory
 * @param wanted such a file in words, for the error
 * @throws {StorageError} for a path that is not there or can not be read, and for a directory in which nothing is wanted
 */
export async function findFiles(
  paths: readonly string[],
  isWanted: (path: string) => boolean,
  wanted: string,
): Promise<string[]> {
  const found = new Map<string, string>()
  const add = (path: string): unknown => found.has(resolve(path)) || found.set(resolve(path), path)
  for (const path of paths) {
    try {
      const matching = await filesMatching(path)
      if (matching !== undefined) {
        for (const file of matching) add(file)
      } else if ((await stat(path)).isDirectory()) {
        const inside = (await filesBelow(path)).filter(isWanted).sort()
        if (inside.length === 0)
          throw new StorageError(
            `The directory "${path}" has no ${wanted}. To read files with other names, pass their names.`,
            path,
          )
        for (const file of inside) {
          await access(file, constants.R_OK)
          add(file)
        }
      } else {
        await access(path, constants.R_OK)
        add(path)
      }
    } catch (cause) {
      if (cause instanceof StorageError) throw cause
      const at = cause instanceof Error && 'path' in cause ? `${cause.path}` : path
      throw new StorageError(fileSentence(at, cause), at, { cause })
    }
  }
  return [...found.values()]
}

/** Undefined for what is no pattern, and for a file that is called like one. */
async function filesMatching(path: string): Promise<string[] | undefined> {
  const pattern = readWildcard(path)
  if (pattern === undefined || (await stat(path).catch(() => undefined)) !== undefined) return undefined
  // Whole directories of what all of them begin with.
  const below = pattern.prefix.endsWith('/') ? pattern.prefix : dirname(pattern.prefix)
  const found = (await filesBelow(below)).filter((file) => pattern.matches(file)).sort()
  if (found.length === 0) throw new StorageError(`No file matches "${path}" (looked in ${resolve(below)}).`, path)
  return found
}

/** What is in a directory in which a job keeps its state: its files are no data, though they end as data does. */
const JOB_FILES = ['job.json', 'events.jsonl']

/**
 * All files in a directory and below it, but hidden ones, what lies in hidden directories, and what jobs keep in directories
 * of their own.
 */
export async function filesBelow(directory: string, isNamed = true): Promise<string[]> {
  const files: string[] = []
  const entries = await readdir(directory, { withFileTypes: true })
  if (!isNamed && JOB_FILES.every((name) => entries.some((entry) => entry.name === name))) return []
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue
    const path = join(directory, entry.name)
    if (entry.isDirectory()) files.push(...(await filesBelow(path, false)))
    // One that leads nowhere is told when it is opened.
    else if (!entry.isSymbolicLink() || (await stat(path).catch(() => undefined))?.isDirectory() !== true)
      files.push(path)
  }
  return files
}
