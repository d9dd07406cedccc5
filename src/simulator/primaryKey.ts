import { createHash } from 'node:crypto'
import type { Attributes, AttributeValue } from './attributes.ts'
import { compareNumbers } from './decimal.ts'
import { invalid } from './serviceError.ts'

interface KeyPart {
  readonly name: string
  readonly type: 'S' | 'N' | 'B'
}

export interface KeySchema {
  readonly partition: KeyPart
  readonly sort?: KeyPart | undefined
}

/** An item's place: hashes are cut into partitions and into segments of a scan alike. */
export interface PrimaryKey {
  /** Of the partition key, 0 to 2^32 - 1. */
  readonly hash: number
  /** The same exactly for the same key. */
  readonly text: string
  readonly attributes: Attributes
}

/** Hashes there are. */
export const HASHES: number = 2 ** 32

/** Bytes of a key's parts (service quotas). */
const PARTITION_BYTES_MAX = 2_048
const SORT_BYTES_MAX = 1_024

/**
 * @param alone the attributes must be the key and nothing else
 * @throws {ServiceError} when they do not hold such a key
 */
export function readKey(attributes: Attributes, schema: KeySchema, alone: boolean): PrimaryKey {
  const parts = schema.sort === undefined ? [schema.partition] : [schema.partition, schema.sort]
  if (alone && Object.keys(attributes).length !== parts.length) {
    throw invalid('The provided key element does not match the schema')
  }
  const key: { [name: string]: AttributeValue } = Object.create(null)
  for (const part of parts) key[part.name] = readPart(attributes, part, part === schema.sort)
  const partition = JSON.stringify(key[schema.partition.name])
  return { hash: hashOf(partition), text: parts.map(({ name }) => JSON.stringify(key[name])).join(), attributes: key }
}

function readPart(attributes: Attributes, { name, type }: KeyPart, isSort: boolean): AttributeValue {
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
  const bytes = type === 'B' ? Buffer.from(text, 'base64').length : Buffer.byteLength(text)
  if (bytes > (isSort ? SORT_BYTES_MAX : PARTITION_BYTES_MAX)) {
    throw invalid(`One or more parameter values were invalid: Size of key ${name} has exceeded the maximum size limit`)
  }
  return value
}

/** Any good hash does: the service's own is not known, only that ranges of it are partitions and segments. */
export function hashOf(partitionText: string): number {
  return createHash('md5').update(partitionText).digest().readUInt32BE(0)
}

/** The order of a scan: by hash, then by partition key, then by sort key. */
export function compareKeys(left: PrimaryKey, right: PrimaryKey, schema: KeySchema): number {
  if (left.hash !== right.hash) return left.hash - right.hash
  return comparePart(left, right, schema.partition) || (schema.sort && comparePart(left, right, schema.sort)) || 0
}

function comparePart(left: PrimaryKey, right: PrimaryKey, { name, type }: KeyPart): number {
  const one = left.attributes[name]![type] as string
  const other = right.attributes[name]![type] as string
  if (type === 'N') return compareNumbers(one, other)
  const encoding = type === 'B' ? 'base64' : 'utf8'
  return Buffer.compare(Buffer.from(one, encoding), Buffer.from(other, encoding))
}
