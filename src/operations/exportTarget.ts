import { findSpec, type JobDirectory } from '../job/jobDirectory.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import type { Disk, DiskFile } from '../storage/disk.ts'

/** Where the bytes of an export go, and what makes a whole of them. */
export interface ExportTarget {
  /** Whether there is something of its name, that would be replaced. */
  exists(): Promise<boolean>
  /**
   * For the bytes, behind those that an earlier run is sure of.
   *
   * @param anew what an earlier run has left is of no use. Default false
   */
  open(directory: JobDirectory | undefined, anew?: boolean): Promise<DiskFile>
  /**
   * Puts the last bytes behind the others, and the whole where it shall be. Called again where a process died meanwhile.
   *
   * @param size of what was written before
   */
  seal(size: number, tail: Uint8Array): Promise<void>
  /** Bytes that an earlier run is sure of. */
  sizeOf(directory: JobDirectory): number
  /** It is one of several that become a whole, whose ends somebody else writes. Default false. */
  readonly isPiece?: boolean | undefined
  /** Of a piece: what was written stays, though it is not all. */
  keep?(size: number): Promise<void>
  /** Resolves when it may take more; undefined when it may now. */
  readonly room: Promise<void> | undefined
  /** Lets go of what it holds, whether it was sealed or not. */
  close(): Promise<void>
}

/** A file, which has `.part` behind its name until it is whole. */
export class FileTarget implements ExportTarget {
  readonly #path: string
  readonly #part: string
  readonly #disk: Disk
  readonly room = undefined
  /** Of a job without a directory, which closes it otherwise. */
  #own: DiskFile | undefined

  constructor(path: string, disk: Disk) {
    this.#path = path
    this.#part = `${path}.part`
    this.#disk = disk
  }

  async exists(): Promise<boolean> {
    return this.#disk.sizeOf(this.#path) !== undefined
  }

  async open(directory: JobDirectory | undefined, anew = false): Promise<DiskFile> {
    if (directory !== undefined && !anew) return directory.file(this.#part)
    const file = this.#disk.create(this.#part)
    if (directory === undefined) this.#own = file
    else directory.adopt(this.#part, file)
    return file
  }

  sizeOf(directory: JobDirectory): number {
    return directory.checkpoint?.files[this.#part] ?? 0
  }

  async seal(size: number, tail: Uint8Array): Promise<void> {
    // It was renamed already when the process died.
    if (this.#disk.sizeOf(this.#part) === undefined) return
    const file = this.#disk.append(this.#part)
    try {
      file.truncate(size)
      file.write(tail)
      await file.sync()
    } finally {
      file.close()
    }
    this.#disk.rename(this.#part, this.#path)
  }

  async close(): Promise<void> {
    this.#own?.close()
  }
}

/** @throws {HeadraceError} `CONFIGURATION` when there is a target of that name, and a job that did not ask before */
export async function refuseExisting(
  target: ExportTarget,
  name: string,
  disk: Disk,
  directory: string | undefined,
): Promise<void> {
  // A job that was begun has asked already.
  if (directory !== undefined && findSpec(directory, disk) !== undefined) return
  if (!(await target.exists())) return
  const message = `${name} already exists: pass --overwrite to replace it, or choose another name`
  throw new HeadraceError('CONFIGURATION', message)
}
