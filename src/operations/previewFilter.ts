import type { ScanOptions } from '../database/scan.ts'
import type { Table } from '../database/table.ts'
import { readFilter } from '../expression/filter.ts'
import { FilterSurvey } from '../expression/filterSurvey.ts'
import type { ItemJson } from '../expression/tree.ts'
import type { Plan } from '../job/plan.ts'
import { counted } from '../runtime/counted.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { parseJson } from '../runtime/parseJson.ts'
import type { RawPage } from '../scan/page.ts'
import { sampleTable } from './plan/sampleTable.ts'

/** What a small sample of a table says of a filter. */
export interface FilterPreview {
  /** Items that were looked at, and for how many of them the filter holds. */
  readonly sampled: number
  readonly matched: number
  /** The sample is the whole table or index. */
  readonly isWhole: boolean
  readonly readUnits: number
  /**
   * Names that stand where a value is usual, and that no item of the sample has: a string that lacks its single quotes, or
   * an attribute that is rare. Jobs that change items refuse these; a sentence each.
   */
  readonly unknownNames: readonly string[]
  /** Such as that the filter matches everything, or compares values of different types; a sentence each. */
  readonly warnings: readonly string[]
}

export type FilterPreviewOptions = Pick<ScanOptions, 'index' | 'readUnitsPerSecond' | 'patienceMs'> & {
  readonly signal?: AbortSignal | undefined
}

/** A few pages: 512 KB, eventually consistent. */
const READ_UNITS_MAX = 64
const SEGMENTS = 8
/** An emulator goes through all of its table for each page. */
const SEGMENTS_HERE = 2

/**
 * Reads a small sample of a table, at most about 64 read units in 8 requests, and says what a filter would do there:
 * whether it matches everything or nothing, names attributes that no item has, or compares values of different types.
 *
 * @throws {HeadraceError} `CONFIGURATION` for a filter that is not valid; others when the table cannot be read
 */
export async function previewFilter(
  table: Table,
  filter: string,
  options: FilterPreviewOptions = {},
): Promise<FilterPreview> {
  const survey = new FilterSurvey(readFilter(filter))
  const { index } = options
  const [description, { connection }] = await Promise.all([table.describe(), table.database.open()])
  const told = description.indexes.find(({ name }) => name === index) ?? description
  const sample = await sampleTable(table, {
    ...options,
    toldItems: told.itemCount,
    toldBytes: told.sizeBytes,
    readUnitsMax: READ_UNITS_MAX,
    segmentsWhole: SEGMENTS,
    segmentsLookedAt: connection.loopback ? SEGMENTS_HERE : SEGMENTS,
  })
  for (const { pages } of [...sample.segments, ...sample.partial]) {
    for (const page of pages) addPage(survey, page as RawPage)
  }
  const { sampled, matched } = survey
  const { unknownNames, warnings } = survey.findings(sample.whole)
  return {
    sampled,
    matched,
    isWhole: sample.whole,
    readUnits: sample.readUnits,
    unknownNames,
    warnings: [
      ...warnings,
      ...reach(
        sampled,
        matched,
        sample.whole ? undefined : sample.segments.length + sample.partial.length,
        `${index === undefined ? 'table' : `index ${index} of`} ${table.name}`,
      ),
    ],
  }
}

/**
 * For jobs that change items: a name that no item has is taken for a string without its quotes.
 *
 * @throws {HeadraceError} `CONFIGURATION` for such a name
 */
export function refuseUnknownNames(preview: FilterPreview | undefined): void {
  const [first] = preview?.unknownNames ?? []
  if (first === undefined) return
  throw new HeadraceError(
    'CONFIGURATION',
    `${first}. If the attribute is just rare, set allowUnknownAttributes (--allow-unknown-attributes). Nothing was changed`,
    { place: { option: 'filter' } },
  )
}

/** A plan that says what the preview found. */
export function withPreview(plan: Plan, preview: FilterPreview | undefined): Plan {
  if (preview === undefined) return plan
  const found = [...preview.unknownNames, ...preview.warnings].map(
    (text) => `${text[0]!.toUpperCase()}${text.slice(1)}.`,
  )
  return { ...plan, warnings: [...found, ...plan.warnings] }
}

function addPage(survey: FilterSurvey, page: RawPage): void {
  for (const index of page.items.keys()) {
    const item: { [name: string]: unknown } = Object.create(null)
    for (const name of survey.attributes) {
      const text = page.rawAttribute(index, name)
      if (text !== undefined) item[name] = parseJson(text)
    }
    survey.add(item as ItemJson, page.rawNames(index))
  }
}

/** How much of a table a filter matches, where that is all or nothing. */
/** @param places of the table that were looked at; undefined for all of it */
function reach(sampled: number, matched: number, places: number | undefined, source: string): string[] {
  const isWhole = places === undefined
  if (sampled === 0) return isWhole ? [`${source} is empty`] : []
  const items = counted(sampled, isWhole ? 'item' : 'sampled item')
  const one = isWhole ? 'the only item' : 'the one item sampled'
  if (matched === sampled) {
    return [`the filter matches ${sampled === 1 ? one : `all ${items}`} of ${source}${from(places)}`]
  }
  if (matched > 0) return []
  return [
    sampled === 1
      ? `the filter does not match ${one} of ${source}${from(places)}`
      : `the filter matches none of the ${items} of ${source}${from(places)}`,
  ]
}

/** A job that was stopped has changed some places of a table and not others. */
function from(places: number | undefined): string {
  return places === undefined ? '' : `. They are from ${counted(places, 'place')} in it, and others may differ`
}
