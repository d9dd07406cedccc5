import type { KeyAttribute, KeySchema } from './itemKey.ts'

/**
 * A table's key from its text: `id:S`, or `customer:S,number:N`. A name alone is of type S.
 *
 * @throws {TypeError} for text that is not a key
 */
export function readKeySchema(text: string): KeySchema {
  const parts = text.split(',').map((part): KeyAttribute => {
    const match = /^([^:,\s]+)(?::([SNB]))?$/.exec(part.trim())
    if (match === null)
      throw new TypeError(`key must be like 'id:S' or 'customer:S,number:N', with types S, N or B, not '${text}'`)
    return { name: match[1]!, type: (match[2] ?? 'S') as KeyAttribute['type'] }
  })
  const [partition, sort] = parts
  if (partition === undefined || parts.length > 2)
    throw new TypeError(`key must have one or two attributes, but '${text}' has ${parts.length}`)
  if (partition.name === sort?.name) throw new TypeError(`key must have two different attributes, not '${text}'`)
  return sort === undefined ? { partition } : { partition, sort }
}
