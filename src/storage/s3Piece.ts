import { HeadraceError } from '../runtime/headraceError.ts'
import type { DiskFile } from './disk.ts'
import { nameOf, type S3, type S3Address, type S3Part } from './s3.ts'
import { StorageError } from './storageError.ts'

/** S3 takes parts from 5 MiB on, and 10,000 of them (user guide, "Amazon S3 multipart upload limits"). */
const PART_BYTES = 8 * 1024 * 1024
const PARTS_MAX = 10_000
/** Parts on their way at once, before whoever writes must wait. */
const UPLOADS_MAX = 4

/**
 * An object that one process writes in one go, in memory but for what is on its way: nothing of it is there until it is
 * complete, and nothing is left of it when the process dies but an upload that a lifecycle rule clears away.
 */
export class S3Piece implements DiskFile {
  size = 0
  readonly #s3: S3
  readonly #address: S3Address
  readonly #partBytes: number
  #chunks: Uint8Array[] = []
  #chunkBytes = 0
  #uploadId: Promise<string> | undefined
  readonly #parts: S3Part[] = []
  #count = 0
  readonly #uploading = new Set<Promise<void>>()
  #failure: unknown

  /** @param partBytes of all parts but the last. Default 8 MiB */
  constructor(s3: S3, address: S3Address, partBytes: number = PART_BYTES) {
    this.#s3 = s3
    this.#address = address
    this.#partBytes = partBytes
  }

  /** Resolves when there is room for more; undefined when there is now. */
  get room(): Promise<void> | undefined {
    if (this.#failure !== undefined) throw this.#failure
    return this.#uploading.size < UPLOADS_MAX ? undefined : Promise.race(this.#uploading)
  }

  write(bytes: Uint8Array): void {
    if (this.#failure !== undefined) throw this.#failure
    this.size += bytes.length
    this.#chunks.push(bytes)
    this.#chunkBytes += bytes.length
    if (this.#chunkBytes >= this.#partBytes) this.#send()
  }

  /** @throws {Error} for less than there is: what was written is on its way */
  truncate(size: number): void {
    if (size !== this.size)
      throw new Error(`cannot truncate ${nameOf(this.#address)} from ${this.size} to ${size} bytes`)
  }

  /** There is nothing to be sure of before it is complete. */
  async sync(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
  }

  close(): void {
    // Held by the process alone.
  }

  /** Makes an object of all that was written; of nothing, none. */
  async complete(): Promise<void> {
    if (this.size === 0) return
    if (this.#uploadId === undefined) {
      await this.#s3.put(this.#address, this.#takeChunks(), true)
      return
    }
    if (this.#chunkBytes > 0) this.#send()
    await Promise.all(this.#uploading)
    if (this.#failure !== undefined) throw this.#failure
    if (await this.#s3.completeUpload(this.#address, await this.#uploadId, this.#parts, true)) return
    throw new StorageError(
      `the upload of ${nameOf(this.#address)} was aborted, perhaps by a lifecycle rule. Try again.`,
      nameOf(this.#address),
    )
  }

  /** Nothing of it shall be left. */
  async abort(): Promise<void> {
    this.#failure ??= new HeadraceError('CLOSED', `the upload of ${nameOf(this.#address)} was canceled`)
    await Promise.all(this.#uploading)
    const uploadId = await this.#uploadId?.catch(() => undefined)
    if (uploadId !== undefined) await this.#s3.abortUpload(this.#address, uploadId)
  }

  #send(): void {
    const number = ++this.#count
    if (number > PARTS_MAX)
      throw new StorageError(`${nameOf(this.#address)} is too large for S3`, nameOf(this.#address))
    const body = this.#takeChunks()
    this.#uploadId ??= this.#s3.beginUpload(this.#address)
    const work = this.#upload(this.#uploadId, number, body)
      .catch((error: unknown) => {
        this.#failure ??= error
      })
      .finally(() => this.#uploading.delete(work))
    this.#uploading.add(work)
  }

  async #upload(uploadId: Promise<string>, number: number, body: Uint8Array): Promise<void> {
    this.#parts[number - 1] = await this.#s3.uploadPart(this.#address, await uploadId, number, body)
  }

  #takeChunks(): Uint8Array {
    const body = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks)
    this.#chunks = []
    this.#chunkBytes = 0
    return body
  }
}
