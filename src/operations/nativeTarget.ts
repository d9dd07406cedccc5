import { createHash } from 'node:crypto'
import { basename, join } from 'node:path'
import {
  digestData,
  EXPORT_STARTED,
  MANIFEST_FILES,
  MANIFEST_SUMMARY,
  type NativeFile,
  writeNativeManifest,
} from '../formats/nativeManifest.ts'
import type { JobDirectory } from '../job/jobDirectory.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import type { Disk, DiskFile } from '../storage/disk.ts'
import type { ExportTarget } from './exportTarget.ts'

export interface NativeTargetOptions {
  readonly disk: Disk
  /** A data file that is so long gets no more. */
  readonly fileBytes: number
  /** What the manifest says of the table, asked for at the end. */
  readonly about: () => NativeAbout
}

export interface NativeAbout {
  readonly tableArn: string
  readonly tableId: string | undefined
  readonly startTime: string
  readonly endTime: string
}

/** Data files that are read again at once, at the end. */
const DIGESTING_MAX = 4
/** Read at once. */
const PIECE_BYTES = 256 * 1024

/**
 * A directory as DynamoDB's own export leaves it: `_started`, data files in `data/`, and at the very end the manifests, so
 * that what has a manifest is whole.
 */
export class NativeTarget implements ExportTarget {
  readonly #path: string
  readonly #disk: Disk
  readonly #options: NativeTargetOptions
  readonly room = undefined
  #data: NativeData | undefined

  constructor(path: string, options: NativeTargetOptions) {
    this.#path = path
    this.#disk = options.disk
    this.#options = options
  }

  async exists(): Promise<boolean> {
    const names = [MANIFEST_SUMMARY, MANIFEST_FILES, EXPORT_STARTED, join('data', fileName(0))]
    return names.some((name) => this.#disk.sizeOf(join(this.#path, name)) !== undefined)
  }

  async open(directory: JobDirectory | undefined): Promise<DiskFile> {
    const size = directory === undefined ? 0 : this.sizeOf(directory)
    const disk = this.#disk
    disk.makeDirectory(join(this.#path, 'data'))
    if (size === 0) {
      // Of an export whose place this one takes; the one that makes it whole goes first.
      for (const name of [MANIFEST_SUMMARY, MANIFEST_FILES, checksumOf(MANIFEST_SUMMARY), checksumOf(MANIFEST_FILES)])
        disk.remove(join(this.#path, name))
      disk.create(join(this.#path, EXPORT_STARTED)).close()
      await disk.syncDirectory(this.#path)
    }
    this.#data = this.#openData(size)
    directory?.adopt(this.#path, this.#data)
    return this.#data
  }

  sizeOf(directory: JobDirectory): number {
    return directory.checkpoint?.files[this.#path] ?? 0
  }

  /** Reads all data once more: what the manifest says is what lies there. */
  async seal(size: number): Promise<void> {
    // The last that is written, and the process died behind it.
    if (this.#disk.sizeOf(join(this.#path, MANIFEST_SUMMARY)) !== undefined) return
    // The job's directory has closed what it was given.
    this.#data?.close()
    this.#data = this.#openData(size)
    await this.#data.sync()
    const { files } = this.#data
    const found: NativeFile[] = []
    const left = [...files.keys()]
    const digest = async (): Promise<void> => {
      for (let index = left.shift(); index !== undefined; index = left.shift()) {
        const { lines, md5 } = await digestData(this.#read(files[index]!), files[index]!)
        found[index] = { name: fileName(index), itemCount: lines, md5 }
      }
    }
    const ended = await Promise.allSettled(Array.from({ length: DIGESTING_MAX }, digest))
    for (const one of ended) if (one.status === 'rejected') throw one.reason
    const manifest = writeNativeManifest({
      ...this.#options.about(),
      directory: keyOf(this.#path),
      files: found,
      bytes: size,
    })
    await this.#replace(MANIFEST_FILES, manifest.files)
    await this.#replace(checksumOf(MANIFEST_FILES), md5Of(manifest.files))
    await this.#replace(checksumOf(MANIFEST_SUMMARY), md5Of(manifest.summary))
    await this.#disk.syncDirectory(this.#path)
    await this.#replace(MANIFEST_SUMMARY, manifest.summary)
    await this.#disk.syncDirectory(this.#path)
  }

  async close(): Promise<void> {
    this.#data?.close()
  }

  #openData(size: number): NativeData {
    return new NativeData(join(this.#path, 'data'), size, this.#disk, this.#options.fileBytes)
  }

  async *#read(path: string): AsyncGenerator<Buffer> {
    for (let at = 0; ; at += PIECE_BYTES) {
      const piece = this.#disk.readPart(path, at, PIECE_BYTES)
      if (piece.length > 0) yield piece
      if (piece.length < PIECE_BYTES) return
    }
  }

  async #replace(name: string, text: string): Promise<void> {
    const path = join(this.#path, name)
    const file = this.#disk.create(`${path}.new`)
    try {
      file.write(Buffer.from(text))
      await file.sync()
    } finally {
      file.close()
    }
    this.#disk.rename(`${path}.new`, path)
  }
}

/** Files that are one sequence of bytes to whoever writes them; each ends behind a whole write. */
class NativeData implements DiskFile {
  readonly #directory: string
  readonly #disk: Disk
  readonly #fileBytes: number
  /** Of all but the last. */
  readonly #sizes: number[] = []
  #last: DiskFile | undefined
  /** Full, and not known to be on the disk. */
  #full: DiskFile[] = []
  #hasNewName = false

  /** @param size as long as they were when the job was last heard of: what lies behind goes */
  constructor(directory: string, size: number, disk: Disk, fileBytes: number) {
    this.#directory = directory
    this.#disk = disk
    this.#fileBytes = fileBytes
    let found = 0
    for (let next = this.#sizeOf(0); next !== undefined; next = this.#sizeOf(this.#sizes.length)) {
      this.#sizes.push(next)
      found += next
    }
    if (found < size) {
      throw new HeadraceError(
        'STATE',
        `${directory} has ${found} bytes, but the checkpoint recorded ${size}: it was changed. ` +
          'Restore it, or start the job again in another directory',
      )
    }
    this.#cut(size)
  }

  get size(): number {
    return this.#sizes.reduce((sum, size) => sum + size, 0) + (this.#last?.size ?? 0)
  }

  /** Their paths, in their order. */
  get files(): string[] {
    const count = this.#sizes.length + (this.#last === undefined ? 0 : 1)
    return Array.from({ length: count }, (_, index) => this.#pathOf(index))
  }

  write(bytes: Uint8Array): void {
    if (this.#last !== undefined && this.#last.size >= this.#fileBytes) {
      this.#sizes.push(this.#last.size)
      this.#full.push(this.#last)
      this.#last = undefined
    }
    if (this.#last === undefined) {
      this.#last = this.#disk.create(this.#pathOf(this.#sizes.length))
      this.#hasNewName = true
    }
    const { size } = this.#last
    try {
      this.#last.write(bytes)
    } catch (error) {
      // A part of it may have found room.
      this.#last.truncate(size)
      throw error
    }
  }

  truncate(size: number): void {
    if (this.#last !== undefined) {
      this.#sizes.push(this.#last.size)
      this.#last.close()
      this.#last = undefined
    }
    this.#cut(size)
  }

  async sync(): Promise<void> {
    const full = this.#full
    this.#full = []
    const hasNewName = this.#hasNewName
    this.#hasNewName = false
    await Promise.all([...full, this.#last].map((file) => file?.sync()))
    for (const file of full) file.close()
    if (hasNewName) await this.#disk.syncDirectory(this.#directory)
  }

  close(): void {
    for (const file of [...this.#full, this.#last]) file?.close()
    this.#full = []
    this.#last = undefined
  }

  /** None is open. */
  #cut(size: number): void {
    const sizes = this.#sizes
    let before = sizes.reduce((sum, one) => sum + one, 0)
    // From the last, so that those that are left are always the first ones.
    while (sizes.length > 0) {
      before -= sizes.at(-1)!
      if (before < size) break
      this.#disk.remove(this.#pathOf(sizes.length - 1))
      sizes.pop()
    }
    if (sizes.length === 0) return
    this.#last = this.#disk.append(this.#pathOf(sizes.length - 1))
    sizes.pop()
    this.#last.truncate(size - before)
  }

  #sizeOf(index: number): number | undefined {
    return this.#disk.sizeOf(this.#pathOf(index))
  }

  #pathOf(index: number): string {
    return join(this.#directory, fileName(index))
  }
}

function fileName(index: number): string {
  return `${`${index}`.padStart(5, '0')}.json.gz`
}

function checksumOf(manifest: string): string {
  return manifest.replace(/\.json$/, '.checksum')
}

function md5Of(text: string): string {
  return createHash('md5').update(text).digest('base64')
}

/** What the keys of its files begin with, in a bucket to which it may be copied: as the service calls them, where it can be seen. */
function keyOf(path: string): string {
  const parts = path.split(/[\\/]/)
  const root = parts.lastIndexOf('AWSDynamoDB')
  return root === -1 ? basename(path) : parts.slice(root).join('/')
}
