import type { Database } from '../../src/database/database.ts'
import { readFilter } from '../../src/expression/filter.ts'
import { createTable } from '../../src/operations/tables.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { type Attributes, readAttributes } from '../../src/simulator/attributes.ts'
import { readCondition } from '../../src/simulator/condition.ts'
import {
  Dice,
  type GeneratedFilter,
  type GeneratedOperand,
  generateFilter,
  generateItems,
  type Item,
  OPERATORS,
  TYPES,
  type Value,
} from './generatedFilters.ts'

export interface FilterReport {
  readonly ran: number
  /** Filters that the simulator, which knows a part of the language, was asked about too. */
  readonly simulated: number
  readonly differences: readonly string[]
  /** How often each operator met each kind of operands: `= same`, `< missing`, `contains L`. */
  readonly counts: ReadonlyMap<string, number>
}

export interface RunFiltersOptions {
  readonly database: Database
  readonly from: number
  readonly seeds: number
  /** End with the first difference. */
  readonly stop?: boolean
  readonly onProgress?: (ran: number) => void
}

const TABLE = 'filtered'
const ITEMS = 24
/** Filters that are asked of the same items. */
const FILTERS_PER_ITEMS = 100
const ASKED_AT_ONCE = 4

/** Asks generated filters of the store, and of the product, over the same items. */
export async function runFilters(options: RunFiltersOptions): Promise<FilterReport> {
  const { database, from, seeds, stop = false, onProgress } = options
  const { service } = await database.open()
  await createTable(database, TABLE, { key: { partition: { name: 'id', type: 'S' } } })
  const counts = new Map<string, number>()
  const differences: string[] = []
  let items: Item[] = []
  /** As the simulator holds them. */
  let normal: Attributes[] = []
  let ran = 0
  let simulated = 0
  const ask = async (seed: number): Promise<void> => {
    const dice = new Dice(seededRandom(0x5eed ^ Math.imul(seed, 0x9e3779b1)))
    const generated = generateFilter(dice)
    const told = (failure: string): void => {
      differences.push(`seed ${seed}: ${failure}\n  filter: ${generated.source}`)
    }
    count(counts, generated, dice.pick(items))
    try {
      const filter = readFilter(generated.source)
      // One time as the generator writes it for the service, one time as the product does.
      const isOwn = seed % 2 === 0
      const { text, names, values } = filter.expression
      const answer = await service.call('Scan', scanOf(isOwn ? generated : { text, names, values: parsed(values) }))
      const theirs = new Set((answer as { Items: readonly { id: { S: string } }[] }).Items.map(({ id }) => id.S))
      const item = items.find((one) => filter.matches(one) !== theirs.has(one['id']!['S'] as string))
      if (item !== undefined) {
        const does = theirs.has(item['id']!['S'] as string) ? 'takes' : 'leaves'
        const asked = isOwn ? 'as the generator writes it' : `as compiled, ${text}`
        told(`the store ${does} ${JSON.stringify(item)}\n  asked ${asked}`)
      }
      const opinion = simulate(generated)
      if (opinion === undefined) return
      simulated += 1
      const other = normal.find((one) => opinion(one) !== filter.matches(one))
      if (other !== undefined) told(`the simulator ${opinion(other) ? 'takes' : 'leaves'} ${JSON.stringify(other)}`)
    } catch (error) {
      told(`${error instanceof Error ? error.message : error}`)
    }
  }
  for (let seed = from; seed < from + seeds && !(stop && differences.length > 0); ) {
    const group = Math.floor(seed / FILTERS_PER_ITEMS)
    items = generateItems(new Dice(seededRandom(group)), ITEMS)
    normal = items.map(readAttributes)
    const puts = items.map((item) => ({ PutRequest: { Item: item } }))
    await service.call('BatchWriteItem', { RequestItems: { [TABLE]: puts } })
    const end = Math.min(from + seeds, (group + 1) * FILTERS_PER_ITEMS)
    let next = seed
    const work = async (): Promise<void> => {
      while (next < end) {
        next += 1
        await ask(next - 1)
      }
    }
    await Promise.all(Array.from({ length: ASKED_AT_ONCE }, work))
    ran += end - seed
    seed = end
    if (ran % 10_000 === 0) onProgress?.(ran)
  }
  return { ran, simulated, differences, counts }
}

function scanOf({ text, names, values }: Pick<GeneratedFilter, 'text' | 'names' | 'values'>): object {
  return {
    TableName: TABLE,
    ConsistentRead: true,
    FilterExpression: text,
    ProjectionExpression: '#id',
    ExpressionAttributeNames: { ...names, '#id': 'id' },
    ...(Object.keys(values).length === 0 ? {} : { ExpressionAttributeValues: values }),
  }
}

function parsed(values: { readonly [alias: string]: string }): { [alias: string]: Value } {
  return Object.fromEntries(Object.entries(values).map(([alias, text]) => [alias, JSON.parse(text) as Value]))
}

/** The simulator's reading of the filter; undefined for what it does not know. */
function simulate({ text, names, values }: GeneratedFilter): ((item: Attributes) => boolean) | undefined {
  try {
    return readCondition(text, { names, values: readAttributes(values) })
  } catch {
    return undefined
  }
}

function count(counts: Map<string, number>, { leaves }: GeneratedFilter, item: Item): void {
  const add = (name: string): void => {
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  for (const { operator, operands } of leaves) {
    const types = operands.map((operand) => typeIn(item, operand))
    const [first, ...rest] = types as [string, ...string[]]
    add(`${operator} ${first}`)
    for (const operand of operands)
      if (operand.kind === 'size') add(`size ${typeIn(item, { ...operand, kind: 'path' })}`)
    if (rest.length === 0) continue
    if (rest.includes('missing')) add(`${operator} missing counterpart`)
    else if (first !== 'missing') add(`${operator} ${rest.includes(first) ? 'same' : 'other'} type`)
  }
}

function typeIn(item: Item, operand: GeneratedOperand): string {
  if (operand.kind === 'literal') return Object.keys(operand.value)[0]!
  let value: unknown = { M: item }
  for (const step of operand.steps) {
    const container = (value as { M?: object; L?: object })[typeof step === 'number' ? 'L' : 'M']
    if (container === undefined || !Object.hasOwn(container, step)) return 'missing'
    value = (container as { [step: string]: unknown })[step]
  }
  const type = Object.keys(value as object)[0]!
  if (operand.kind === 'path') return type
  return type === 'N' || type === 'BOOL' || type === 'NULL' ? 'missing' : 'N'
}

/** What must have occurred, and how often in so many seeds. */
export function tooRare({ counts, ran }: FilterReport): string[] {
  // The rarest of them come about once in 150 filters.
  const floor = Math.max(1, Math.floor(ran / 500))
  const kinds = OPERATORS.flatMap((operator) => [...TYPES, 'missing'].map((type) => `${operator} ${type}`))
  const twoSided = OPERATORS.filter((operator) => !operator.startsWith('attribute_'))
  const pairs = twoSided.flatMap((operator) =>
    ['same type', 'other type', 'missing counterpart'].map((pair) => `${operator} ${pair}`),
  )
  const sizes = [...TYPES, 'missing'].map((type) => `size ${type}`)
  // An element of a set or list is of another type than what contains it.
  const wanted = [...kinds, ...pairs, ...sizes]
  return wanted
    .filter((kind) => (counts.get(kind) ?? 0) < floor)
    .map((kind) => `${kind}: ${counts.get(kind) ?? 0} of ${floor}`)
}
