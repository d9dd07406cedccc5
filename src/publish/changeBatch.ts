import { type Outcome, STORED, sortStatementError } from '../dynamodb/outcome.ts'
import type { Change } from '../item/edit.ts'
import type { KeySchema } from '../item/itemKey.ts'

/** Names that PartiQL implementations agree on; others go through UpdateItem and its aliases. */
const PLAIN_NAME = /^[A-Za-z_][A-Za-z0-9_-]*$/
/** API reference, BatchStatementRequest. */
const STATEMENT_CHARACTERS_MAX = 8_192

/**
 * How an endpoint wants several clauses of an UPDATE: the service's documentation has `SET "a"=? SET "b"=?`; some
 * emulators take only `SET "a"=?, "b"=?`.
 */
export type Dialect = 'clauses' | 'commas'

/** Writes conditional changes as PartiQL statements. What depends on names alone is kept, since most changes are alike. */
export class StatementWriter {
  readonly #table: string
  readonly #schema: KeySchema
  readonly #known = new Map<string, string | undefined>()
  #dialect: Dialect = 'clauses'

  constructor(table: string, schema: KeySchema) {
    this.#table = table
    this.#schema = schema
  }

  get dialect(): Dialect {
    return this.#dialect
  }

  set dialect(dialect: Dialect) {
    this.#dialect = dialect
    this.#known.clear()
  }

  /** `{"Statement":"UPDATE …","Parameters":[…]}`, or undefined when it must go as an UpdateItem of its own. */
  write(change: Change): string | undefined {
    let signature = change.deletes ? 'delete' : 'update'
    for (const name of change.setNames) signature += `\u0001${name}`
    for (const name of change.removeNames) signature += `\u0002${name}`
    for (let index = 0; index < change.expectNames.length; index += 1) {
      signature += (change.expectTexts[index] === undefined ? '\u0003' : '\u0004') + change.expectNames[index]
    }
    let head = this.#known.get(signature)
    if (head === undefined && !this.#known.has(signature)) {
      head = this.#head(change)
      if (this.#known.size < 1_000) this.#known.set(signature, head)
    }
    if (head === undefined) return undefined
    let text = head
    let separator = ''
    for (const parameter of change.setTexts) {
      text += separator + parameter
      separator = ','
    }
    for (const parameter of change.key) {
      text += separator + parameter
      separator = ','
    }
    for (const parameter of change.expectTexts) if (parameter !== undefined) text += separator + parameter
    return `${text}]}`
  }

  #head(change: Change): string | undefined {
    const names = [this.#schema.partition.name, this.#schema.sort?.name ?? this.#schema.partition.name]
    const all = [...names, ...change.setNames, ...change.removeNames, ...change.expectNames]
    if (!all.every((name) => PLAIN_NAME.test(name))) return undefined
    const [separator, removeWord] = this.#dialect === 'clauses' ? [' SET ', ' REMOVE '] : [', ', ', ']
    let statement: string
    if (change.deletes) {
      statement = `DELETE FROM "${this.#table}"`
    } else {
      statement = `UPDATE "${this.#table}"`
      if (change.setNames.length > 0)
        statement += ` SET ${change.setNames.map((name) => `"${name}"=?`).join(separator)}`
      if (change.removeNames.length > 0) {
        statement += ` REMOVE ${change.removeNames.map((name) => `"${name}"`).join(removeWord)}`
      }
    }
    statement += ` WHERE "${this.#schema.partition.name}"=?`
    if (this.#schema.sort !== undefined) statement += ` AND "${this.#schema.sort.name}"=?`
    for (let index = 0; index < change.expectNames.length; index += 1) {
      const missing = change.expectTexts[index] === undefined
      statement += ` AND "${change.expectNames[index]}"${missing ? ' IS MISSING' : '=?'}`
    }
    if (statement.length > STATEMENT_CHARACTERS_MAX) return undefined
    return `{"Statement":${JSON.stringify(statement)},"Parameters":[`
  }
}

/** The body of a `BatchExecuteStatement`. */
export function changeBatchBody(statements: readonly string[]): Buffer {
  return Buffer.from(`{"Statements":[${statements.join(',')}],"ReturnConsumedCapacity":"TOTAL"}`)
}

/** How each statement ended, in order, and the write units of all. */
export interface ChangeBatchReply {
  readonly outcomes: readonly Outcome[]
  readonly consumedUnits: number | undefined
}

/** @throws {Error} when it is not an answer to so many statements */
export function readChangeBatchReply(body: Buffer, count: number): ChangeBatchReply {
  const reply = JSON.parse(body.toString('utf8')) as {
    Responses?: { Error?: { Code?: string; Message?: string } }[]
    ConsumedCapacity?: { CapacityUnits?: number }[]
  }
  const responses = reply.Responses ?? []
  if (responses.length !== count) throw new Error(`${responses.length} responses to ${count} statements`)
  let consumedUnits: number | undefined
  for (const { CapacityUnits } of reply.ConsumedCapacity ?? []) {
    if (CapacityUnits !== undefined) consumedUnits = (consumedUnits ?? 0) + CapacityUnits
  }
  const outcomes = responses.map(({ Error: error }) =>
    error === undefined ? STORED : sortStatementError(error.Code ?? '', error.Message ?? ''),
  )
  return { outcomes, consumedUnits }
}

/**
 * The same change as an `UpdateItem` or `DeleteItem`, every name and value behind an alias.
 *
 * @returns the operation and its body
 */
export function singleChange(
  table: string,
  schema: KeySchema,
  change: Change,
): { operation: 'UpdateItem' | 'DeleteItem'; body: Buffer } {
  const aliases = new Map<string, string>()
  const alias = (name: string): string => {
    let known = aliases.get(name)
    if (known === undefined) {
      known = `#n${aliases.size}`
      aliases.set(name, known)
    }
    return known
  }
  const values: string[] = []
  const value = (text: string): string => {
    values.push(`":v${values.length}":${text}`)
    return `:v${values.length - 1}`
  }
  const sets = change.setNames.map((name, index) => `${alias(name)} = ${value(change.setTexts[index]!)}`)
  const removes = change.removeNames.map(alias)
  const conditions = change.expectNames.map((name, index) => {
    const text = change.expectTexts[index]
    return text === undefined ? `attribute_not_exists(${alias(name)})` : `${alias(name)} = ${value(text)}`
  })
  conditions.unshift(`attribute_exists(${alias(schema.partition.name)})`)
  const keyNames = schema.sort === undefined ? [schema.partition.name] : [schema.partition.name, schema.sort.name]
  const key = keyNames.map((name, index) => `${JSON.stringify(name)}:${change.key[index]}`)
  const update = [
    sets.length > 0 ? `SET ${sets.join(', ')}` : '',
    removes.length > 0 ? `REMOVE ${removes.join(', ')}` : '',
  ].filter((clause) => clause !== '')
  const fields = [
    `"TableName":${JSON.stringify(table)}`,
    `"Key":{${key.join(',')}}`,
    ...(change.deletes ? [] : [`"UpdateExpression":${JSON.stringify(update.join(' '))}`]),
    `"ConditionExpression":${JSON.stringify(conditions.join(' AND '))}`,
    `"ExpressionAttributeNames":{${[...aliases].map(([name, known]) => `"${known}":${JSON.stringify(name)}`).join(',')}}`,
    ...(values.length > 0 ? [`"ExpressionAttributeValues":{${values.join(',')}}`] : []),
    '"ReturnConsumedCapacity":"TOTAL"',
  ]
  return { operation: change.deletes ? 'DeleteItem' : 'UpdateItem', body: Buffer.from(`{${fields.join(',')}}`) }
}
