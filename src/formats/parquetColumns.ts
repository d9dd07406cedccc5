import type { SchemaElement } from 'hyparquet'
import type { PlainItem } from '../item/attributeValue.ts'
import { writePlainJson } from '../item/writePlainJson.ts'
import { type ColumnFacts, type FoundColumn, numberOf } from './columnFacts.ts'
import { dynamoDbText } from './csvWriter.ts'
import type { ParquetNote } from './parquetLibrary.ts'

/** Digits of a decimal that lies in 64 bits, and the most that DynamoDB and Parquet's 16 bytes have. */
const SHORT_DECIMAL_DIGITS = 18
const DECIMAL_DIGITS = 38
const DECIMAL_BYTES = 16

/** How values of an attribute lie in a column. */
export interface ParquetColumn {
  readonly name: string
  readonly element: SchemaElement
  /** Of a value that is there; undefined where the column can not hold it, and the rest of the item has to. */
  readonly toCell: (value: unknown) => unknown
  /** What the text of it stands for, if it is not for itself. */
  readonly note?: ParquetNote['columns'][string] | undefined
}

/**
 * | all values | column |
 * |---|---|
 * | S | STRING |
 * | BOOL | BOOLEAN |
 * | N, whole, of 64 bits | INT64 |
 * | N of up to 18 digits in all | DECIMAL in INT64 |
 * | N that are doubles, each in the digits that a double is written with | DOUBLE |
 * | N of up to 38 digits in all | DECIMAL in 16 bytes |
 * | other N | STRING |
 * | B | BYTE_ARRAY |
 * | lists and maps without sets and bytes, mixed with others | STRING, as ordinary JSON |
 * | anything else | STRING, as DynamoDB JSON |
 *
 * Every column may be null. NULL among values of one type is null, too.
 */
export function parquetColumn({ name, facts }: FoundColumn): ParquetColumn {
  const types = new Set(facts.types)
  const hasOthers = types.size > 1 && types.delete('NULL')
  const [type] = types.size === 1 ? types : [undefined]
  const orRest = (toCell: (value: never) => unknown) => (value: unknown) =>
    value === null ? undefined : toCell(value as never)
  const column = (kind: Partial<SchemaElement>, toCell: (value: never) => unknown): ParquetColumn => ({
    name,
    element: { name, repetition_type: 'OPTIONAL', ...kind },
    toCell: orRest(toCell),
  })
  switch (type) {
    case 'S':
      return column(STRING, (value: string) => value)
    case 'BOOL':
      return column({ type: 'BOOLEAN' }, (value: boolean) => value)
    case 'B':
      return column({ type: 'BYTE_ARRAY' }, (value: Uint8Array) => value)
    case 'N':
      return numberColumn(facts, column)
    default: {
      const note = (hasOthers && type !== undefined ? type : facts.type) === 'ddb' ? 'ddb' : 'json'
      const toCell = note === 'ddb' ? dynamoDbText : (value: unknown) => writePlainJson(value as PlainItem)
      return { name, element: { name, repetition_type: 'OPTIONAL', ...STRING }, toCell, note }
    }
  }
}

/** A column of text. */
export const STRING: Partial<SchemaElement> = {
  type: 'BYTE_ARRAY',
  converted_type: 'UTF8',
  logical_type: { type: 'STRING' },
}

function numberColumn(
  facts: ColumnFacts,
  column: (kind: Partial<SchemaElement>, toCell: (value: never) => unknown) => ParquetColumn,
): ParquetColumn {
  if (facts.isInt64) return column({ type: 'INT64' }, (value: unknown) => BigInt(numberOf(value)))
  const scale = facts.fractionDigits
  const precision = facts.wholeDigits + scale
  const decimal = (kind: Partial<SchemaElement>): ParquetColumn =>
    column(
      { ...kind, converted_type: 'DECIMAL', logical_type: { type: 'DECIMAL', precision, scale }, precision, scale },
      (value: unknown) => unscaled(numberOf(value), scale),
    )
  if (precision <= SHORT_DECIMAL_DIGITS) return decimal({ type: 'INT64' })
  if (facts.isDouble) return column({ type: 'DOUBLE' }, (value: number) => value)
  if (precision <= DECIMAL_DIGITS) return decimal({ type: 'FIXED_LEN_BYTE_ARRAY', type_length: DECIMAL_BYTES })
  return { ...column(STRING, numberOf), note: 'N' }
}

/** A number times a power of ten that makes it whole. */
function unscaled(text: string, scale: number): bigint {
  const [whole, fraction = ''] = text.split('.')
  return BigInt(whole! + fraction.padEnd(scale, '0'))
}
