import {
  constants,
  fstatSync,
  fsync,
  fsyncSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { createNewFile } from './createNewFile.ts'
import { closeToReserve, openWithReserve, reserveDescriptors } from './descriptorReserve.ts'

/**
 * Files as a job's state needs them. What was written may be gone after a crash of the machine until `sync` has resolved,
 * and so may a new name until `syncDirectory` has: a simulated disk forgets just that.
 *
 * All throw whatever the system says, and for a symbolic link in a file's place: whoever can put one there could have something
 * else read or written.
 */
export interface Disk {
  /** What is on it goes with the process. Default false. */
  readonly isFleeting?: boolean | undefined
  /** Makes a directory and those above it, for its owner only; harmless where it is there. */
  makeDirectory(path: string): void
  /** Who else may write into a directory, for people; undefined where nobody may. */
  exposureOf?(path: string): string | undefined
  /** @returns undefined where there is no such file */
  read(path: string): Buffer | undefined
  /** @returns undefined where there is no such file */
  sizeOf(path: string): number | undefined
  /** At most so many bytes of a file, from an offset on. */
  readPart(path: string, start: number, length: number): Buffer
  /** A file to write to, emptied first if it is there; readable by its owner only. */
  create(path: string): DiskFile
  /** A file to go on with, or a new one. */
  append(path: string): DiskFile
  /**
   * A new file with this content, at once or not at all, and on the disk when this returns; see {@link createNewFile}.
   *
   * @returns false where there is a file of that name
   */
  createNew(path: string, content: string): boolean
  /** Takes the place of a file of that name. */
  rename(from: string, to: string): void
  /** Harmless where there is no such file. */
  remove(path: string): void
  syncDirectory(path: string): Promise<void>
}

export interface DiskFile {
  readonly size: number
  /** Behind what is there; where it fails, nothing of it is left. */
  write(bytes: Uint8Array): void
  /** Forgets all behind this byte. */
  truncate(size: number): void
  /** Resolves when all that was written before is on the disk. */
  sync(): Promise<void>
  close(): void
}

const fsyncAsync = promisify(fsync)

/** This machine's files. */
export const systemDisk: Disk = {
  makeDirectory(path) {
    makeDirectory(path)
    reserveDescriptors()
  },
  exposureOf,
  read(path) {
    try {
      const file = openOwn(path, constants.O_RDONLY)
      try {
        return readFileSync(file)
      } finally {
        closeToReserve(file)
      }
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  },
  sizeOf: (path) => statSync(path, { throwIfNoEntry: false })?.size,
  readPart(path, start, length) {
    const file = openOwn(path, constants.O_RDONLY)
    try {
      const buffer = Buffer.alloc(length)
      let filled = 0
      for (let read = -1; read !== 0 && filled < length; filled += read) {
        read = readSync(file, buffer, filled, length - filled, start + filled)
      }
      return buffer.subarray(0, filled)
    } finally {
      closeToReserve(file)
    }
  },
  create: (path) => new SystemFile(createOwn(path)),
  append: (path) => new SystemFile(openOwn(path, constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND)),
  createNew(path, content) {
    const isMade = createNewFile(path, content)
    if (isMade) syncNames(dirname(path))
    return isMade
  },
  rename: renameSync,
  remove(path) {
    try {
      unlinkSync(path)
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  },
  async syncDirectory(path) {
    if (!HAS_DIRECTORY_SYNC) return
    const directory = openWithReserve(() => openSync(path, 'r'))
    try {
      await fsyncAsync(directory)
    } finally {
      closeToReserve(directory)
    }
  },
}

/** Not Node's own `recursive`, which never returns below `/proc`, where nothing can be made. */
function makeDirectory(path: string): void {
  try {
    mkdirSync(path, 0o700)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && statSync(path, { throwIfNoEntry: false })?.isDirectory()) return
    const above = dirname(path)
    if (code !== 'ENOENT' || above === path || statSync(above, { throwIfNoEntry: false }) !== undefined) throw error
    makeDirectory(above)
    makeDirectory(path)
  }
}

/** Windows has neither. */
const { O_NOFOLLOW = 0 } = constants

/** @throws where there is a symbolic link */
function openOwn(path: string, flags: number): number {
  try {
    return openWithReserve(() => openSync(path, flags | O_NOFOLLOW, 0o600))
  } catch (error) {
    // A loop of links further up says the same.
    if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() !== true) throw error
    const message = `${path} is a symbolic link, and Headrace does not follow links to job files: remove it`
    throw Object.assign(new Error(message, { cause: error }), { code: 'ELOOP', syscall: 'open', path })
  }
}

/** An empty file that was not there before, so that nobody has it open or knows it by another name. */
function createOwn(path: string): number {
  const flags = constants.O_WRONLY | constants.O_CREAT
  try {
    return openWithReserve(() => openSync(path, flags | constants.O_EXCL, 0o600))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  closeToReserve(openOwn(path, constants.O_WRONLY))
  unlinkSync(path)
  return openWithReserve(() => openSync(path, flags | constants.O_EXCL, 0o600))
}

function exposureOf(path: string): string | undefined {
  const own = process.getuid?.()
  if (own === undefined) return undefined
  const { uid, mode } = statSync(path)
  if (uid !== own) return `belongs to another user (${uid})`
  return (mode & 0o002) === 0 ? undefined : 'is writable by every user of this machine'
}

/** Windows opens no directories, and needs no such thing. */
const HAS_DIRECTORY_SYNC = process.platform !== 'win32'

function syncNames(path: string): void {
  if (!HAS_DIRECTORY_SYNC) return
  const directory = openWithReserve(() => openSync(path, 'r'))
  try {
    fsyncSync(directory)
  } finally {
    closeToReserve(directory)
  }
}

class SystemFile implements DiskFile {
  readonly #descriptor: number
  size: number

  constructor(descriptor: number) {
    this.#descriptor = descriptor
    this.size = fstatSync(descriptor).size
  }

  write(bytes: Uint8Array): void {
    // A disk that is almost full takes a part, says how much, and fails at the rest.
    let at = 0
    try {
      while (at < bytes.length) at += writeSync(this.#descriptor, bytes, at)
    } catch (error) {
      if (at > 0) ftruncateSync(this.#descriptor, this.size)
      throw error
    }
    this.size += at
  }

  truncate(size: number): void {
    ftruncateSync(this.#descriptor, size)
    this.size = size
  }

  sync(): Promise<void> {
    return fsyncAsync(this.#descriptor)
  }

  close(): void {
    closeToReserve(this.#descriptor)
  }
}

function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  // The latter where something on the way is a file.
  return code === 'ENOENT' || code === 'ENOTDIR'
}
