import type { Attributes, AttributeValue } from './attributes.ts'
import { compareNumbers } from './decimal.ts'
import { hashOf } from './hashOf.ts'
import { invalid } from './serviceError.ts'

interface KeyPart {
  readonly name: string
  readonly type: 'S' | 'N' | 'B'
}

export interface KeySchema {
  readonly partition: KeyPart
  readonly sort?: KeyPart | undefined
}

/** Bytes of a key's parts (service quotas). */
const PARTITION_BYTES_MAX = 2_048
const SORT_BYTES_MAX = 1_024

/** An item's place: hashes are cut into partitions and into segments of a scan alike. */
export class PrimaryKey {
  /** Of the partition key, 0 to 2^32 - 1. */
  readonly hash: number
  /** The same exactly for the same key. */
  readonly text: string
  readonly #item: Attributes
  readonly #schema: KeySchema

  constructor(hash: number, text: string, item: Attributes, schema: KeySchema) {
    this.hash = hash
    this.text = text
    this.#item = item
    this.#schema = schema
  }

  /** The key alone. */
  get attributes(): Attributes {
    const key: { [name: string]: AttributeValue } = Object.create(null)
    for (const { name } of partsOf(this.#schema)) key[name] = this.#item[name]!
    return key
  }

  /** The text by which a part is compared. */
  part({ name, type }: KeyPart): string {
    return this.#item[name]![type] as string
  }
}

/** The partition key, and the sort key where there is one. */
export function partsOf({ partition, sort }: KeySchema): KeyPart[] {
  return sort === undefined ? [partition] : [partition, sort]
}

/**
 * @param alone the attributes must be the key and nothing else
 * @throws {ServiceError} when they do not hold such a key
 */
export function readKey(attributes: Attributes, schema: KeySchema, alone: boolean): PrimaryKey {
  const { partition, sort } = schema
  if (alone && Object.keys(attributes).length !== (sort === undefined ? 1 : 2)) {
    throw invalid('The provided key element does not match the schema')
  }
  const text = readPart(attributes, partition, PARTITION_BYTES_MAX)
  const hash = hashOf(text)
  if (sort === undefined) return new PrimaryKey(hash, text, attributes, schema)
  return new PrimaryKey(hash, `${text},${readPart(attributes, sort, SORT_BYTES_MAX)}`, attributes, schema)
}

/** The text of a part, in DynamoDB JSON. */
function readPart(attributes: Attributes, { name, type }: KeyPart, bytesMax: number): string {
  const value = attributes[name]
  if (value === undefined || value[type] === undefined) {
    throw invalid('The provided key element does not match the schema')
  }
  const text = value[type] as string
  if (text === '') {
    throw invalid(
      `One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: ${name}`,
    )
  }
  // A character is three bytes at most.
  if (text.length * 3 > bytesMax) {
    const bytes = type === 'B' ? Buffer.from(text, 'base64').length : Buffer.byteLength(text)
    if (bytes > bytesMax) {
      throw invalid(
        `One or more parameter values were invalid: Size of key ${name} has exceeded the maximum size limit`,
      )
    }
  }
  return `{"${type}":${JSON.stringify(text)}}`
}

/** The order of a scan: by hash, then by partition key, then by sort key. */
export function compareKeys(left: PrimaryKey, right: PrimaryKey, schema: KeySchema): number {
  if (left.hash !== right.hash) return left.hash - right.hash
  return comparePart(left, right, schema.partition) || (schema.sort && comparePart(left, right, schema.sort)) || 0
}

function comparePart(left: PrimaryKey, right: PrimaryKey, part: KeyPart): number {
  const one = left.part(part)
  const other = right.part(part)
  if (part.type === 'N') return compareNumbers(one, other)
  const encoding = part.type === 'B' ? 'base64' : 'utf8'
  return Buffer.compare(Buffer.from(one, encoding), Buffer.from(other, encoding))
}
