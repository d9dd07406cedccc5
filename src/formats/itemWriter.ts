import type { PlainItem } from '../item/attributeValue.ts'
import { encodeItem } from '../item/encode.ts'
import { writePlainJson } from '../item/writePlainJson.ts'
import { CsvWriter, type CsvWriterOptions } from './csvWriter.ts'
import { type IonLibrary, IonWriter } from './ion.ts'
import type { ItemFormat } from './itemFormat.ts'
import { Losses } from './losses.ts'
import { XmlWriter, type XmlWriterOptions } from './xmlWriter.ts'

/** Makes text of items, one after another. */
export interface ItemWriter {
  /** In front of the first item. */
  readonly head: string
  /** Behind the last one. */
  readonly tail: string
  /** @throws {ItemError} for what this format can not hold: the item has no part in the file then */
  write(item: PlainItem): string
}

export interface ItemWriterOptions {
  readonly xml?: XmlWriterOptions | undefined
  /** Without columns, they have to be found first; see {@link csvConversion}. */
  readonly csv?: Omit<CsvWriterOptions, 'onLoss'> | undefined
  /** For `ion`. */
  readonly ion?: IonLibrary | undefined
  /** Told once of each attribute of which something will not come back as it was, in words. */
  readonly onLoss?: ((text: string) => void) | undefined
}

/** @throws {TypeError} for options that the format can not go by */
export function openItemWriter(format: ItemFormat, options: ItemWriterOptions = {}): ItemWriter {
  if (format === 'xml') return new XmlWriter(options.xml)
  if (format === 'csv' && options.csv !== undefined) return new CsvWriter({ ...options.csv, onLoss: options.onLoss })
  // To be converted, when all are gathered.
  if (format === 'csv' || format === 'parquet') return { head: '', tail: '', write: (item) => `${encodeItem(item)}\n` }
  if (format === 'ion') {
    if (options.ion === undefined) throw new TypeError('ion: the library is required')
    return new IonWriter(options.ion)
  }
  if (format === 'ddb-json') return { head: '', tail: '', write: (item) => `{"Item":${encodeItem(item)}}\n` }
  const losses = new Losses(options.onLoss)
  return {
    head: '',
    tail: '',
    write(item) {
      losses.look(item)
      return `${writePlainJson(item)}\n`
    },
  }
}
