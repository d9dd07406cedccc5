import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RecordDecoder } from '../formats/dynamoDbJson.ts'
import type { GatheredItems, ItemConversion } from '../formats/itemConversion.ts'
import { readJsonLines } from '../formats/jsonLines.ts'
import type { Packing } from '../formats/packing.ts'
import type { PlainItem } from '../item/attributeValue.ts'
import type { JobDirectory } from '../job/jobDirectory.ts'
import { type Clock, sleep } from '../runtime/clock.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import type { Disk, DiskFile } from '../storage/disk.ts'
import { ChunkFile } from './chunkFile.ts'
import type { ExportTarget } from './exportTarget.ts'

/** Where items are gathered, in the directory of the job: an item a line, in DynamoDB JSON. */
const GATHERED = 'items.jsonl'
const PIECE_BYTES = 256 * 1024

/**
 * A target for a format that has to know all items before it writes the first. What is written to it is gathered in a file
 * of the job's, and goes on from there like any other; when all is in it, {@link convert} makes of it what shall be in the
 * target. Where the process dies meanwhile that begins anew, and the table is not read again.
 */
export class ConvertedTarget implements ExportTarget {
  readonly #target: ExportTarget
  readonly #disk: Disk
  readonly room = undefined
  #directory: JobDirectory | undefined
  /** Of the file of items. */
  #path = ''
  #file: DiskFile | undefined
  /** Of a job without a directory: gone at the end. */
  #own: string | undefined

  constructor(target: ExportTarget, disk: Disk) {
    this.#target = target
    this.#disk = disk
  }

  exists(): Promise<boolean> {
    return this.#target.exists()
  }

  async open(directory: JobDirectory | undefined): Promise<DiskFile> {
    this.#directory = directory
    if (directory === undefined) this.#own = mkdtempSync(join(tmpdir(), 'headrace-'))
    this.#path = join(directory?.path ?? this.#own!, GATHERED)
    this.#file = directory?.file(GATHERED) ?? this.#disk.create(this.#path)
    return this.#file
  }

  /**
   * @param isStopped asked now and then; what was made until then is of no use
   * @returns bytes of what was made
   */
  async convert(
    conversion: ItemConversion,
    options: { readonly packing: Packing | undefined; readonly clock: Clock; readonly isStopped: () => boolean },
  ): Promise<number> {
    const file = await this.#target.open(this.#directory, true)
    const chunks = new ChunkFile(file, options)
    await conversion(this.#items(options), async (piece) => {
      if (typeof piece === 'string') await chunks.write(piece, () => undefined)
      else file.write(piece)
      for (let full = this.#target.room; full !== undefined && !options.isStopped(); full = this.#target.room)
        await full
    })
    await chunks.flush()
    return file.size
  }

  async seal(size: number): Promise<void> {
    await this.#target.seal(size, Buffer.alloc(0))
    this.#disk.remove(this.#path)
  }

  sizeOf(directory: JobDirectory): number {
    this.#path = join(directory.path, GATHERED)
    return this.#target.sizeOf(directory)
  }

  async close(): Promise<void> {
    if (this.#own !== undefined) {
      this.#file?.close()
      rmSync(this.#own, { recursive: true, force: true })
    }
    await this.#target.close()
  }

  #items({ clock, isStopped }: { readonly clock: Clock; readonly isStopped: () => boolean }): GatheredItems {
    const [disk, path, size] = [this.#disk, this.#path, this.#file!.size]
    let start = 0
    async function* pieces(): AsyncGenerator<Buffer> {
      for (start = 0; start < size && !isStopped(); ) {
        // The job's state is kept meanwhile.
        await sleep(clock, 0)
        const piece = disk.readPart(path, start, Math.min(PIECE_BYTES, size - start))
        start += piece.length
        yield piece
      }
    }
    return async function* () {
      const decoder = new RecordDecoder('dynamodb', undefined)
      let before = 0
      const options = { file: path, decoder, lineBytesMax: Number.MAX_SAFE_INTEGER, offset: 0 }
      for await (const records of readJsonLines(pieces(), options)) {
        const items: PlainItem[] = []
        for (const record of records) {
          if ('item' in record) items.push(record.item)
          // Stopped in the middle of a line: nothing of this counts.
          else if (!isStopped()) throw changed(path, record.place.line, record.error)
        }
        yield { items, bytes: start - before }
        before = start
      }
    }
  }
}

function changed(path: string, line: number, error: string): HeadraceError {
  const message = `${path}:${line}: ${error}. The collected items were changed: start the job again in another directory`
  return new HeadraceError('STATE', message)
}
