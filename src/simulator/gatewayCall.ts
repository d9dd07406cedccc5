import type { Random } from '../runtime/random.ts'
import type { ToldUnits } from './charge.ts'
import { ServiceError } from './serviceError.ts'
import type { SimulatedTable } from './simulatedTable.ts'
import type { UpstreamAnswer } from './upstream.ts'
import type { RequestRecord } from './writeLog.ts'

/** One request that a gateway passed on, or did not. */
export interface GatewayRecord extends RequestRecord {
  /** Writes that the store made and the client was told of, in an answer that left whole. */
  acknowledgedWrites: number
}

/** One request while a gateway has it. */
export interface GatewayCall {
  readonly operation: string
  // biome-ignore lint/suspicious/noExplicitAny: requests are of many shapes, and each operation reads its own
  readonly body: any
  /** The bytes as they came. */
  readonly raw: Buffer
  readonly record: GatewayRecord
  readonly random: Random
  /** Share of the items of a batch that fail on their own, 0 to 1. */
  readonly partFailureShare: number
  now(): number
  /** Undefined when the store knows no such table. */
  tableOf(name: unknown): Promise<SimulatedTable | undefined>
  forward(body: Buffer): Promise<UpstreamAnswer>
}

/** What a gateway answers. */
export interface Reply {
  readonly status: number
  readonly body: Buffer
  /** Writes that this answer acknowledges. */
  readonly writes: number
}

/** As it came, whatever it is: the store judges. */
export async function passUntouched(call: GatewayCall): Promise<Reply> {
  return { ...(await call.forward(call.raw)), writes: 0 }
}

export function errorReply(error: ServiceError): Reply {
  return { status: error.status, body: Buffer.from(JSON.stringify(error.body)), writes: 0 }
}

export function jsonReply(answer: object, writes: number): Reply {
  return { status: 200, body: Buffer.from(JSON.stringify(answer)), writes }
}

/** Runs what reads a request; undefined for one that only the store may judge, since it is not sound. */
export function unlessUnsound<Value>(read: () => Value): Value | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof ServiceError || error instanceof TypeError) return undefined
    throw error
  }
}

/** Asks the store for units, in as much detail as there is to tell apart; the same object when it was asked already. */
export function askForUnits<Body extends { ReturnConsumedCapacity?: string }>(body: Body, detailed: boolean): Body {
  const wanted = detailed ? 'INDEXES' : 'TOTAL'
  const asked = body.ReturnConsumedCapacity
  return asked === wanted || asked === 'INDEXES' ? body : { ...body, ReturnConsumedCapacity: wanted }
}

/** The units of an answer as the client asked for them, whatever the store was asked. */
export function showUnits<Told extends ToldUnits | readonly ToldUnits[]>(
  call: GatewayCall,
  answer: { ConsumedCapacity?: Told },
): object {
  const { ConsumedCapacity: told, ...rest } = answer
  const asked = call.body.ReturnConsumedCapacity
  if (asked === 'INDEXES' || told === undefined) return answer
  if (asked !== 'TOTAL') return rest
  const total = ({ Table: _, GlobalSecondaryIndexes: __, ...units }: ToldUnits) => units
  return { ...rest, ConsumedCapacity: Array.isArray(told) ? told.map(total) : total(told as ToldUnits) }
}
