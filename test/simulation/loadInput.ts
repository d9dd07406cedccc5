import { file, type RecordSource, type SourceRecord } from '../../src/index.ts'
import { type Clock, sleep } from '../../src/runtime/clock.ts'
import type { Ask } from './ask.ts'
import { wireOf } from './records.ts'
import type { Run } from './run.ts'

/** What a load is given: the same each time that it is read, made when it is read first. */
export class LoadInput {
  /** A record each. */
  readonly asks: Ask[] = []
  readonly #run: Run
  readonly #lists: SourceRecord[][] = []

  constructor(run: Run) {
    this.#run = run
  }

  /** @param clock the reader's, which may stand still one day */
  source(clock: Clock): RecordSource {
    return { name: 'made up', records: () => this.#records(clock) }
  }

  /** As {@link source}, dealt out to several by their keys: between sources there is no order. */
  sources(clock: Clock, count: number): readonly RecordSource[] {
    if (count === 1) return [this.source(clock)]
    const sourceOf = ({ place }: SourceRecord): number => {
      const { key } = this.asks[place.line - 1]!
      return (key.length + key.charCodeAt(key.length - 1)) % count
    }
    const dealt = async function* (lists: AsyncIterable<readonly SourceRecord[]>, index: number) {
      for await (const list of lists) yield list.filter((record) => sourceOf(record) === index)
    }
    return Array.from({ length: count }, (_, index) => ({
      name: `part ${index}`,
      records: () => dealt(this.#records(clock), index),
    }))
  }

  async *#records(clock: Clock): AsyncGenerator<readonly SourceRecord[]> {
    const { world, random } = this.#run
    for (let index = 0; index < this.#lists.length || this.asks.length < world.records; index += 1) {
      const list = this.#lists[index] ?? this.#makeList()
      this.#lists[index] = list
      yield list
      if (random() < 0.2) await sleep(clock, random() * 100)
    }
  }

  #makeList(): SourceRecord[] {
    const { world, records, random } = this.#run
    const list: SourceRecord[] = []
    const count = 1 + Math.floor(random() * 40)
    for (let index = 0; index < count && this.asks.length < world.records; index += 1) {
      const line = this.asks.length + 1
      const place = { file: 'made up', line, offset: line * 100 }
      const item = records.item(records.someKey(), this.asks.length)
      const invalid = random() < world.invalidShare
      const poison = !invalid && world.indexes.length > 0 && random() < world.poisonShare
      this.asks.push({ kind: 'put', key: records.keyText(item), attributes: wireOf(item), invalid, poison })
      if (invalid && random() < 0.5) list.push({ error: 'cut off', raw: '{', place })
      else if (invalid) list.push({ item: { ...item, text: 'x'.repeat(410_000) }, place })
      else list.push({ item: poison ? { ...item, group: 5 } : item, place })
    }
    return list
  }

  /**
   * The same as a file on a disk that fails: reading ends half-way, in an error or in silence. What lies behind that place
   * is no longer asked for.
   */
  brokenFile(clock: Clock, { array, fault, share }: NonNullable<Run['world']['brokenFile']>): RecordSource {
    const { world } = this.#run
    while (this.asks.length < world.records) this.#lists.push(this.#makeList())
    const texts = this.#lists.flat().map((record) => {
      if ('item' in record) return JSON.stringify(wireOf(record.item))
      // In an array one such record would be the end of it.
      return array ? '{"pk":{"S":""}}' : record.raw
    })
    const whole = array ? `[${texts.join(',\n')}]\n` : `${texts.join('\n')}\n`
    const bytes = Buffer.from(whole).subarray(0, Math.floor(share * whole.length))
    this.#forgetBehind(texts, array, bytes.length, fault)
    const open = (): AsyncGenerator<Uint8Array> => this.#pieces(clock, bytes, fault)
    return file(array ? 'things.json' : 'things.jsonl', { open })
  }

  /** Asks for what is there of the file, and no more. */
  #forgetBehind(texts: readonly string[], array: boolean, length: number, fault: 'EIO' | 'cut'): void {
    let end = array ? 1 : 0
    for (const [index, text] of texts.entries()) {
      const begin = end
      end += Buffer.byteLength(text)
      // A line is a line when its end has come; at the end of a file it may lack one.
      const complete = array || fault === 'cut' ? end <= length : end + 1 <= length
      if (!complete) {
        const partial = !array && fault === 'cut' && begin < length
        const half = { ...this.asks[index]!, invalid: true, poison: false }
        this.asks.splice(index, Number.POSITIVE_INFINITY, ...(partial ? [half] : []))
        return
      }
      end += array ? 2 : 1
    }
  }

  async *#pieces(clock: Clock, bytes: Buffer, fault: 'EIO' | 'cut'): AsyncGenerator<Uint8Array> {
    const { random } = this.#run
    for (let at = 0; at < bytes.length; ) {
      const next = Math.min(bytes.length, at + 1 + Math.floor(random() * 50_000))
      yield bytes.subarray(at, next)
      at = next
      if (random() < 0.2) await sleep(clock, random() * 100)
    }
    if (fault === 'EIO') throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' })
  }
}
