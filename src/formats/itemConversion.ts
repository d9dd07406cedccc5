import type { PlainItem } from '../item/attributeValue.ts'
import { ColumnSurvey } from './columnFacts.ts'
import { type CsvColumn, columnText } from './csvColumns.ts'
import { CsvWriter, type CsvWriterOptions } from './csvWriter.ts'

/** Items that were gathered, in lists, as often as one likes to go through them; each list with the bytes it was read from. */
export type GatheredItems = () => AsyncIterable<{ readonly items: readonly PlainItem[]; readonly bytes: number }>

/** Takes a piece of a file; a promise when there is something to wait for before more is given. */
export type TakePiece = (piece: string | Uint8Array) => Promise<void> | undefined

/** Makes a file of items that were gathered before, for formats that have to know all items before they write the first. */
export type ItemConversion = (items: GatheredItems, take: TakePiece) => Promise<void>

export interface ConversionOptions {
  /** Attributes whose columns go in front: those of the key. */
  readonly first: readonly string[]
  /** Told of what will not come back as it was, in words. */
  readonly onLoss?: ((text: string) => void) | undefined
}

/** Finds the columns and their types first, then writes. */
export function csvConversion(options: ConversionOptions & Omit<CsvWriterOptions, 'columns'>): ItemConversion {
  const { first, onLoss, ...form } = options
  return async (gathered, take) => {
    const survey = new ColumnSurvey()
    for await (const { items } of gathered()) for (const item of items) survey.look(item)
    if (survey.isFull) onLoss?.('there are more attributes than a file can have columns: the last ones are left out')
    const found = survey.columns(first).map(
      ({ name, facts }): CsvColumn => ({
        name,
        type: form.typedHeader === true ? facts.type : facts.typeBesideNull,
      }),
    )
    const columns = found.filter((column) => columnText(column) !== undefined)
    if (columns.length === 0) columns.push(...first.map((name): CsvColumn => ({ name, type: 'S' })))
    const writer = new CsvWriter({ ...form, columns, onLoss })
    await take(writer.head)
    for await (const { items } of gathered()) {
      let text = ''
      for (const item of items) text += writer.write(item)
      await take(text)
    }
  }
}
