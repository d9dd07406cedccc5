import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { JobDirectory } from '../job/jobDirectory.ts'
import type { Disk, DiskFile } from '../storage/disk.ts'
import { nameOf, readS3Address, S3, type S3Address, type S3Options } from '../storage/s3.ts'
import { S3Upload, type S3UploadOptions } from '../storage/s3Upload.ts'
import type { ExportTarget } from './exportTarget.ts'

/** An object in S3, which is there when it is whole, and not before. */
export class S3Target implements ExportTarget {
  readonly #address: S3Address
  readonly #s3: S3
  readonly #disk: Disk
  readonly #replaces: boolean
  #directory: string | undefined
  /** Of a job without a directory: gone at the end. */
  #isOwn = false
  #upload: S3Upload | undefined

  /** @throws {TypeError} for an address that names no object */
  constructor(url: string, disk: Disk, options: S3Options & { readonly overwrite: boolean }) {
    this.#address = readS3Address(url)
    if (this.#address.key === '' || this.#address.key.endsWith('/'))
      throw new TypeError(`"${url}" does not name an object: use a name such as s3://BUCKET/items.jsonl`)
    this.#s3 = new S3(options)
    this.#disk = disk
    this.#replaces = options.overwrite
  }

  async exists(): Promise<boolean> {
    return (await this.#s3.find(this.#address)) !== undefined
  }

  async open(directory: JobDirectory | undefined, anew = false): Promise<DiskFile> {
    this.#isOwn = directory === undefined
    this.#directory = directory?.path ?? mkdtempSync(join(tmpdir(), 'headrace-'))
    const size = directory === undefined || anew ? 0 : this.sizeOf(directory)
    this.#upload = this.#openUpload(size)
    directory?.adopt(nameOf(this.#address), this.#upload)
    return this.#upload
  }

  get room(): Promise<void> | undefined {
    return this.#upload?.room
  }

  sizeOf(directory: JobDirectory): number {
    this.#directory = directory.path
    return directory.checkpoint?.files[nameOf(this.#address)] ?? 0
  }

  async seal(size: number, tail: Uint8Array): Promise<void> {
    if (this.#upload === undefined) {
      if (await S3Upload.finish(this.#place)) return
      this.#upload = this.#openUpload(size)
    }
    this.#upload.truncate(size)
    this.#upload.write(tail)
    await this.#upload.complete()
    this.#upload = undefined
  }

  async close(): Promise<void> {
    if (this.#isOwn && this.#directory !== undefined) {
      // Nobody can go on with it.
      await this.#upload?.abort()
      rmdirSync(this.#directory)
    }
    this.#upload?.close()
    await this.#s3.close()
  }

  get #place(): Omit<S3UploadOptions, 'size'> {
    const directory = this.#directory!
    return { s3: this.#s3, address: this.#address, directory, disk: this.#disk, replaces: this.#replaces }
  }

  #openUpload(size: number): S3Upload {
    return S3Upload.open({ ...this.#place, size })
  }
}
