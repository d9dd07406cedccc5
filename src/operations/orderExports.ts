import type { NativeExport } from './nativeFiles.ts'

export interface OrderOptions {
  /** Of several full exports of one table the newest alone. */
  readonly latest: boolean
  readonly onWarning: ((text: string) => void) | undefined
}

/**
 * Exports in the order in which they are to be loaded. Of full exports of one table there may be one: read side by side, items
 * of an older one could overwrite those of a newer one, and items that were deleted in between would come back. Incremental
 * exports are ordered by the ends of their windows, so that a later one has the last word.
 *
 * @throws {TypeError} naming the exports, for several full ones of one table, and for incremental ones that cannot be ordered
 */
export function orderExports(exports: readonly NativeExport[], { latest, onWarning }: OrderOptions): NativeExport[] {
  const full = exports.filter(({ manifest }) => !manifest.isIncremental)
  const incremental = exports.filter(({ manifest }) => manifest.isIncremental)
  return [...onePerTable(full, latest, onWarning), ...inOrder(incremental, onWarning)]
}

function onePerTable(
  exports: readonly NativeExport[],
  latest: boolean,
  onWarning: OrderOptions['onWarning'],
): NativeExport[] {
  const byTable = new Map<string, NativeExport[]>()
  for (const one of exports) {
    const table = one.manifest.tableArn ?? ''
    byTable.set(table, [...(byTable.get(table) ?? []), one])
  }
  return [...byTable.values()].map((several) => {
    if (several.length === 1) return several[0]!
    const sorted = [...several].sort((left, right) => timeOf(left) - timeOf(right))
    const listed = sorted.map(({ directory, manifest }) => `${directory} (${manifest.exportTime ?? 'unknown time'})`)
    const newest = sorted.at(-1)!
    if (latest && Number.isFinite(timeOf(newest)) && timeOf(newest) > timeOf(sorted.at(-2)!)) {
      onWarning?.(`loading only the newest of ${several.length} exports of one table: ${listed.at(-1)}`)
      return newest
    }
    throw new TypeError(
      `these are ${several.length} full exports of one table: ${listed.join(', ')}. ` +
        (latest
          ? 'The newest cannot be determined: pass one of them'
          : 'Pass one of them, or set latest (--latest) to load the newest'),
    )
  })
}

function timeOf({ manifest }: NativeExport): number {
  return manifest.exportTime === undefined ? Number.NEGATIVE_INFINITY : Date.parse(manifest.exportTime)
}

function inOrder(exports: readonly NativeExport[], onWarning: OrderOptions['onWarning']): NativeExport[] {
  if (exports.length < 2) return [...exports]
  const windows = exports.map((one) => ({
    one,
    from: Date.parse(one.manifest.from ?? ''),
    to: Date.parse(one.manifest.to ?? ''),
  }))
  const names = exports.map(({ directory }) => directory).join(', ')
  if (new Set(exports.map(({ manifest }) => manifest.tableArn)).size > 1)
    throw new TypeError(
      `these incremental exports belong to different tables: ${names}. Load the exports of one table at a time`,
    )
  if (windows.some(({ from, to }) => Number.isNaN(from) || Number.isNaN(to)))
    throw new TypeError(
      `not all of these ${exports.length} incremental exports state their time: ${names}. Load them one by one, oldest first`,
    )
  windows.sort((left, right) => left.to - right.to || left.from - right.from)
  for (const [index, { one, from }] of windows.entries()) {
    const before = windows[index - 1]
    if (before === undefined || before.to === from) continue
    const [earlier, later] = [before.one.manifest, one.manifest]
    if (before.to < from) onWarning?.(`the changes from ${earlier.to} to ${later.from} are missing: no export has them`)
    else onWarning?.(`two exports have the changes from ${later.from} to ${earlier.to}: the later export wins`)
  }
  return windows.map(({ one }) => one)
}
