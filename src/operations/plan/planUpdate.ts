import type { Table } from '../../database/table.ts'
import type { PlainItem } from '../../item/attributeValue.ts'
import { decodeValue } from '../../item/decode.ts'
import type { Change, Edit } from '../../item/edit.ts'
import { ItemEncoder } from '../../item/encode.ts'
import type { Plan, PlanOptions } from '../../job/plan.ts'
import { isPromise } from '../../runtime/isPromise.ts'
import { parseJson } from '../../runtime/parseJson.ts'
import { prepareChange, type RawItem } from '../prepareChange.ts'
import type { UpdateOptions } from '../updateAll.ts'
import type { Visitor } from '../visitor.ts'
import { planTable } from './planTable.ts'
import type { WrittenItem } from './writeCharge.ts'

/** What `updateAll` or `deleteAll` would do. The visitor is asked for the items of a sample; nothing is written. */
export async function planUpdate(
  operation: 'update' | 'delete',
  table: Table,
  visitor: Visitor,
  options: UpdateOptions,
  planOptions?: PlanOptions,
): Promise<Plan> {
  const { key } = await table.describe()
  const encoder = new ItemEncoder()
  const { segments, concurrency, filter, consistentRead, readUnitsPerSecond, writeUnitsPerSecond, prices } = options
  const writtenOf = (item: PlainItem, raw: RawItem, edit: Edit): WrittenItem | undefined => {
    const change = prepareChange(edit, raw, key, encoder)
    return change === undefined ? undefined : { before: item, after: afterChange(item, change) }
  }
  return planTable(
    {
      operation,
      table,
      segments,
      concurrency,
      filter,
      consistentRead,
      readUnitsPerSecond,
      spread: true,
      prices,
      writes: {
        table,
        writeUnitsPerSecond,
        visitTimeoutMs: options.visitTimeoutMs,
        of: (item, raw) => {
          const edit = visitor(item)
          return isPromise(edit) ? edit.then((settled) => writtenOf(item, raw, settled)) : writtenOf(item, raw, edit)
        },
      },
    },
    planOptions,
  )
}

/** The item as it is once a change is made; undefined when that deletes it. */
function afterChange(item: PlainItem, { deletes, setNames, setTexts, removeNames }: Change): PlainItem | undefined {
  if (deletes) return undefined
  const after: { [name: string]: unknown } = { ...item }
  for (const [index, name] of setNames.entries()) after[name] = decodeValue(parseJson(setTexts[index]!))
  for (const name of removeNames) delete after[name]
  return after
}
