import { type Outcome, STORED, sortStatementError } from '../dynamodb/outcome.ts'
import type { PlainItem } from '../item/attributeValue.ts'
import type { Change, Changes } from '../item/edit.ts'
import { ItemError } from '../item/itemError.ts'
import { type KeySchema, keyNamesOf } from '../item/itemKey.ts'
import { parseJson } from '../runtime/parseJson.ts'
import type { ConsumedUnits } from '../throughput/limiter.ts'
import { type ConsumedCapacity, readConsumed } from './consumed.ts'
import type { Entry } from './entry.ts'
import type { BodySlab } from './slab.ts'

/** Names that PartiQL implementations agree on; others go through UpdateItem and its aliases. */
const PLAIN_NAME = /^[A-Za-z_][A-Za-z0-9_-]*$/
/** What surrounds the parameters of a change on the wire, about, where its statement is not known. */
export const CHANGE_HEAD_BYTES = 512
/** API reference, BatchStatementRequest. */
const STATEMENT_CHARACTERS_MAX = 8_192

/**
 * How an endpoint wants several clauses of an UPDATE: the service's documentation has `SET "a"=? SET "b"=?`; some
 * emulators take only `SET "a"=?, "b"=?`.
 */
export type Dialect = 'clauses' | 'commas'

/** What a change writes and asks, but for the values. */
interface ChangeNames {
  readonly deletes: boolean
  readonly creates: boolean
  readonly setNames: readonly string[]
  readonly removeNames: readonly string[]
  readonly expectNames: readonly string[]
  /** For each expected name, whether it must be missing; it has no parameter then. */
  readonly expectMissing: readonly boolean[]
}

/**
 * What changes of one kind have in common: the names they set, remove and expect. Most changes of a job share one plan, so
 * an entry holds its plan and, in its slab, the texts of its parameters: values to set, key, values expected.
 */
export interface ChangePlan extends ChangeNames {
  /** It reads differently in the two dialects. */
  readonly isDialectal: boolean
  /** `{"Statement":"UPDATE …","Parameters":[`; undefined when it must go as an UpdateItem of its own. */
  readonly statements: { readonly [Name in Dialect]: Buffer } | undefined
}

/** Finds the plan of a change, and makes it the first time. */
export class ChangePlanner {
  readonly #table: string
  readonly #schema: KeySchema
  readonly #plans = new Map<string, ChangePlan>()
  #latest: ChangePlan | undefined

  constructor(table: string, schema: KeySchema) {
    this.#table = table
    this.#schema = schema
  }

  /** @throws {ItemError} for an update that changes nothing, or the key, or an attribute twice */
  planOfUpdate(changes: Omit<Changes, 'add'>, expect: { readonly [name: string]: unknown }): ChangePlan {
    // Held, since a getter of the caller's may ask for another plan meanwhile.
    const latest = this.#latest
    if (latest !== undefined && isUpdateOfPlan(changes, expect, latest)) return latest
    const set = changes.set ?? {}
    const remove = changes.remove ?? []
    const setNames = Object.keys(set).filter((name) => set[name] !== undefined)
    const removeNames = [...remove]
    for (const name of setNames) {
      if (this.#isKeyName(name)) throw new ItemError('a key attribute cannot be changed', name)
    }
    for (const name of removeNames) {
      if (this.#isKeyName(name)) throw new ItemError('a key attribute cannot be removed', name)
      if (setNames.includes(name)) throw new ItemError('an attribute cannot be both set and removed', name)
    }
    if (setNames.length + removeNames.length === 0) throw new ItemError('an update must set or remove something')
    const expectNames = Object.keys(expect)
    const expectMissing = expectNames.map((name) => expect[name] === undefined)
    return this.#find({ deletes: false, creates: false, setNames, removeNames, expectNames, expectMissing })
  }

  /** Of an item that is written only where there is none of its key. */
  planOfInsert(item: PlainItem): ChangePlan {
    const latest = this.#latest
    if (latest !== undefined && this.#isInsertOfPlan(item, latest)) return latest
    const setNames = Object.keys(item).filter((name) => item[name] !== undefined && !this.#isKeyName(name))
    return this.#find({ deletes: false, creates: true, setNames, removeNames: [], expectNames: [], expectMissing: [] })
  }

  #isInsertOfPlan(item: PlainItem, plan: ChangePlan): boolean {
    if (!plan.creates) return false
    let index = 0
    for (const name in item) {
      if (item[name] === undefined || this.#isKeyName(name)) continue
      if (plan.setNames[index] !== name) return false
      index += 1
    }
    return index === plan.setNames.length
  }

  planOf(change: Change): ChangePlan {
    if (this.#latest !== undefined && isOfPlan(change, this.#latest)) return this.#latest
    const { deletes, creates = false, setNames, removeNames, expectNames, expectTexts } = change
    const expectMissing = expectTexts.map((text) => text === undefined)
    return this.#find({ deletes, creates, setNames, removeNames, expectNames, expectMissing })
  }

  #find(change: ChangeNames): ChangePlan {
    let signature = change.deletes ? 'delete' : change.creates ? 'create' : 'update'
    for (const name of change.setNames) signature += `\u0001${name}`
    for (const name of change.removeNames) signature += `\u0002${name}`
    for (let index = 0; index < change.expectNames.length; index += 1) {
      signature += (change.expectMissing[index] ? '\u0003' : '\u0004') + change.expectNames[index]
    }
    let plan = this.#plans.get(signature)
    if (plan === undefined) {
      plan = this.#make(change)
      // Names can be data; then most plans are used once.
      if (this.#plans.size < PLANS_MAX) this.#plans.set(signature, plan)
    }
    this.#latest = plan
    return plan
  }

  #isKeyName(name: string): boolean {
    const { partition, sort } = this.#schema
    return name === partition.name || name === sort?.name
  }

  #make(change: ChangeNames): ChangePlan {
    const { setNames, removeNames, expectNames } = change
    const names = [
      this.#schema.partition.name,
      this.#schema.sort?.name ?? '_',
      ...setNames,
      ...removeNames,
      ...expectNames,
    ]
    const clauses = this.#statement(change, 'clauses')
    const isUsual = names.every((name) => PLAIN_NAME.test(name)) && clauses.length <= STATEMENT_CHARACTERS_MAX
    return {
      ...change,
      // One of each reads the same in both.
      isDialectal: !change.creates && (setNames.length > 1 || removeNames.length > 1),
      statements: isUsual ? { clauses: headOf(clauses), commas: headOf(this.#statement(change, 'commas')) } : undefined,
    }
  }

  #statement(change: ChangeNames, dialect: Dialect): string {
    if (change.creates) return this.#insert(change)
    const [setWord, removeWord] = dialect === 'clauses' ? [' SET ', ' REMOVE '] : [', ', ', ']
    let statement = `${change.deletes ? 'DELETE FROM' : 'UPDATE'} "${this.#table}"`
    if (change.setNames.length > 0) statement += ` SET ${change.setNames.map((name) => `"${name}"=?`).join(setWord)}`
    if (change.removeNames.length > 0) {
      statement += ` REMOVE ${change.removeNames.map((name) => `"${name}"`).join(removeWord)}`
    }
    statement += ` WHERE "${this.#schema.partition.name}"=?`
    if (this.#schema.sort !== undefined) statement += ` AND "${this.#schema.sort.name}"=?`
    for (let index = 0; index < change.expectNames.length; index += 1) {
      const missing = change.expectMissing[index]!
      statement += ` AND "${change.expectNames[index]}"${missing ? ' IS MISSING' : '=?'}`
    }
    return statement
  }

  /** As the developer guide writes it ("PartiQL insert statements"): names in single quotes, a parameter for each value. */
  #insert({ setNames }: ChangeNames): string {
    const { partition, sort } = this.#schema
    const names = [...setNames, partition.name, ...(sort === undefined ? [] : [sort.name])]
    return `INSERT INTO "${this.#table}" VALUE {${names.map((name) => `'${name}':?`).join(',')}}`
  }
}

const PLANS_MAX = 1_000

function headOf(statement: string): Buffer {
  return Buffer.from(`{"Statement":${JSON.stringify(statement)},"Parameters":[`)
}

function isOfPlan(change: Change, plan: ChangePlan): boolean {
  if (change.deletes !== plan.deletes || (change.creates === true) !== plan.creates) return false
  if (!sameNames(change.setNames, plan.setNames) || !sameNames(change.removeNames, plan.removeNames)) return false
  if (!sameNames(change.expectNames, plan.expectNames)) return false
  for (let index = 0; index < plan.expectMissing.length; index += 1) {
    if ((change.expectTexts[index] === undefined) !== plan.expectMissing[index]) return false
  }
  return true
}

function isUpdateOfPlan(
  { set, remove }: Omit<Changes, 'add'>,
  expect: { readonly [name: string]: unknown },
  plan: ChangePlan,
): boolean {
  if (plan.deletes || plan.creates) return false
  const { setNames, removeNames, expectNames, expectMissing } = plan
  let index = 0
  for (const name in set) {
    if (set[name] === undefined) continue
    if (setNames[index] !== name) return false
    index += 1
  }
  if (index !== setNames.length || !sameNames(remove ?? [], removeNames)) return false
  index = 0
  for (const name in expect) {
    if (expectNames[index] !== name || (expect[name] === undefined) !== expectMissing[index]) return false
    index += 1
  }
  return index === expectNames.length
}

function sameNames(left: readonly string[], right: readonly string[]): boolean {
  if (left.length !== right.length) return false
  for (let index = 0; index < left.length; index += 1) if (left[index] !== right[index]) return false
  return true
}

/** The parameters of a change, in the order of its statement, with commas between. */
export function parametersText(change: Change): string {
  const { setTexts, key, expectTexts } = change
  let text = ''
  for (let index = 0; index < setTexts.length; index += 1) text += `${setTexts[index]},`
  text += key.length === 1 ? key[0] : `${key[0]},${key[1]}`
  for (let index = 0; index < expectTexts.length; index += 1) {
    if (expectTexts[index] !== undefined) text += `,${expectTexts[index]}`
  }
  return text
}

/** The change that an entry was made of. For rare use: its parameters are read from its bytes. */
export function changeOf(entry: Entry, schema: KeySchema): Change {
  const plan = entry.plan!
  const text = entry.buffer!.toString('utf8', entry.start, entry.end)
  const parameters = (parseJson(`[${text}]`) as unknown[]).map((parameter) => JSON.stringify(parameter))
  const keyStart = plan.setNames.length
  const keyEnd = keyStart + (schema.sort === undefined ? 1 : 2)
  let next = keyEnd
  return {
    key: parameters.slice(keyStart, keyEnd),
    deletes: plan.deletes,
    ...(plan.creates ? { creates: true } : {}),
    setNames: plan.setNames,
    setTexts: parameters.slice(0, keyStart),
    removeNames: plan.removeNames,
    expectNames: plan.expectNames,
    expectTexts: plan.expectMissing.map((missing) => {
      if (missing) return undefined
      next += 1
      return parameters[next - 1]
    }),
  }
}

const STATEMENTS_HEAD = Buffer.from('{"Statements":[')
const STATEMENTS_TAIL = Buffer.from('],"ReturnConsumedCapacity":"INDEXES"}')
const COMMA = 44
const BRACKET_CLOSE = 93
const BRACE_CLOSE = 125

/** The body of a `BatchExecuteStatement` of these changes, each of which has a statement. */
export function changeBatchBody(slab: BodySlab, entries: readonly Entry[], dialect: Dialect): Buffer {
  let bytes = STATEMENTS_HEAD.length + STATEMENTS_TAIL.length + entries.length * 3 - 1
  for (const { plan, start, end } of entries) bytes += plan!.statements![dialect].length + end - start
  const body = slab.cut(bytes)
  let offset = STATEMENTS_HEAD.copy(body, 0)
  for (let index = 0; index < entries.length; index += 1) {
    const { plan, buffer, start, end } = entries[index]!
    if (index > 0) body[offset++] = COMMA
    const statement = plan!.statements![dialect]
    body.set(statement, offset)
    offset += statement.length
    offset = copyShort(buffer!, start, end, body, offset)
    body[offset++] = BRACKET_CLOSE
    body[offset++] = BRACE_CLOSE
  }
  STATEMENTS_TAIL.copy(body, offset)
  return body
}

/** Copies bytes, most often few of them: then a loop is cheaper than what a native copy begins with. */
function copyShort(source: Buffer, start: number, end: number, target: Buffer, offset: number): number {
  if (end - start > LOOP_BYTES_MAX) return offset + source.copy(target, offset, start, end)
  let at = offset
  for (let index = start; index < end; index += 1) {
    target[at] = source[index]!
    at += 1
  }
  return at
}

const LOOP_BYTES_MAX = 128

/** How each statement ended, in order, and the write units of all. */
export interface ChangeBatchReply {
  /** Undefined where all are stored. */
  readonly outcomes: readonly Outcome[] | undefined
  readonly consumed: ConsumedUnits | undefined
}

/** @throws {Error} when it is not an answer to so many statements */
export function readChangeBatchReply(body: Buffer, count: number): ChangeBatchReply {
  const reply = parseJson(body.toString('utf8')) as {
    Responses?: { Error?: { Code?: string; Message?: string } }[] | undefined
    ConsumedCapacity?: ConsumedCapacity[] | undefined
  }
  const responses = reply.Responses ?? []
  if (responses.length !== count) throw new Error(`${responses.length} responses to ${count} statements`)
  let outcomes: Outcome[] | undefined
  for (const [index, { Error: error }] of responses.entries()) {
    if (error === undefined) continue
    outcomes ??= new Array<Outcome>(count).fill(STORED)
    outcomes[index] = sortStatementError(error.Code ?? '', error.Message ?? '')
  }
  return { outcomes, consumed: readConsumed(reply.ConsumedCapacity) }
}

/**
 * The same change as a `PutItem`, `UpdateItem` or `DeleteItem`, every name and value behind an alias.
 *
 * @returns the operation and its body
 */
export function singleChange(
  table: string,
  schema: KeySchema,
  change: Change,
): { operation: 'PutItem' | 'UpdateItem' | 'DeleteItem'; body: Buffer } {
  if (change.creates === true) return { operation: 'PutItem', body: insertBody(table, schema, change) }
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
  const keyNames = keyNamesOf(schema)
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
    '"ReturnConsumedCapacity":"INDEXES"',
  ]
  return { operation: change.deletes ? 'DeleteItem' : 'UpdateItem', body: Buffer.from(`{${fields.join(',')}}`) }
}

/** A `PutItem` that fails where there is an item of its key. An update could name only as many attributes as 4 KB hold. */
function insertBody(table: string, schema: KeySchema, { key, setNames, setTexts }: Change): Buffer {
  const keyNames = keyNamesOf(schema)
  const attributes = [
    ...keyNames.map((name, index) => `${JSON.stringify(name)}:${key[index]}`),
    ...setNames.map((name, index) => `${JSON.stringify(name)}:${setTexts[index]}`),
  ]
  const fields = [
    `"TableName":${JSON.stringify(table)}`,
    `"Item":{${attributes.join(',')}}`,
    '"ConditionExpression":"attribute_not_exists(#k)"',
    `"ExpressionAttributeNames":{"#k":${JSON.stringify(schema.partition.name)}}`,
    '"ReturnConsumedCapacity":"INDEXES"',
  ]
  return Buffer.from(`{${fields.join(',')}}`)
}
