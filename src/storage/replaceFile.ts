import { join } from 'node:path'
import type { Disk } from './disk.ts'

/**
 * Old or new, whatever happens in between: never a part of it. On the disk, its name too, when this resolves.
 *
 * @param previous the name that the old one gets; default none, and it is gone
 */
export async function replaceFile(
  disk: Disk,
  directory: string,
  name: string,
  text: string,
  previous?: string,
): Promise<void> {
  const draft = draftPath(directory, name)
  const target = join(directory, name)
  const file = disk.create(draft)
  try {
    file.write(Buffer.from(text))
    await file.sync()
  } finally {
    file.close()
  }
  if (previous !== undefined) moveAside(disk, target, join(directory, previous))
  disk.rename(draft, target)
  await disk.syncDirectory(directory)
}

/** What somebody who died as he wrote the new one has left. */
export function dropDraft(disk: Disk, directory: string, name: string): void {
  disk.remove(draftPath(directory, name))
}

function draftPath(directory: string, name: string): string {
  return join(directory, `${name}.new`)
}

function moveAside(disk: Disk, from: string, to: string): void {
  try {
    disk.rename(from, to)
  } catch (error) {
    // The first one has none before it.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
