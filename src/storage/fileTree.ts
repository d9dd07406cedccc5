import { constants } from 'node:fs'
import { access, readFile, stat } from 'node:fs/promises'
import { fileSentence } from './fileSentence.ts'
import { filesBelow } from './findFiles.ts'
import { openSource } from './openSource.ts'
import { isS3, nameOf, readS3Address, type S3, type S3Object } from './s3.ts'
import { readS3Object } from './s3Source.ts'
import { StorageError } from './storageError.ts'

/** Files of this machine, or objects in S3, by their whole names, whose parts have `/` between them. */
export interface FileTree {
  /** All below a directory, or those that begin with its name and a `/`; empty where there is none. */
  below(directory: string): Promise<string[]>
  /** Undefined where there is none. @throws {StorageError} where it may not be read */
  find(name: string): Promise<S3Object | undefined>
  /** All of a small one. @throws {StorageError} where there is none */
  read(name: string): Promise<Buffer>
  /** @param found by {@link find} */
  open(name: string, found: S3Object): AsyncIterable<Uint8Array>
}

/** @param s3 for names that begin with `s3://` */
export function fileTree(name: string, s3: S3): FileTree {
  return isS3(name) ? new S3Tree(s3) : LOCAL
}

const LOCAL: FileTree = {
  async below(directory) {
    const found = await stat(directory).catch(() => undefined)
    return found?.isDirectory() === true ? filesBelow(directory) : []
  },
  async find(name) {
    const found = await stat(name).catch(() => undefined)
    if (found?.isFile() !== true) return undefined
    await access(name, constants.R_OK).catch((cause: unknown) => {
      throw new StorageError(fileSentence(name, cause), name, { cause })
    })
    return { sizeBytes: found.size, etag: '' }
  },
  async read(name) {
    try {
      return await readFile(name)
    } catch (cause) {
      throw new StorageError(fileSentence(name, cause), name, { cause })
    }
  },
  open: (name) => openSource(name),
}

class S3Tree implements FileTree {
  readonly #s3: S3

  constructor(s3: S3) {
    this.#s3 = s3
  }

  async below(directory: string): Promise<string[]> {
    const { bucket, key } = readS3Address(directory)
    // Who names one object may be somebody who can not list any.
    if (key !== '' && !key.endsWith('/') && (await this.#s3.find({ bucket, key })) !== undefined) return []
    const prefix = key === '' || key.endsWith('/') ? key : `${key}/`
    const found = await this.#s3.list({ bucket, key: prefix })
    return found.map((object) => nameOf({ bucket, key: object.key }))
  }

  find(name: string): Promise<S3Object | undefined> {
    return this.#s3.find(readS3Address(name))
  }

  async read(name: string): Promise<Buffer> {
    const found = await this.#s3.head(readS3Address(name))
    const pieces: Uint8Array[] = []
    for await (const piece of this.open(name, found)) pieces.push(piece)
    return Buffer.concat(pieces)
  }

  open(name: string, found: S3Object): AsyncIterable<Uint8Array> {
    return readS3Object(this.#s3, readS3Address(name), found)
  }
}
