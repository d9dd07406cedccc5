import {
  closeSync,
  fstatSync,
  fsync,
  fsyncSync,
  ftruncateSync,
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

/**
 * Files as a job's state needs them. What was written may be gone after a crash of the machine until `sync` has resolved,
 * and so may a new name until `syncDirectory` has: a simulated disk forgets just that.
 *
 * All throw whatever the system says.
 */
export interface Disk {
  /** What is on it goes with the process. Default false. */
  readonly isFleeting?: boolean
  /** Makes a directory and those above it, for its owner only; harmless where it is there. */
  makeDirectory(path: string): void
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
  makeDirectory,
  read(path) {
    try {
      return readFileSync(path)
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  },
  sizeOf: (path) => statSync(path, { throwIfNoEntry: false })?.size,
  readPart(path, start, length) {
    const file = openSync(path, 'r')
    try {
      const buffer = Buffer.alloc(length)
      let filled = 0
      for (let read = -1; read !== 0 && filled < length; filled += read) {
        read = readSync(file, buffer, filled, length - filled, start + filled)
      }
      return buffer.subarray(0, filled)
    } finally {
      closeSync(file)
    }
  },
  create: (path) => new SystemFile(openSync(path, 'w', 0o600)),
  append: (path) => new SystemFile(openSync(path, 'a', 0o600)),
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
    const directory = openSync(path, 'r')
    try {
      await fsyncAsync(directory)
    } finally {
      closeSync(directory)
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

/** Windows opens no directories, and needs no such thing. */
const HAS_DIRECTORY_SYNC = process.platform !== 'win32'

function syncNames(path: string): void {
  if (!HAS_DIRECTORY_SYNC) return
  const directory = openSync(path, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
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
    closeSync(this.#descriptor)
  }
}

function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  // The latter where something on the way is a file.
  return code === 'ENOENT' || code === 'ENOTDIR'
}
