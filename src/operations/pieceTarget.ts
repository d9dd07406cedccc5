import type { JobDirectory } from '../job/jobDirectory.ts'
import type { Random } from '../runtime/random.ts'
import type { DiskFile } from '../storage/disk.ts'
import { nameOf, readS3Address, S3, type S3Address, type S3Options } from '../storage/s3.ts'
import { S3Piece } from '../storage/s3Piece.ts'
import type { ExportTarget } from './exportTarget.ts'

/** Where everything lies that an object is made of, until it is made. @param mark of the job */
export function piecesAt(file: string, mark: string): string {
  return `${file}.headrace/${mark}`
}

/**
 * What one call for a slice of an export writes: an object of its own, beside the one that all of them become. Its name is no
 * other's, so that a call that is thought dead and is not can write what it likes: what counts is named by a cursor.
 */
export class PieceTarget implements ExportTarget {
  readonly isPiece = true
  readonly #file: string
  readonly #s3: S3
  readonly #random: () => Promise<Random>
  #piece: S3Piece | undefined

  /** @throws {TypeError} for an address that names no object */
  constructor(file: string, options: S3Options, random: () => Promise<Random>) {
    const { key } = readS3Address(file)
    if (key === '' || key.endsWith('/'))
      throw new TypeError(`"${file}" does not name an object: use a name such as s3://BUCKET/items.jsonl`)
    this.#file = file
    this.#s3 = new S3(options)
    this.#random = random
  }

  /** The object that all slices become is looked for when it is made. */
  exists(): Promise<boolean> {
    return Promise.resolve(false)
  }

  async open(directory: JobDirectory | undefined): Promise<DiskFile> {
    const random = await this.#random()
    const name = Array.from({ length: 4 }, () => Math.floor(random() * 2 ** 32).toString(36)).join('')
    const address: S3Address = readS3Address(`${piecesAt(this.#file, directory!.spec.mark)}/pieces/${name}`)
    this.#piece = new S3Piece(this.#s3, address)
    directory!.adopt(nameOf(address), this.#piece)
    return this.#piece
  }

  get room(): Promise<void> | undefined {
    return this.#piece?.room
  }

  sizeOf(): number {
    return 0
  }

  /** The ends are for the whole. */
  async seal(size: number): Promise<void> {
    await this.keep(size)
  }

  /** What a call that stops has written is as good as what one writes that comes to the end. */
  async keep(size: number): Promise<void> {
    this.#piece?.truncate(size)
    await this.#piece?.complete()
    this.#piece = undefined
  }

  async close(): Promise<void> {
    await this.#piece?.abort()
    await this.#s3.close()
  }
}
