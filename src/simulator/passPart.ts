import { parseJson } from '../runtime/parseJson.ts'
import { type Charge, giveBack, settle, type ToldUnits } from './charge.ts'
import { askForUnits, type GatewayCall, type Reply } from './gatewayCall.ts'
import type { SimulatedTable } from './simulatedTable.ts'

/** One write of a batch for which there were units. */
export interface Charged {
  readonly table: SimulatedTable
  readonly charges: readonly Charge[]
}

/** What the store said to the part of a batch that it was sent. */
export interface PartAnswer<Answer> {
  readonly answer: Answer
  /** The reply, where request and answer went through as they were. */
  readonly untouched: Reply | undefined
}

/**
 * Passes on the part of a batch for which units were taken, and puts in their place what the store says that it used.
 *
 * @param charged the writes for which they were taken
 * @param part of the request's body, in place of the whole; undefined where all of it goes
 * @returns the store's refusal as it is, after which nothing is charged
 */
export async function passPart<Answer extends { ConsumedCapacity?: ToldUnits[] }>(
  call: GatewayCall,
  charged: readonly Charged[],
  part: object | undefined,
): Promise<PartAnswer<Answer> | Reply> {
  const asked = askForUnits(
    call.body,
    charged.some(({ table }) => table.indexes.length > 0),
  )
  const isWhole = asked === call.body && part === undefined
  const { status, body } = await call.forward(isWhole ? call.raw : Buffer.from(JSON.stringify({ ...asked, ...part })))
  if (status !== 200) {
    for (const { charges } of charged) giveBack(charges, call.now())
    return { status, body, writes: 0 }
  }
  const answer = parseJson(body.toString('utf8')) as Answer
  for (const table of new Set(charged.map((one) => one.table))) {
    const charges = charged.flatMap((one) => (one.table === table ? one.charges : []))
    const told = answer.ConsumedCapacity?.find(({ TableName }) => TableName === table.name)
    call.record.writeUnits += settle(charges, table, told, call.now())
  }
  return { answer, untouched: isWhole ? { status, body, writes: 0 } : undefined }
}
