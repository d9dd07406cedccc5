import { randomBytes } from 'node:crypto'
import { fsyncSync, linkSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs'
import { closeToReserve, openWithReserve } from './descriptorReserve.ts'

/** What systems say where a file system has no hard links, such as FAT and some that are reached over a network (link(2)). */
const NO_LINKS: readonly (string | undefined)[] = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']

/**
 * A new file with this content, for its owner only; the content is on the disk when this returns, the name may not be.
 * It is there at once or not at all; where the file system has no hard links, others may see it empty for a moment.
 *
 * @param link for tests: how a file gets a second name
 * @returns false where there is a file of that name
 * @throws what the system says
 */
export function createNewFile(path: string, content: string, link: typeof linkSync = linkSync): boolean {
  // Written first and named then, so that nobody sees it empty.
  // Nobody can know the name and put a link in its place.
  const draft = `${path}.${randomBytes(8).toString('hex')}.new`
  write(draft, content)
  try {
    link(draft, path)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return false
    if (NO_LINKS.includes(code)) return createInPlace(path, content)
    throw error
  } finally {
    unlinkSync(draft)
  }
}

function createInPlace(path: string, content: string): boolean {
  try {
    write(path, content)
    // Who saw it empty may have taken it for a torn one, and away.
    return readFileSync(path, 'utf8') === content
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' || code === 'ENOENT') return false
    throw error
  }
}

function write(path: string, content: string): void {
  const file = openWithReserve(() => openSync(path, 'wx', 0o600))
  try {
    writeSync(file, content)
    fsyncSync(file)
  } catch (error) {
    unlinkSync(path)
    throw error
  } finally {
    closeToReserve(file)
  }
}
