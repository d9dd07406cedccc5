import type { AttributeValue } from '@aws-sdk/client-dynamodb'

/** Name of the table that the null server pretends to have. */
export const TABLE = 'bench'

/** Entries in each request of every measured client. */
export const ENTRIES_PER_REQUEST = 25

/** Items in one page of the null server's scan, and segments that it takes a table to be read in. */
export const ITEMS_PER_PAGE = 5_000
export const SEGMENTS = 16

/** What an application would hand over: about 200 bytes as DynamoDB JSON. */
export interface BenchItem {
  pk: string
  sk: string
  name: string
  email: string
  active: boolean
  score: number
  tags: string[]
}

const FIRST_NAMES = ['Ada', 'Grace', 'Edsger', 'Barbara', 'Donald', 'Frances', 'Niklaus', 'Margaret']
const TAGS = ['gold', 'north', 'trial', 'team', 'mobile']

/** The same index always makes the same item, so that runs and clients are alike. */
export function makeItem(index: number): BenchItem {
  const name = FIRST_NAMES[index & 7]!
  return {
    pk: `user-${index}`,
    sk: 'profile',
    name: `${name} ${index}`,
    email: `${name}.${index}@example.com`,
    active: (index & 3) !== 0,
    score: (index % 1_000) / 8,
    tags: [TAGS[index % 5]!, TAGS[(index + 2) % 5]!],
  }
}

export function makeKey(index: number): { pk: string; sk: string } {
  return { pk: `user-${index}`, sk: 'profile' }
}

/** Written out for this one shape, as someone who cares for speed would do with the plain SDK client. */
export function toAttributeValues(item: BenchItem): Record<string, AttributeValue> {
  return {
    pk: { S: item.pk },
    sk: { S: item.sk },
    name: { S: item.name },
    email: { S: item.email },
    active: { BOOL: item.active },
    score: { N: String(item.score) },
    tags: { L: item.tags.map((tag) => ({ S: tag })) },
  }
}

export const UPDATE_STATEMENT: string = `UPDATE "${TABLE}" SET "tier"=? WHERE "pk"=? AND "sk"=? AND "tier" IS MISSING`
