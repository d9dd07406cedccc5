import type { Decimal, IonType, Reader, Writer } from 'ion-js'
import type { PlainItem, PlainValue } from '../item/attributeValue.ts'
import { NESTING_MAX } from '../item/attributeValue.ts'
import { decodeItemText } from '../item/decode.ts'
import { encodeItem } from '../item/encode.ts'
import { ItemError } from '../item/itemError.ts'
import { NumberValue, numberText, plainNumber } from '../item/number.ts'
import type { RawRecord } from '../item/rawRecord.ts'
import { HeadraceError } from '../runtime/headraceError.ts'

/** The library, loaded when it is needed first. */
export type IonLibrary = typeof import('ion-js')

/** @throws {HeadraceError} `CONFIGURATION` where it is not installed */
export async function loadIon(): Promise<IonLibrary> {
  try {
    return await import('ion-js')
  } catch (cause) {
    const message = 'Amazon Ion needs the package ion-js, which is not installed: npm install ion-js'
    throw new HeadraceError('CONFIGURATION', message, { cause })
  }
}

/** What sets are marked by (developer guide, "DynamoDB table export output format", Amazon Ion). */
const SETS: { readonly [annotation: string]: 'S' | 'N' | 'B' } = {
  $dynamodb_SS: 'S',
  $dynamodb_NS: 'N',
  $dynamodb_BS: 'B',
}
/** Deeper than any item, so that none is refused for what surrounds it. */
const DEPTH_MAX = NESTING_MAX + 8

/**
 * Items from Ion text, one a line, as the service's export writes them: `$ion_1_0 {Item:{id:"a",n:1.}}`; or changes,
 * `$ion_1_0 {Record:{Keys:{…},NewImage:{…}}}`.
 */
export class IonDecoder {
  readonly #ion: IonLibrary
  readonly #changes: boolean
  #reader!: Reader

  constructor(ion: IonLibrary, changes: boolean) {
    this.#ion = ion
    this.#changes = changes
  }

  rawOf(text: string): RawRecord {
    return { raw: text.trim(), rawFormat: { format: 'ion' } }
  }

  /** @throws {ItemError} saying what is wrong with this record */
  decode(text: string): PlainItem {
    let record: unknown
    try {
      this.#reader = this.#ion.makeReader(text)
      const type = this.#reader.next()
      record = type === null ? undefined : this.#value(type, 0)
      if (this.#reader.next() !== null) throw new ItemError('several values on one line')
    } catch (error) {
      if (error instanceof ItemError) throw error
      throw new ItemError(`not valid Ion: ${error instanceof Error ? error.message : error}`)
    }
    if (this.#changes) return changeOf(record)
    if (isStruct(record) && Object.keys(record).length === 1 && isStruct(record['Item'])) return record['Item']
    throw new ItemError('not a record: expected $ion_1_0 {Item:{…}} on a line of its own')
  }

  #value(type: IonType, depth: number): PlainValue {
    const reader = this.#reader
    const [annotation] = reader.annotations()
    if (annotation !== undefined && (type.name !== 'list' || SETS[annotation] === undefined))
      throw new ItemError(`DynamoDB has no type for the Ion annotation ${annotation}`)
    if (depth > DEPTH_MAX) throw new ItemError(`nested deeper than ${NESTING_MAX} levels`)
    if (reader.isNull()) return null
    switch (type.name) {
      case 'bool':
        return reader.booleanValue()
      case 'string':
        return reader.stringValue()
      case 'int':
        return plainNumber(`${reader.bigIntValue()}`)
      case 'decimal':
        return plainNumber(decimalText(reader.decimalValue()!))
      case 'float':
        return plainNumber(numberText(reader.numberValue()!))
      case 'blob':
        return Uint8Array.from(reader.uInt8ArrayValue()!)
      case 'list':
        return annotation === undefined ? this.#list(depth) : this.#set(SETS[annotation]!, depth)
      case 'struct':
        return this.#struct(depth)
      default:
        throw new ItemError(`DynamoDB has no type for a value of the Ion type ${type.name}`)
    }
  }

  #list(depth: number): PlainValue[] {
    const reader = this.#reader
    const list: PlainValue[] = []
    reader.stepIn()
    for (let type = reader.next(); type !== null; type = reader.next()) list.push(this.#value(type, depth + 1))
    reader.stepOut()
    return list
  }

  #set(kind: 'S' | 'N' | 'B', depth: number): PlainValue {
    const list = this.#list(depth)
    for (const element of list) {
      const is =
        typeof element === 'string' ? 'S' : element instanceof Uint8Array ? 'B' : isNumber(element) ? 'N' : undefined
      if (is !== kind) throw new ItemError(`an element of a $dynamodb_${kind}S set has another type`)
    }
    const keys = list.map((element) =>
      element instanceof Uint8Array ? Buffer.from(element).toString('hex') : `${element}`,
    )
    if (list.length === 0) throw new ItemError('DynamoDB cannot store an empty set')
    if (new Set(keys).size < list.length) throw new ItemError('a set contains an element twice')
    return new Set(list as string[])
  }

  #struct(depth: number): { [name: string]: PlainValue } {
    const reader = this.#reader
    const struct: { [name: string]: PlainValue } = {}
    reader.stepIn()
    for (let type = reader.next(); type !== null; type = reader.next()) {
      const name = reader.fieldName()!
      if (Object.hasOwn(struct, name)) throw new ItemError(`the field ${JSON.stringify(name)} appears twice`)
      const value = this.#value(type, depth + 1)
      // Assigned, a name such as __proto__ would do something else.
      Object.defineProperty(struct, name, { value, writable: true, enumerable: true, configurable: true })
    }
    reader.stepOut()
    return struct
  }
}

function changeOf(record: unknown): PlainItem {
  const change = isStruct(record) && isStruct(record['Record']) ? record['Record'] : record
  if (isStruct(change) && isStruct(change['Keys'])) {
    const image = change['NewImage']
    if (image === undefined) return { delete: change['Keys'] }
    if (isStruct(image)) return { put: image }
  }
  throw new ItemError('not a change of an incremental export: $ion_1_0 {Record:{Keys:{…},NewImage:{…}}}')
}

function isStruct(value: unknown): value is { readonly [name: string]: unknown } {
  if (typeof value !== 'object' || value === null) return false
  return Object.getPrototypeOf(value) === Object.prototype
}

function isNumber(value: PlainValue): boolean {
  return typeof value === 'number' || typeof value === 'bigint' || value instanceof NumberValue
}

function decimalText(decimal: Decimal): string {
  const coefficient = decimal.getCoefficient()
  const sign = decimal.isNegative() && coefficient > 0n ? '-' : ''
  return `${sign}${coefficient}e${decimal.getExponent()}`
}

/** Items as Ion text, one a line, as the service's export writes them. Loses nothing. */
export class IonWriter {
  readonly head = ''
  readonly tail = ''
  readonly #ion: IonLibrary

  constructor(ion: IonLibrary) {
    this.#ion = ion
  }

  /** @throws {ItemError} for what DynamoDB can not hold */
  write(item: PlainItem): string {
    // So that it is known to be an item, in the plainest form.
    const plain = decodeItemText(encodeItem(item))
    const writer = this.#ion.makeTextWriter()
    writer.stepIn(this.#ion.IonTypes.STRUCT)
    writer.writeFieldName('Item')
    this.#write(writer, plain)
    writer.stepOut()
    writer.close()
    return `$ion_1_0 ${Buffer.from(writer.getBytes()).toString()}\n`
  }

  #write(writer: Writer, value: unknown): void {
    const { IonTypes } = this.#ion
    if (value === null) writer.writeNull(IonTypes.NULL)
    else if (typeof value === 'string') writer.writeString(value)
    else if (typeof value === 'boolean') writer.writeBoolean(value)
    else if (value instanceof Uint8Array) writer.writeBlob(value)
    else if (value instanceof Set) this.#writeSet(writer, value)
    else if (Array.isArray(value)) {
      writer.stepIn(IonTypes.LIST)
      for (const element of value) this.#write(writer, element)
      writer.stepOut()
    } else if (typeof value === 'object' && !(value instanceof NumberValue)) {
      writer.stepIn(IonTypes.STRUCT)
      for (const [name, member] of Object.entries(value)) {
        writer.writeFieldName(name)
        this.#write(writer, member)
      }
      writer.stepOut()
    } else {
      writer.writeDecimal(this.#decimal(`${value}`))
    }
  }

  #writeSet(writer: Writer, set: ReadonlySet<unknown>): void {
    const [first] = set
    writer.setAnnotations([
      typeof first === 'string' ? '$dynamodb_SS' : first instanceof Uint8Array ? '$dynamodb_BS' : '$dynamodb_NS',
    ])
    writer.stepIn(this.#ion.IonTypes.LIST)
    for (const element of set) this.#write(writer, element)
    writer.stepOut()
  }

  /** @param text of a number, with or without an exponent */
  #decimal(text: string): Decimal {
    const [, sign, whole = '', fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/.exec(text)!
    return new this.#ion.Decimal(BigInt(whole + fraction), Number(exponent) - fraction.length, sign === '-')
  }
}
