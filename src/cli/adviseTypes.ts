import type { KeySchema, RecordSource, Table } from '../index.ts'
import type { Talk } from './talk.ts'

/** Records of a file that are looked at. */
const LOOKED_AT_MAX = 1_000
/** Files that are looked at; others of a job are mostly alike. */
const FILES_MAX = 3
/** As `--types` would read it; a leading zero makes it a code, such as a postcode. */
const NUMBER = /^(?=(?:\D*\d){1,38}\D*$)-?(?:0|[1-9]\d*)(?:\.\d+)?$/
const BOOLEAN = /^(?:true|false)$/

type Guess = 'N' | 'BOOL' | 'S'

/**
 * Says so where CSV columns look like numbers or booleans and are read as strings. Most people find that out when their
 * filter matches nothing.
 *
 * @param key of the table, whose columns have its types; undefined where the table is asked
 */
export async function adviseTypes(
  talk: Talk,
  sources: readonly RecordSource[],
  flags: { readonly format?: string | undefined; readonly types?: { readonly [column: string]: string } | undefined },
  table: Table,
  key: KeySchema | undefined,
): Promise<void> {
  const csv = sources.filter(({ name }) => flags.format === 'csv' || /\.(?:csv|tsv)(?:\.gz|\.zst)?$/i.test(name))
  if (csv.length === 0 || (flags.format !== undefined && flags.format !== 'csv')) return
  for (const source of csv.slice(0, FILES_MAX)) {
    const tableKey = key ?? (await table.describe().catch(() => undefined))?.key
    const told = [tableKey?.partition.name, tableKey?.sort?.name, ...Object.keys(flags.types ?? {})]
    const guesses = await guessTypes(source, tableKey, new Set(told))
    if (guesses.length === 0) continue
    const names = guesses.map(([name]) => name).join(', ')
    const kinds = [
      ...(guesses.some(([, guess]) => guess === 'N') ? ['numbers'] : []),
      ...(guesses.some(([, guess]) => guess === 'BOOL') ? ['booleans'] : []),
    ].join(' and ')
    const columns = guesses.length === 1 ? `the column ${names}` : `the columns ${names}`
    talk.say(
      `${kinds} in ${columns} of ${source.name} are read as strings. To read them with their types, pass --types ${[...Object.entries(flags.types ?? {}), ...guesses].map((pair) => pair.join('=')).join(',')}`,
    )
    return
  }
}

/** @param told columns whose types are known */
async function guessTypes(
  source: RecordSource,
  key: KeySchema | undefined,
  told: ReadonlySet<string | undefined>,
): Promise<[string, Guess][]> {
  if (source.sample === undefined) return []
  const guesses = new Map<string, Guess>()
  let looked = 0
  try {
    for await (const records of source.sample.read(0, key).records) {
      for (const record of records) {
        if ('error' in record) continue
        for (const [name, value] of Object.entries(record.item)) {
          if (told.has(name)) continue
          // The header has types: who wrote it chose them all.
          if (typeof value !== 'string') return []
          const guess = guessOf(value)
          const before = guesses.get(name)
          guesses.set(name, before === undefined || before === guess ? guess : 'S')
        }
        looked += 1
      }
      if (looked >= LOOKED_AT_MAX) break
    }
  } catch {
    // The job reads it again, and tells what is wrong with it.
    return []
  }
  return [...guesses].filter(([, guess]) => guess !== 'S')
}

function guessOf(value: string): Guess {
  if (NUMBER.test(value)) return 'N'
  return BOOLEAN.test(value) ? 'BOOL' : 'S'
}
