import { type Throttle, throttleError, writeUnits } from './applyWrite.ts'
import { type Attributes, type AttributeValue, itemSize } from './attributes.ts'
import { failure, keyOf } from './batchExecuteStatement.ts'
import { type ToldUnits, take } from './charge.ts'
import { chargesOfWrite } from './chargesOfWrite.ts'
import {
  errorReply,
  type GatewayCall,
  jsonReply,
  passUntouched,
  type Reply,
  showUnits,
  unlessUnsound,
} from './gatewayCall.ts'
import { type Charged, passPart } from './passPart.ts'
import type { SimulatedTable } from './simulatedTable.ts'
import { type ItemChange, readStatement } from './statement.ts'

interface Statement {
  Statement: string
  Parameters?: unknown[]
}

interface Answer {
  Responses: { Error?: object }[]
  ConsumedCapacity?: ToldUnits[]
}

/**
 * Passes on the statements that there are units for; the others are answered with an error of their own. Statements other
 * than an INSERT, an UPDATE or a DELETE of one item pass uncounted.
 */
export async function passStatements(call: GatewayCall): Promise<Reply> {
  const statements: Statement[] = call.body.Statements ?? []
  if (!Array.isArray(statements) || statements.length === 0) return passUntouched(call)
  const changes: (Charged | undefined)[] = []
  for (const statement of statements) changes.push(await readChange(call, statement))
  /** Of each statement the answer that is made here; undefined for the store's own. */
  const responses: (object | undefined)[] = []
  const throttles: Throttle[] = []
  for (const change of changes) {
    if (call.random() < call.partFailureShare) {
      responses.push(failure('InternalServerError', 'Internal Server Error'))
      continue
    }
    const throttle = change && take(change.charges, call.now())
    if (throttle === undefined) {
      responses.push(undefined)
      continue
    }
    throttles.push(throttle)
    const code = throttle.billing === 'provisioned' ? 'ProvisionedThroughputExceeded' : 'ThrottlingError'
    responses.push(failure(code, throttle.reason.reason))
  }
  const { record } = call
  record.throttledItems = throttles.length
  // Statements that are all throttled come back one by one, or as one exception; which of the two is not documented.
  if (throttles.length === statements.length && call.random() < 0.5) return errorReply(throttleError(throttles))
  const places = responses.flatMap((response, place) => (response === undefined ? [place] : []))
  if (places.length === 0) return jsonReply({ Responses: responses }, 0)

  const made = places.map((place) => changes[place]).filter((change) => change !== undefined)
  const part = places.length === statements.length ? undefined : places.map((place) => statements[place])
  const passedOn = await passPart<Answer>(call, made, part && { Statements: part })
  if (!('answer' in passedOn)) return passedOn
  const { answer, untouched } = passedOn
  const writes = answer.Responses.filter(
    (response, index) => response.Error === undefined && changes[places[index]!] !== undefined,
  ).length
  if (untouched !== undefined) return { ...untouched, writes }
  for (const [index, place] of places.entries()) responses[place] = answer.Responses[index]
  return jsonReply({ ...showUnits(call, answer), Responses: responses }, writes)
}

async function readChange(
  call: GatewayCall,
  { Statement: text, Parameters = [] }: Statement,
): Promise<Charged | undefined> {
  const change =
    unlessUnsound(() => readStatement(text, Parameters, 'commas')) ??
    unlessUnsound(() => readStatement(text, Parameters, 'clauses'))
  const table = change && (await call.tableOf(change.table))
  return change && table && unlessUnsound(() => weigh(change, table))
}

/** The item itself is not to be seen, only what of it the statement names. */
function weigh(change: ItemChange, table: SimulatedTable): Charged {
  const key = keyOf(change, table)
  const named = [...change.expected, ...change.sets].filter(
    (pair): pair is readonly [string, AttributeValue] => pair[1] !== undefined,
  )
  const known: Attributes = Object.fromEntries(named)
  return { table, charges: chargesOfWrite(table, key, known, writeUnits(itemSize(known)), change.inserts) }
}
