import { type Attributes, type AttributeValue, isSame, readValue } from './attributes.ts'
import { invalid } from './serviceError.ts'

/**
 * How an UPDATE of several attributes must be written: with a `SET` or `REMOVE` before each, as the developer guide has
 * it, or with commas between, as some emulators want it; `none` knows no PartiQL at all.
 */
export type PartiqlDialect = 'clauses' | 'commas' | 'none'

/** What a change of one item asks for. */
export interface ItemChange {
  readonly deletes: boolean
  /** The item is made, and must not be there: `sets` is all of it. */
  readonly inserts: boolean
  readonly table: string
  readonly sets: readonly (readonly [string, AttributeValue])[]
  readonly removes: readonly string[]
  /** Values that attributes must have; undefined for those that must be missing. The key's own are among them. */
  readonly expected: readonly (readonly [string, AttributeValue | undefined])[]
}

const TOKEN = /\s*("(?:[^"]|"")*"|'(?:[^']|'')*'|[A-Za-z]+|[?=,{}:])/y

/**
 * Reads an `INSERT`, `UPDATE` or `DELETE` of one item.
 *
 * @throws {ServiceError} for any other statement
 */
export function readStatement(
  statement: string,
  rawParameters: readonly unknown[],
  dialect: PartiqlDialect,
): ItemChange {
  const malformed = (): Error => invalid(`Statement wasn't well formed, can't be processed: ${statement}`)
  if (statement.length > 8_192) throw invalid('Statement is longer than 8192 characters')
  const tokens: string[] = []
  TOKEN.lastIndex = 0
  let end = 0
  for (let match = TOKEN.exec(statement); match !== null; match = TOKEN.exec(statement)) {
    tokens.push(match[1]!)
    end = TOKEN.lastIndex
  }
  if (end < statement.trimEnd().length) throw malformed()
  const parameters = rawParameters.map((raw) => readValue(raw))
  let next = 0
  let used = 0
  const take = (...words: string[]): boolean => {
    if (!words.every((word, index) => tokens[next + index] === word)) return false
    next += words.length
    return true
  }
  const name = (): string => {
    const token = tokens[next++]
    if (token === undefined || !token.startsWith('"')) throw malformed()
    return token.slice(1, -1).replaceAll('""', '"')
  }
  const parameter = (): AttributeValue => {
    const value = parameters[used++]
    if (!take('?') || value === undefined) throw malformed()
    return value
  }
  if (take('INSERT', 'INTO')) {
    const into = name()
    if (!take('VALUE', '{')) throw malformed()
    const made: [string, AttributeValue][] = []
    do {
      const token = tokens[next++] ?? ''
      if (!token.startsWith("'") || !take(':')) throw malformed()
      made.push([token.slice(1, -1).replaceAll("''", "'"), parameter()])
    } while (take(','))
    if (!take('}') || next !== tokens.length || used !== parameters.length) throw malformed()
    return { deletes: false, inserts: true, table: into, sets: made, removes: [], expected: [] }
  }
  const deletes = take('DELETE', 'FROM')
  if (!deletes && !take('UPDATE')) throw malformed()
  const table = name()
  const sets: [string, AttributeValue][] = []
  const removes: string[] = []
  const seen = { sets: 0, removes: 0, commas: 0 }
  for (let more = !deletes; more; ) {
    if (take('SET')) {
      seen.sets += 1
      do {
        const attribute = name()
        if (!take('=')) throw malformed()
        sets.push([attribute, parameter()])
      } while (take(',') && ++seen.commas > 0)
    } else if (take('REMOVE')) {
      seen.removes += 1
      do removes.push(name())
      while (take(',') && ++seen.commas > 0)
    } else {
      more = false
    }
  }
  const inDialect = dialect === 'clauses' ? seen.commas === 0 : seen.sets <= 1 && seen.removes <= 1
  if (!inDialect || !take('WHERE')) throw malformed()
  const expected: [string, AttributeValue | undefined][] = []
  do {
    const attribute = name()
    if (take('IS', 'MISSING')) expected.push([attribute, undefined])
    else if (take('=')) expected.push([attribute, parameter()])
    else throw malformed()
  } while (take('AND'))
  if (next !== tokens.length || used !== parameters.length) throw malformed()
  if (!deletes && sets.length + removes.length === 0) throw malformed()
  return { deletes, inserts: false, table, sets, removes, expected }
}

/** The item after a change, or undefined when what it expects does not hold. A change makes no item. */
export function changed(
  change: ItemChange,
  item: Attributes | undefined,
): { after: Attributes | undefined } | undefined {
  if (item === undefined) return undefined
  for (const [name, value] of change.expected) {
    const present = item[name]
    if ((present === undefined) !== (value === undefined)) return undefined
    if (present !== undefined && !isSame(present, value)) return undefined
  }
  if (change.deletes) return { after: undefined }
  const after: { [name: string]: AttributeValue } = Object.assign(Object.create(null), item)
  for (const [name, value] of change.sets) after[name] = value
  for (const name of change.removes) delete after[name]
  return { after }
}
