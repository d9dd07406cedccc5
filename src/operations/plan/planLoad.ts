import type { Table } from '../../database/table.ts'
import type { TableDescription } from '../../database/tableDescription.ts'
import type { PlainItem } from '../../item/attributeValue.ts'
import { ItemError } from '../../item/itemError.ts'
import { itemKey, type KeySchema } from '../../item/itemKey.ts'
import type { ItemSample, Plan, PlanOptions } from '../../job/plan.ts'
import { BUILT_IN_PRICES } from '../../job/priceTable.ts'
import { HeadraceError } from '../../runtime/headraceError.ts'
import type { RecordSource } from '../file.ts'
import type { WriteOptions } from '../writeRun.ts'
import { assemblePlan, checkPlanOptions } from './assemblePlan.ts'
import { type SourcesSample, sampleSources } from './sampleSources.ts'
import { WriteCharge } from './writeCharge.ts'

export interface LoadPlanOptions extends PlanOptions {
  /** The key of the table that is made, on demand, if there is none of that name. */
  readonly newTableKey?: KeySchema
}

/**
 * What `load` would do.
 *
 * @throws {HeadraceError} `INPUT` for standard input and files that can not be read; `TABLE` where there is none and
 *   `newTableKey` was not given
 */
export async function planLoad(
  sources: readonly RecordSource[],
  table: Table,
  options: WriteOptions,
  planOptions: LoadPlanOptions = {},
): Promise<Plan> {
  const samplesWanted = checkPlanOptions(planOptions)
  const { connection } = await table.database.open()
  const found = await describeOrNew(table, planOptions.newTableKey)
  const { description, isNew } = found
  const charge = new WriteCharge(description)
  const samples: ItemSample[] = []
  let rejects = 0
  let reject = ''
  const quantities = 4 + description.indexes.length
  const nothing = (message: string): number[] => {
    rejects += 1
    if (rejects === 1) reject = message
    return [1, ...new Array<number>(quantities - 1).fill(0)]
  }
  const weigh = (item: PlainItem): number[] => {
    itemKey(item, description.key)
    const bytes = charge.sizeOf(item)
    const units = charge.unitsOf({ after: item })
    if (samples.length < samplesWanted) samples.push({ before: undefined, after: item })
    return [1, 1, bytes, ...units]
  }
  const sample = await sampleSources(
    sources,
    quantities,
    (record) => {
      if ('error' in record) return nothing(record.error)
      try {
        return weigh(record.item)
      } catch (error) {
        if (!(error instanceof ItemError)) throw error
        return nothing(error.message)
      }
    },
    planOptions.signal,
  )
  return assemblePlan({
    operation: 'load',
    region: connection.region,
    loopback: connection.loopback,
    prices: options.prices ?? BUILT_IN_PRICES,
    native: ['import'],
    items: sample.expand(0),
    bytes: sample.expand(2),
    changes: sample.expand(1),
    writes: {
      table,
      description,
      rate: options.writeUnitsPerSecond,
      tableUnits: sample.expand(3),
      indexUnits: description.indexes.map((_, index) => sample.expand(4 + index)),
      changesItems: !isNew && description.itemCount > 0,
      deletesItems: false,
      isNew,
    },
    sample: { items: sample.records, readUnits: 0, whole: sample.whole, words: sample.words },
    samples,
    unknown: unknownOf(sample, description, isNew, rejects, reject),
  })
}

function unknownOf(
  sample: SourcesSample,
  { name, itemCount, indexes, localIndexes }: TableDescription,
  isNew: boolean,
  rejects: number,
  reject: string,
): string[] {
  const unknown: string[] = []
  if (rejects > 0) {
    unknown.push(
      `Whether all records can be written: ${rejects} of the ${sample.records} that were read can not (${reject}).`,
    )
  }
  unknown.push('Whether several records have one key: each counts as a write.')
  if (!isNew && itemCount > 0) {
    const indexed = indexes.length + localIndexes.length > 0 ? ', and an index that has it under another key twice' : ''
    unknown.push(
      `Which items ${name} has already: one that is replaced by a smaller one counts by its own size${indexed}.`,
    )
  }
  if (sample.beginningsOnly) {
    unknown.push('Whether the files are all like their beginnings: these alone were read.')
  }
  return unknown
}

async function describeOrNew(
  table: Table,
  newTableKey: KeySchema | undefined,
): Promise<{ description: TableDescription; isNew: boolean }> {
  try {
    return { description: await table.describe({ again: true }), isNew: false }
  } catch (error) {
    if (newTableKey === undefined || !(error instanceof HeadraceError) || error.code !== 'TABLE') throw error
    return { description: newTable(table.name, newTableKey), isNew: true }
  }
}

/** A table as `headrace load --key` makes it. */
function newTable(name: string, key: KeySchema): TableDescription {
  return {
    name,
    key,
    arn: '',
    tableId: undefined,
    status: 'ACTIVE',
    billing: 'on demand',
    readUnitsPerSecond: 0,
    writeUnitsPerSecond: 0,
    readUnitsPerSecondMax: undefined,
    writeUnitsPerSecondMax: undefined,
    warmReadUnitsPerSecond: 0,
    warmWriteUnitsPerSecond: 0,
    itemCount: 0,
    sizeBytes: 0,
    indexes: [],
    localIndexes: [],
    deletionProtection: false,
    tableClass: 'STANDARD',
    replicas: [],
    hasStream: false,
  }
}
