import type { KeyAttribute, KeySchema } from './itemKey.ts'

/** What {@link itemKey} made a text of, in DynamoDB JSON: `{"id":{"S":"a"}}` as an object. */
export function keyAttributes(key: string, { partition, sort }: KeySchema): { [name: string]: unknown } {
  if (sort === undefined) return Object.fromEntries([attribute(partition, key)])
  const colon = key.indexOf(':')
  const end = colon + 1 + Number(key.slice(0, colon))
  return Object.fromEntries([attribute(partition, key.slice(colon + 1, end)), attribute(sort, key.slice(end))])
}

function attribute({ name, type }: KeyAttribute, text: string): [string, unknown] {
  return [name, { [type]: text }]
}
