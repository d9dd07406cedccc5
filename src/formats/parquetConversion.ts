import type { ByteWriter } from 'hyparquet-writer'
import type { PlainItem } from '../item/attributeValue.ts'
import { encodeItem } from '../item/encode.ts'
import { ColumnFacts, ColumnSurvey, type FoundColumn } from './columnFacts.ts'
import type { ConversionOptions, ItemConversion, TakePiece } from './itemConversion.ts'
import { Losses } from './losses.ts'
import { type ParquetColumn, parquetColumn, STRING } from './parquetColumns.ts'
import { loadParquetWriter, NOTE_KEY, type ParquetNote } from './parquetLibrary.ts'

/** Of items as they were gathered, and cells, that are in memory until their row group is written. */
const ROW_GROUP_BYTES = 8 * 1024 * 1024
const ROW_GROUP_CELLS = 2_000_000

export interface ParquetOptions extends ConversionOptions {
  /** Names, in their order. Default: all that are found. */
  readonly columns?: readonly string[] | undefined
  /** Of a row group, as the items were gathered. Default 8 MiB. */
  readonly rowGroupBytes?: number | undefined
}

/** Finds the columns and their types first, then writes, row group by row group, packed with Snappy. */
export function parquetConversion(options: ParquetOptions): ItemConversion {
  const { first, onLoss, rowGroupBytes = ROW_GROUP_BYTES } = options
  return async (gathered, take) => {
    const library = await loadParquetWriter()
    const survey = new ColumnSurvey()
    for await (const { items } of gathered()) for (const item of items) survey.look(item)
    const found = chosen(survey.columns(options.columns ?? first), options)
    const columns = found.map(parquetColumn)
    const all = options.columns === undefined
    const hasRest =
      (all && survey.isFull) || found.some(({ facts }, index) => facts.types.has('NULL') && !holdsNull(columns[index]!))
    const rest = hasRest ? freeName(columns) : undefined
    const bytes = new library.ByteWriter()
    const writer = new library.ParquetWriter({
      writer: bytes,
      schema: [
        { name: 'items', num_children: columns.length + (rest === undefined ? 0 : 1) },
        ...columns.map(({ element }) => element),
        ...(rest === undefined ? [] : [{ name: rest, repetition_type: 'OPTIONAL' as const, ...STRING }]),
      ],
      kvMetadata: [{ key: NOTE_KEY, value: JSON.stringify(noteOf(columns, rest)) }],
      createdBy: 'headrace',
    })
    const group = new RowGroup(columns, rest, all ? undefined : new Losses(onLoss))
    const flush = async (): Promise<void> => {
      // Page indexes would have to be kept until the end.
      if (group.rows > 0) writer.write({ columnData: group.take(), rowGroupSize: group.rows })
      group.clear()
      await handOn(bytes, take)
    }
    let gatheredBytes = 0
    for await (const { items, bytes: size } of gathered()) {
      for (const item of items) group.add(item)
      gatheredBytes += size
      if (gatheredBytes < rowGroupBytes && group.rows * columns.length < ROW_GROUP_CELLS) continue
      await flush()
      gatheredBytes = 0
    }
    await flush()
    writer.finish()
    await handOn(bytes, take)
  }
}

/** The columns that there shall be; one at least, as a file has. */
function chosen(found: readonly FoundColumn[], { columns, first }: ParquetOptions): readonly FoundColumn[] {
  const text = new ColumnFacts()
  text.look('')
  if (columns === undefined) return found.length > 0 ? found : first.map((name) => ({ name, facts: text }))
  return columns.map((name) => found.find((one) => one.name === name) ?? { name, facts: text })
}

function freeName(columns: readonly ParquetColumn[]): string {
  let name = 'headrace.rest'
  while (columns.some((column) => column.name === name)) name += '_'
  return name
}

/** As text of JSON it stands in its cell; elsewhere a cell that holds nothing is an attribute that is missing. */
function holdsNull({ note }: ParquetColumn): boolean {
  return note === 'json' || note === 'ddb'
}

function noteOf(columns: readonly ParquetColumn[], rest: string | undefined): ParquetNote {
  const noted = columns.flatMap(({ name, note }) => (note === undefined ? [] : [[name, note] as const]))
  return { version: 1, columns: Object.fromEntries(noted), rest }
}

/** What is in the library's buffer goes, and the buffer is used again. */
async function handOn(bytes: ByteWriter, take: TakePiece): Promise<void> {
  await take(bytes.getBytes())
  bytes.index = 0
}

/** The cells of some rows, column by column. */
class RowGroup {
  rows = 0
  readonly #columns: readonly ParquetColumn[]
  readonly #names: ReadonlySet<string>
  readonly #rest: string | undefined
  readonly #losses: Losses | undefined
  #cells: unknown[][]
  #rests: unknown[] = []

  /** @param losses told of attributes that have no column; undefined where they go into the rest */
  constructor(columns: readonly ParquetColumn[], rest: string | undefined, losses: Losses | undefined) {
    this.#columns = columns
    this.#names = new Set(columns.map(({ name }) => name))
    this.#rest = rest
    this.#losses = losses
    this.#cells = columns.map(() => [])
  }

  add(item: PlainItem): void {
    this.rows += 1
    const rest: [string, unknown][] = []
    for (const [index, { name, toCell }] of this.#columns.entries()) {
      const value: unknown = Object.hasOwn(item, name) ? item[name] : undefined
      const cell = value === undefined ? undefined : toCell(value)
      if (value !== undefined && cell === undefined) rest.push([name, value])
      this.#cells[index]!.push(cell ?? null)
    }
    for (const name of Object.keys(item)) {
      if (this.#names.has(name) || item[name] === undefined) continue
      if (this.#losses === undefined) rest.push([name, item[name]])
      else this.#losses.tell(name, 'left out, because the file has no column for it')
    }
    this.#rests.push(rest.length === 0 ? null : encodeItem(Object.fromEntries(rest)))
  }

  take(): { name: string; data: unknown[]; offsetIndex: false }[] {
    const all = this.#columns.map(({ name }, index) => ({ name, data: this.#cells[index]! }))
    if (this.#rest !== undefined) all.push({ name: this.#rest, data: this.#rests })
    return all.map((column) => ({ ...column, offsetIndex: false }))
  }

  clear(): void {
    this.rows = 0
    this.#cells = this.#columns.map(() => [])
    this.#rests = []
  }
}
