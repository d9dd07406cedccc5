import { isObject } from './isObject.ts'

/**
 * How the JSON of a record spells an item: ordinary JSON, DynamoDB JSON, or DynamoDB JSON within `{"Item": …}` as the
 * native export writes it.
 */
export type ItemSpelling = 'plain' | 'dynamodb' | 'wrapped'

const TYPES: ReadonlySet<string> = new Set(['S', 'N', 'B', 'BOOL', 'NULL', 'M', 'L', 'SS', 'NS', 'BS'])

/**
 * The spelling that most of these records have. A record with a fault in it counts by what the rest of it looks like, so one
 * bad record decides nothing.
 *
 * @returns undefined where none of them tells
 */
export function judgeSpelling(records: readonly object[]): ItemSpelling | undefined {
  const votes = new Map<ItemSpelling, number>()
  for (const record of records) {
    const vote = voteOf(record)
    if (vote !== undefined) votes.set(vote.spelling, (votes.get(vote.spelling) ?? 0) + vote.weight)
  }
  let best: ItemSpelling | undefined
  for (const [spelling, weight] of votes) if (best === undefined || weight > votes.get(best)!) best = spelling
  return best
}

/**
 * The spelling of one record that stands alone, such as a reject that was put right: DynamoDB JSON where all of it can be
 * read so. As ordinary JSON it would have no attribute that can be a key.
 */
export function spellingOf(record: object): ItemSpelling {
  const vote = voteOf(record)
  return vote === undefined || vote.weight < 1 ? 'plain' : vote.spelling
}

/** Half a vote where only a part of the record looks like it. */
function voteOf(record: object): { readonly spelling: ItemSpelling; readonly weight: number } | undefined {
  const entries = Object.entries(record)
  if (entries.length === 0) return undefined
  if (entries.length === 1 && entries[0]![0] === 'Item') {
    const inner: unknown = entries[0]![1]
    if (isObject(inner) && Object.keys(inner).length > 0 && !isSound(inner)) {
      const share = typedShare(inner)
      if (share === 1) return { spelling: 'wrapped', weight: 1 }
      return share > 0.5 ? { spelling: 'wrapped', weight: 0.5 } : { spelling: 'plain', weight: 1 }
    }
  }
  const share = typedShare(record)
  if (share === 1) return { spelling: 'dynamodb', weight: 1 }
  return share > 0.5 ? { spelling: 'dynamodb', weight: 0.5 } : { spelling: 'plain', weight: 1 }
}

/**
 * Whether the spelling of this record is beyond doubt: sound DynamoDB JSON, or ordinary JSON in which nothing looks like it.
 */
export function isPlainlySpelt(record: object): boolean {
  const values = Object.values(record)
  if (values.length === 0) return false
  const inner: unknown = values.length === 1 ? (record as { readonly Item?: unknown | undefined }).Item : undefined
  if (values.every(isSound) || (isObject(inner) && Object.values(inner).every(isSound))) return true
  return typedShare(record) === 0 && !(isObject(inner) && typedShare(inner) > 0)
}

/** The part of the attributes that look like an attribute value; none do where not one of them is sound. */
function typedShare(record: object): number {
  const values = Object.values(record)
  if (!values.some(isSound)) return 0
  return values.filter((value) => isObject(value) && looksTyped(value)).length / values.length
}

/** `{"S":…}`, whatever it holds. */
function looksTyped(value: object): boolean {
  const names = Object.keys(value)
  return names.length === 1 && TYPES.has(names[0]!)
}

/** `{"S":"x"}`: a value with a type, and all that is in it. An attribute that is called `S` may look like one. */
function isSound(value: unknown): boolean {
  if (!isObject(value) || !looksTyped(value)) return false
  const [type, content] = Object.entries(value)[0] as [string, unknown]
  if (type === 'S' || type === 'N' || type === 'B') return typeof content === 'string'
  if (type === 'BOOL' || type === 'NULL') return typeof content === 'boolean'
  if (type === 'M') return isObject(content) && Object.values(content).every(isSound)
  if (!Array.isArray(content)) return false
  return type === 'L' ? content.every(isSound) : content.every((element) => typeof element === 'string')
}
