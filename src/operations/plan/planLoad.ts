import type { Table } from '../../database/table.ts'
import type { TableDescription } from '../../database/tableDescription.ts'
import type { SourceRecord } from '../../formats/record.ts'
import type { PlainItem } from '../../item/attributeValue.ts'
import { ItemError } from '../../item/itemError.ts'
import type { KeySchema } from '../../item/itemKey.ts'
import { keyCheck, keyHash } from '../../item/keyHash.ts'
import { DistinctKeys } from '../../job/distinctKeys.ts'
import type { ItemSample, Plan, PlanOptions } from '../../job/plan.ts'
import { BUILT_IN_PRICES } from '../../job/priceTable.ts'
import { counted } from '../../runtime/counted.ts'
import { HeadraceError } from '../../runtime/headraceError.ts'
import type { RecordSource } from '../file.ts'
import type { JobIdentity } from '../jobIdentity.ts'
import type { Transformer, TransformFault } from '../transform.ts'
import type { IfExists, WriteOptions } from '../writeOptions.ts'
import { assemblePlan, checkPlanOptions } from './assemblePlan.ts'
import { plannedWrites } from './plannedWrites.ts'
import { type SourcesSample, sampleSources } from './sampleSources.ts'
import { WriteCharge } from './writeCharge.ts'

export interface LoadPlanOptions extends PlanOptions {
  /** The key of the table that is made, on demand, if there is none of that name. */
  readonly newTableKey?: KeySchema | undefined
}

interface PlannedLoad extends JobIdentity {
  readonly transformer: Transformer | undefined
}

/** A plan does not wait longer than this for transforms in all. */
const TRANSFORMS_MS_MAX = 30_000

/**
 * What `load` would do.
 *
 * @internal
 * @throws {HeadraceError} `INPUT` for standard input and files that can not be read; `TABLE` where there is none and
 *   `newTableKey` was not given
 */
export async function planLoad(
  sources: readonly RecordSource[],
  table: Table,
  options: WriteOptions & { readonly ifExists?: IfExists | undefined },
  { operation, makesChanges, transformer }: PlannedLoad,
  planOptions: LoadPlanOptions = {},
): Promise<Plan> {
  const samplesWanted = checkPlanOptions(planOptions)
  const { connection, clock } = await table.database.open()
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
  let deletes = 0
  const keys = new DistinctKeys()
  let repeated = 0
  const weigh = (made: readonly PlainItem[] | TransformFault): number[] => {
    const sums = [1, ...new Array<number>(quantities - 1).fill(0)]
    for (const written of plannedWrites(made, makesChanges)) {
      const { before, after } = written
      const item = after ?? before!
      if (keys.add(keyHash(item, description.key), keyCheck(item, description.key))) repeated += 1
      sums[1]! += 1
      sums[2]! += charge.sizeOf(after)
      for (const [index, units] of charge.unitsOf(written).entries()) sums[3 + index]! += units
      if (after === undefined) deletes += 1
      if (samples.length < samplesWanted) samples.push({ before: undefined, after })
    }
    return sums
  }
  let shown = 0
  let isSlow = false
  const startedAt = clock.now()
  const weighRecord = (record: SourceRecord): number[] | Promise<number[]> | undefined => {
    if ('error' in record) return nothing(record.error)
    try {
      if (transformer === undefined) return weigh([record.item])
      isSlow ||= clock.now() - startedAt > TRANSFORMS_MS_MAX
      if (isSlow) return undefined
      shown += 1
      const made = transformer.apply(record.item)
      return made instanceof Promise ? made.then(weigh).catch(failed) : weigh(made)
    } catch (error) {
      return failed(error)
    }
  }
  const failed = (error: unknown): number[] => {
    if (transformer === undefined && !(error instanceof ItemError)) throw error
    return nothing(error instanceof Error ? error.message : `${error}`)
  }
  // As the job reads them.
  const key = transformer === undefined && !makesChanges ? description.key : undefined
  const sample = await sampleSources(sources, quantities, weighRecord, key, planOptions.signal)
  const countsKeys = sample.whole && !isSlow && !keys.isFull && !makesChanges
  return assemblePlan({
    operation,
    region: connection.region,
    loopback: connection.loopback,
    prices: options.prices ?? BUILT_IN_PRICES,
    native: operation === 'load' && transformer === undefined ? ['import'] : [],
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
      deletesItems: deletes > 0,
      isNew,
    },
    sample: { items: sample.records, readUnits: 0, whole: sample.whole, words: sample.words },
    samples,
    warnings: makesChanges
      ? []
      : overwriteWarnings(options.ifExists, description.name, isNew, countsKeys ? repeated : 0),
    unknown: [
      ...unknownOf(sample, description, isNew, rejects, reject, countsKeys),
      ...(isSlow
        ? [
            `The totals: the transform is slow, and ran on only ${counted(shown, 'record')} in ${TRANSFORMS_MS_MAX / 1_000} s.`,
          ]
        : []),
    ],
  })
}

function overwriteWarnings(ifExists: IfExists = 'overwrite', name: string, isNew: boolean, repeated: number): string[] {
  const warnings: string[] = []
  if (repeated > 0) {
    const [has, overwrites] = repeated === 1 ? ['has', 'overwrites'] : ['have', 'overwrite']
    const what = ifExists === 'overwrite' ? `${overwrites} it` : `so ifExists (--if-exists ${ifExists}) applies`
    const records = `${counted(repeated, 'record')} ${has} the same key as an earlier record`
    warnings.push(ifExists === 'overwrite' ? `${records} and ${what}.` : `${records}, ${what}.`)
  }
  if (!isNew && ifExists === 'overwrite')
    warnings.push(
      `Records overwrite items of ${name} with the same key. To keep those items, set ifExists (--if-exists skip or reject).`,
    )
  return warnings
}

function unknownOf(
  sample: SourcesSample,
  { name, itemCount, indexes, localIndexes }: TableDescription,
  isNew: boolean,
  rejects: number,
  reject: string,
  countsKeys: boolean,
): string[] {
  const unknown: string[] = []
  if (rejects > 0) {
    unknown.push(
      `Whether all records can be written: ${rejects} of the ${counted(sample.records, 'record')} read cannot (the first: ${reject}).`,
    )
  }
  if (!countsKeys) unknown.push('Whether records share a key: the plan counts each as a write.')
  if (!isNew && itemCount > 0) {
    const indexed = indexes.length + localIndexes.length > 0 ? ', and twice in an index where its key changes' : ''
    unknown.push(
      `Which items exist in ${name} already: replacing a larger item costs the WCU of the larger one${indexed}.`,
    )
  }
  if (sample.beginningsOnly) {
    unknown.push('Whether the rest of each file looks like its start: only the starts were read.')
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
