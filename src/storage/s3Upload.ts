import { join } from 'node:path'
import { HeadraceError } from '../runtime/headraceError.ts'
import { parseJson } from '../runtime/parseJson.ts'
import type { Disk, DiskFile } from './disk.ts'
import { dropDraft, replaceFile } from './replaceFile.ts'
import { nameOf, type S3, type S3Address, type S3Part } from './s3.ts'
import { StorageError } from './storageError.ts'

/**
 * Of each of the first thousand parts; those of each next thousand are twice as long. So ten thousand, the most there may
 * be, hold more than an object may have; and none is below the least, 5 MiB (S3 user guide, "multipart upload limits").
 */
const PART_BYTES = 8 * 1024 * 1024
const PARTS_OF_A_SIZE = 1_000
const PARTS_MAX = 10_000
/** Parts on their way at once. */
const UPLOADS_MAX = 4
/** Parts that wait for their turn before whoever writes must wait. */
const WAITING_MAX = 2
/** A part's file stays for so many checkpoints. */
const SAVES = 4
/** What the parts belong to. */
const UPLOAD = 'upload.jsonl'

export interface S3UploadOptions {
  readonly s3: S3
  readonly address: S3Address
  /** Where what is not at S3 for certain is kept meanwhile. */
  readonly directory: string
  readonly disk: Disk
  /** Bytes that an earlier process is sure of; what lies behind them is forgotten. */
  readonly size: number
  /** Take the place of an object of that name. */
  readonly replaces: boolean
  /** Of each of the first thousand parts. Default 8 MiB; S3 takes no less than 5 MiB, but for the last. */
  readonly partBytes?: number | undefined
}

/** Lines of {@link UPLOAD}: what it is, each part that is at S3, and that all are. */
type Line =
  | { readonly key: string; readonly uploadId: string }
  | { readonly part: S3Part }
  | { readonly whole: { readonly parts: number; readonly sizeBytes: number } }

/** What {@link UPLOAD} says. */
interface Left {
  readonly uploadId: string
  readonly parts: ReadonlyMap<number, S3Part>
  readonly whole: { readonly parts: number; readonly sizeBytes: number } | undefined
}

/**
 * An object that is written like a file, piece by piece, and appears when it is whole. Its bytes go into files of the
 * directory, one for each part; a part that is full is uploaded. Its file stays until all of it lies in front of what a
 * checkpoint is sure of: so a process that goes on cuts the rest back to the byte, as with any file, and uploads again what
 * it wrote anew. A part that has no file any more is at S3, and is what it shall be.
 */
export class S3Upload implements DiskFile {
  size: number
  readonly #options: S3UploadOptions
  readonly #partBytes: number
  /** Of the part that is being written. */
  #file: DiskFile | undefined
  /** The latest one. */
  #syncing: Promise<void> = Promise.resolve()
  /** Of parts that are full, and not on the disk for certain. */
  #unsynced: DiskFile[] = []
  #number: number
  /** Where that part begins. */
  #begins: number
  readonly #done = new Map<number, S3Part>()
  readonly #uploading = new Set<Promise<void>>()
  readonly #waiting: number[] = []
  #uploadId: Promise<string> | undefined
  /** What is at S3. */
  #log: DiskFile | undefined
  #failure: unknown
  /** How much there was at the latest calls of {@link sync}. */
  readonly #synced: number[]
  /** The first part whose file may still be there. */
  #firstKept: number

  /** @throws {HeadraceError} `STATE` when what an earlier process left is not there any more */
  static open(options: S3UploadOptions): S3Upload {
    const upload = new S3Upload(options)
    upload.#goOn()
    return upload
  }

  private constructor(options: S3UploadOptions) {
    this.#options = options
    this.#partBytes = options.partBytes ?? PART_BYTES
    this.size = options.size
    this.#synced = [options.size]
    ;[this.#number, this.#begins] = this.#partAt(options.size)
    this.#firstKept = this.#number
  }

  /** Resolves when there is room for more; undefined when there is now. */
  get room(): Promise<void> | undefined {
    if (this.#failure !== undefined) throw this.#failure
    return this.#waiting.length <= WAITING_MAX ? undefined : Promise.race(this.#uploading)
  }

  write(bytes: Uint8Array): void {
    if (this.#failure !== undefined) throw this.#failure
    let rest = bytes
    while (rest.length > 0) {
      const left = this.#begins + this.#bytesOf(this.#number) - this.size
      const piece = rest.subarray(0, left)
      this.#openFile().write(piece)
      this.size += piece.length
      rest = rest.subarray(piece.length)
      if (piece.length === left) this.#beginNext()
    }
  }

  /** @throws {Error} for what lies in front of the part that is being written */
  truncate(size: number): void {
    if (size === this.size) return
    if (size < this.#begins || size > this.size)
      throw new Error(`cannot truncate an upload from ${this.size} to ${size} bytes`)
    this.#openFile().truncate(size - this.#begins)
    this.size = size
  }

  /** Resolves when all that was written is on the disk, or at S3; called for each checkpoint. */
  async sync(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    this.#synced.push(this.size)
    // A checkpoint that begins now knows of no less than there was at the call before, and the one before it, which counts
    // where this one is damaged, of no less than at the call before that.
    if (this.#synced.length > SAVES) this.#dropFront(this.#synced.shift()!)
    // One after the other: a file that one of them is done with is not closed under another.
    const synced = this.#syncing.then(() => this.#syncFiles())
    this.#syncing = synced.catch(() => undefined)
    return synced
  }

  async #syncFiles(): Promise<void> {
    const full = this.#unsynced
    this.#unsynced = []
    try {
      for (const file of full) await file.sync()
    } finally {
      for (const file of full) file.close()
    }
    await this.#file?.sync()
  }

  /** Lets go of files; uploads go on, until {@link complete} or the end of their client. */
  close(): void {
    for (const file of this.#unsynced.splice(0)) file.close()
    this.#closeFile()
    this.#log?.close()
    this.#log = undefined
  }

  /**
   * Does what an earlier process may have done: where all was at S3 already, nothing else is left to do.
   *
   * @returns whether the object is there now
   */
  static async finish(options: Omit<S3UploadOptions, 'size'>): Promise<boolean> {
    const { disk, directory } = options
    const left = readLeft(options)
    // Of an object in one piece the file goes when it is at S3; of one in parts, what tells of them goes last.
    if (left === undefined) return disk.sizeOf(partPath(directory, 1)) === undefined
    if (left.whole === undefined) return false
    await completeUpload(options, left)
    for (let number = 1; number <= left.whole.parts; number += 1) disk.remove(partPath(directory, number))
    disk.remove(join(directory, UPLOAD))
    return true
  }

  /**
   * Makes an object of all that was written, and forgets what is here.
   *
   * @throws {HeadraceError} where it can not be; what is there stays, so that it can be tried again
   */
  async complete(): Promise<void> {
    const { s3, address, disk, replaces } = this.#options
    if (this.#number === 1 && this.#uploadId === undefined) {
      const path = this.#pathOf(1)
      await s3.put(address, disk.read(path)!, replaces)
      this.#closeFile()
      disk.remove(path)
      return
    }
    if (this.size > this.#begins) this.#beginNext()
    while (this.#uploading.size > 0) await Promise.race(this.#uploading)
    if (this.#failure !== undefined) throw this.#failure
    await this.#tell({ whole: { parts: this.#number - 1, sizeBytes: this.size } })
    // An empty one, if the last part was just full.
    disk.remove(this.#pathOf(this.#number))
    this.close()
    await S3Upload.finish(this.#options)
  }

  /** Nothing of it shall be left, here and at S3. */
  async abort(): Promise<void> {
    this.close()
    this.#waiting.length = 0
    this.#failure ??= new HeadraceError('CLOSED', `the upload of ${nameOf(this.#options.address)} was canceled`)
    await Promise.allSettled(this.#uploading)
    const { s3, address, disk, directory } = this.#options
    const uploadId = await this.#uploadId?.catch(() => undefined)
    if (uploadId !== undefined) await s3.abortUpload(address, uploadId)
    removeParts(this.#options, this.#firstKept)
    disk.remove(join(directory, UPLOAD))
  }

  /** What an earlier process has left. */
  #goOn(): void {
    const { address, disk, directory, size } = this.#options
    // Of a process that died as it wrote it. First, for parts that are handed on may write another.
    dropDraft(disk, directory, UPLOAD)
    const left = readLeft(this.#options)
    if (left !== undefined) this.#uploadId = Promise.resolve(left.uploadId)
    for (let number = 1; number < this.#number; number += 1) {
      const isKept = disk.sizeOf(this.#pathOf(number)) !== undefined
      const part = left?.parts.get(number)
      if (!isKept && part?.sizeBytes !== this.#bytesOf(number)) {
        throw new HeadraceError(
          'STATE',
          `${this.#pathOf(number)} was removed, and ${nameOf(address)} has no such part. Start the job ` +
            'again in another directory',
        )
      }
      if (isKept) {
        // What is at S3 may be of what was cut back later.
        this.#firstKept = Math.min(this.#firstKept, number)
        this.#hand(number)
      } else {
        this.#done.set(number, part!)
      }
    }
    // Of the part that was being written, what the checkpoint is sure of is here.
    const path = this.#pathOf(this.#number)
    const kept = disk.sizeOf(path) ?? 0
    if (kept < size - this.#begins) {
      throw new HeadraceError(
        'STATE',
        `${path} has ${kept} bytes of part ${this.#number} of ${nameOf(address)}, but the checkpoint recorded ` +
          `${size - this.#begins}: the file was changed. Restore it, or start the job again in another directory`,
      )
    }
    this.#openFile().truncate(size - this.#begins)
    // What was begun behind the checkpoint comes again.
    removeParts(this.#options, this.#number + 1)
  }

  #beginNext(): void {
    const { address } = this.#options
    if (this.#number === PARTS_MAX) throw new StorageError(`${nameOf(address)} is too large for S3`, nameOf(address))
    if (this.#file !== undefined) this.#unsynced.push(this.#file)
    this.#file = undefined
    this.#hand(this.#number)
    this.#begins += Math.min(this.#bytesOf(this.#number), this.size - this.#begins)
    this.#number += 1
  }

  #hand(number: number): void {
    this.#waiting.push(number)
    this.#pump()
  }

  #pump(): void {
    while (this.#uploading.size < UPLOADS_MAX && this.#failure === undefined) {
      const number = this.#waiting.shift()
      if (number === undefined) return
      const work = this.#upload(number)
        .catch((error: unknown) => {
          this.#failure ??= error
        })
        .finally(() => {
          this.#uploading.delete(work)
          this.#pump()
        })
      this.#uploading.add(work)
    }
  }

  async #upload(number: number): Promise<void> {
    const { s3, address, disk } = this.#options
    this.#uploadId ??= this.#begin()
    const uploadId = await this.#uploadId
    const body = disk.read(this.#pathOf(number))!
    const part = await s3.uploadPart(address, uploadId, number, body)
    await this.#tell({ part })
    this.#done.set(number, part)
  }

  /** Its name is on the disk before a part is sent, so that nothing is left that nobody knows of. */
  async #begin(): Promise<string> {
    const { s3, address, disk, directory } = this.#options
    const uploadId = await s3.beginUpload(address)
    await replaceFile(disk, directory, UPLOAD, lineText({ key: nameOf(address), uploadId }))
    return uploadId
  }

  /** Writes down what is so; when it resolves, that is on the disk. */
  async #tell(line: Line): Promise<void> {
    if (this.#log === undefined) {
      const { disk, directory } = this.#options
      const path = join(directory, UPLOAD)
      this.#log = disk.append(path)
      // A line that was cut off.
      this.#log.truncate(disk.read(path)!.lastIndexOf(10) + 1)
    }
    this.#log.write(Buffer.from(lineText(line)))
    await this.#log.sync()
  }

  /** Files of parts that are at S3, and in front of what will not be cut back any more. */
  #dropFront(sureBytes: number): void {
    const [sure] = this.#partAt(sureBytes)
    for (; this.#firstKept < sure && this.#done.has(this.#firstKept); this.#firstKept += 1)
      this.#options.disk.remove(this.#pathOf(this.#firstKept))
  }

  /** Of the part that is being written. */
  #openFile(): DiskFile {
    this.#file ??= this.#options.disk.append(this.#pathOf(this.#number))
    return this.#file
  }

  #closeFile(): void {
    this.#file?.close()
    this.#file = undefined
  }

  #pathOf(number: number): string {
    return partPath(this.#options.directory, number)
  }

  #bytesOf(number: number): number {
    return bytesOf(number, this.#partBytes)
  }

  #partAt(size: number): [number: number, begins: number] {
    return partAt(size, this.#partBytes)
  }
}

function partPath(directory: string, number: number): string {
  return join(directory, `part-${String(number).padStart(5, '0')}`)
}

/** From that one on. */
function removeParts({ directory, disk }: Pick<S3UploadOptions, 'directory' | 'disk'>, first: number): void {
  for (let number = first; disk.sizeOf(partPath(directory, number)) !== undefined; number += 1)
    disk.remove(partPath(directory, number))
}

function bytesOf(number: number, partBytes: number): number {
  return partBytes * 2 ** Math.floor((number - 1) / PARTS_OF_A_SIZE)
}

/** The part in which the next byte lies, and where that part begins. */
function partAt(size: number, partBytes = PART_BYTES): [number: number, begins: number] {
  let begins = 0
  let number = 1
  for (; begins + bytesOf(number, partBytes) <= size; number += 1) begins += bytesOf(number, partBytes)
  return [number, begins]
}

function lineText(line: Line): string {
  return `${JSON.stringify(line)}\n`
}

function readLeft({ disk, directory }: Pick<S3UploadOptions, 'disk' | 'directory'>): Left | undefined {
  const text = disk.read(join(directory, UPLOAD))?.toString()
  if (text === undefined) return undefined
  // What stands behind the last end of a line was cut off.
  const [first, ...lines] = text.slice(0, text.lastIndexOf('\n')).split('\n')
  const { uploadId } = parseJson(first!) as { uploadId: string }
  const parts = new Map<number, S3Part>()
  let whole: Left['whole']
  for (const line of lines) {
    const told = parseJson(line) as Line
    if ('part' in told) parts.set(told.part.number, told.part)
    if ('whole' in told) whole = told.whole
  }
  return { uploadId, parts, whole }
}

async function completeUpload(
  { s3, address, replaces }: Pick<S3UploadOptions, 's3' | 'address' | 'replaces'>,
  { uploadId, parts, whole }: Left,
): Promise<void> {
  const count = whole!.parts
  const all = Array.from({ length: count }, (_, index) => parts.get(index + 1)!)
  let failure: unknown
  try {
    if (await s3.completeUpload(address, uploadId, all, replaces)) return
  } catch (error) {
    failure = error
  }
  // It may have been completed before, and its answer was lost: then the object is there, of so many parts.
  const found = await s3.find(address)
  if (found?.sizeBytes === whole!.sizeBytes && found.etag.replaceAll('"', '').endsWith(`-${count}`)) return
  if (failure !== undefined) throw failure
  throw new StorageError(
    `the upload of ${nameOf(address)} was aborted, perhaps by a lifecycle rule. Start the job ` +
      'again in another directory.',
    nameOf(address),
  )
}
