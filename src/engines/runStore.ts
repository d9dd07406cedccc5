import type { JobSpec } from '../job/jobSpec.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { parseJson } from '../runtime/parseJson.ts'
import { nameOf, readS3Address, S3, type S3Address, type S3Options } from '../storage/s3.ts'
import type { SliceResult } from './runSlice.ts'

/** Objects read at the same time. */
const READS_MAX = 16

/**
 * What the slices of one run leave in S3, below a prefix: a result for each that is done, and what was rejected.
 *
 * ```
 * PREFIX/slices/MARK-200/000017.json      made once, whoever else tries; of a job cut into 200
 * PREFIX/rejects/000017-REQUEST.jsonl     of one call that rejected something
 * ```
 */
export class RunStore implements AsyncDisposable {
  readonly #s3: S3
  readonly #place: S3Address

  /** Of another job, or one that is cut in another way, results say nothing. */
  readonly #slices: string

  /**
   * @param of how many slices there are
   * @throws {TypeError} for what is no address in S3
   */
  constructor(prefix: string, { mark }: Pick<JobSpec, 'mark'>, of: number, options: S3Options = {}) {
    this.#slices = `slices/${mark}-${of}/`
    const { bucket, key } = readS3Address(prefix)
    this.#place = { bucket, key: key === '' || key.endsWith('/') ? key : `${key}/` }
    this.#s3 = new S3(options)
  }

  /**
   * A slice is done. Of several calls that say so, as of one whose answer was lost and that was made again, the first counts.
   *
   * @returns the result that counts
   */
  async settle(result: StoredResult): Promise<StoredResult> {
    const address = this.#at(`${this.#slices}${numberText(result.index)}.json`)
    if (await this.#s3.putNew(address, Buffer.from(JSON.stringify(result)))) return result
    return this.#read(address)
  }

  /** @returns the object's address */
  async putRejects(index: number, call: string, lines: string): Promise<string> {
    const address = this.#at(`rejects/${numberText(index)}-${call}.jsonl`)
    await this.#s3.put(address, Buffer.from(lines), true)
    return nameOf(address)
  }

  /** Of slices that are done, in their order. */
  async indices(): Promise<number[]> {
    const found = await this.#s3.list(this.#at(this.#slices))
    return found.map(({ key }) => Number.parseInt(/(\d+)\.json$/.exec(key)?.[1] ?? '', 10)).filter(Number.isSafeInteger)
  }

  /** Of all slices that are done, in their order. */
  async results(): Promise<StoredResult[]> {
    const indices = await this.indices()
    const results: StoredResult[] = []
    let next = 0
    const read = async (): Promise<void> => {
      for (let at = next++; at < indices.length; at = next++)
        results[at] = await this.#read(this.#at(`${this.#slices}${numberText(indices[at]!)}.json`))
    }
    await Promise.all(Array.from({ length: READS_MAX }, read))
    return results
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#s3.close()
  }

  async #read(address: S3Address): Promise<StoredResult> {
    const bytes = await this.#s3.get(address)
    if (bytes !== undefined) return parseJson(bytes.toString()) as StoredResult
    throw new HeadraceError(
      'STATE',
      `${nameOf(address)} was removed during the run: nothing may delete results of this run`,
    )
  }

  #at(name: string): S3Address {
    return { bucket: this.#place.bucket, key: `${this.#place.key}${name}` }
  }
}

/** A slice's result as it is kept. */
export interface StoredResult extends SliceResult {
  /** Objects with what was rejected, of all its calls. */
  readonly rejects?: readonly string[] | undefined
}

/** Sorts as numbers do. */
function numberText(index: number): string {
  return String(index).padStart(6, '0')
}
