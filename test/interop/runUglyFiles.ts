import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Database } from '../../src/database/database.ts'
import { keyNamesOf, keyPartsOf } from '../../src/item/itemKey.ts'
import { createTable } from '../../src/operations/tables.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { Dice } from '../expression/generatedFilters.ts'
import { KEYS } from './fileMaker.ts'
import { generateFile, KINDS, type UglyFile } from './generatedFiles.ts'
import { itemText, judgeLoad, keyText } from './judgeLoad.ts'
import { loadByCommand, loadHere, type Outcome } from './loadOutcome.ts'
import { mendRejects } from './mendRejects.ts'
import type { OtherReader, OtherView } from './otherReader.ts'

export interface UglyReport {
  readonly ran: number
  readonly differences: readonly string[]
  /** Files in which each kind of ugliness, and each layout, occurred. */
  readonly counts: ReadonlyMap<string, number>
  /** How often the two readers differed for a reason that is known. */
  readonly reasons: ReadonlyMap<string, number>
  readonly rejectsMended: number
  readonly byCommand: number
}

export interface RunUglyFilesOptions {
  readonly database: Database
  /** Of the same store, for the command. */
  readonly endpoint: string
  readonly reader: OtherReader
  /** Where files and jobs lie; those of a seed that failed stay. */
  readonly directory: string
  readonly from: number
  readonly seeds: number
  /** Of so many seeds one is loaded by the built command. Default 250. */
  readonly commandEach?: number
  /** End with the first difference. */
  readonly stop?: boolean
  readonly onProgress?: (ran: number) => void
}

const COMMAND_EACH = 250

/** Loads generated files, and holds table, rejects and summary to what another reader sees in the same bytes. */
export async function runUglyFiles(options: RunUglyFilesOptions): Promise<UglyReport> {
  const { database, from, seeds, stop = false, onProgress } = options
  for (const [index, key] of KEYS.entries()) await createTable(database, tableName(index), { key })
  const run = new UglyRun(options)
  let ran = 0
  for (let seed = from; seed < from + seeds && !(stop && run.differences.length > 0); seed += 1) {
    await run.one(seed)
    ran += 1
    if (ran % 1_000 === 0) onProgress?.(ran)
  }
  return { ran, ...run }
}

function tableName(index: number): string {
  return `ugly${index}`
}

/** Kinds of ugliness that a run of so many seeds met too rarely. */
export function tooRare({ ran, counts }: UglyReport): string[] {
  const floor = Math.floor(ran / 1_000)
  return KINDS.filter((kind) => (counts.get(kind) ?? 0) < floor).map((kind) => `${kind}: ${counts.get(kind) ?? 0}`)
}

class UglyRun {
  readonly differences: string[] = []
  readonly counts = new Map<string, number>()
  readonly reasons = new Map<string, number>()
  rejectsMended = 0
  byCommand = 0
  readonly #options: RunUglyFilesOptions

  constructor(options: RunUglyFilesOptions) {
    this.#options = options
  }

  async one(seed: number): Promise<void> {
    const { directory: root } = this.#options
    const directory = join(root, `seed-${seed}`)
    mkdirSync(directory)
    const file = generateFile(seed)
    for (const kind of [...file.kinds, file.layout]) count(this.counts, kind)
    let failures: readonly string[]
    try {
      failures = await this.#try(file, directory)
    } catch (error) {
      failures = [`the run failed: ${error instanceof Error ? error.stack : error}`]
    }
    if (failures.length === 0) rmSync(directory, { recursive: true })
    else {
      const { layout, spelling, options, name } = file
      const told = `${layout} ${spelling}, ${JSON.stringify(options)}, ${[...file.kinds].join(', ')}`
      this.differences.push(`seed ${seed}: ${failures.join('\n  ')}\n  ${told}\n  file: ${join(directory, name)}`)
    }
    await this.#empty(file)
  }

  async #try(file: UglyFile, directory: string): Promise<readonly string[]> {
    const { reader, commandEach = COMMAND_EACH, endpoint, database } = this.#options
    const path = join(directory, file.name)
    await this.#write(file, path)
    const { csv, lineBytesMax } = file.options
    const asked = reader.ask<OtherView>({
      do: 'read',
      path,
      ...{ layout: file.layout, spelling: file.spelling, key: keyPartsOf(file.key), lineBytesMax },
      ...{ types: csv?.types, delimiter: csv?.delimiter ?? (/\.tsv/.test(file.name) ? '\t' : undefined) },
    })
    // Told where it is waited for.
    asked.catch(() => undefined)
    const table = tableName(KEYS.indexOf(file.key))
    const job = join(directory, 'job')
    const isCommand = file.seed % commandEach === 0 && lineBytesMax === undefined
    const outcome = isCommand
      ? await loadByCommand(file, table, { path, job, endpoint, directory })
      : await loadHere(file, database.table(table), path, job)
    if (isCommand) this.byCommand += 1
    const view = await asked
    const items = await this.#items(table)
    const { failures, reason } = judgeLoad({ file, view, outcome, items })
    if (reason !== undefined) count(this.reasons, reason)
    if (failures.length > 0 || outcome.rejects.length === 0) return failures
    return this.#mend(file, items, outcome, directory)
  }

  async #write(file: UglyFile, path: string): Promise<void> {
    const { reader } = this.#options
    if (file.parquet !== undefined) await reader.ask({ do: 'parquet', path, ...file.parquet })
    else writeFileSync(path, file.bytes)
    if (file.zstdCut !== undefined) await reader.ask({ do: 'zstd', path, ...{ cut: file.zstdCut } })
    if (file.cutShare === undefined) return
    const whole = readFileSync(path)
    writeFileSync(path, whole.subarray(0, Math.floor(whole.length * file.cutShare)))
  }

  /** All rejects, each put right, and then all records are in the table. */
  async #mend(
    file: UglyFile,
    before: readonly { readonly [name: string]: unknown }[],
    outcome: Outcome,
    directory: string,
  ): Promise<readonly string[]> {
    const { database } = this.#options
    const dice = new Dice(seededRandom(file.seed))
    const { lines, items } = mendRejects(dice, file, outcome.rejects)
    if (lines.length === 0) return []
    this.rejectsMended += lines.length
    const path = join(directory, 'mended.jsonl')
    writeFileSync(path, lines.map((line) => `${line}\n`).join(''))
    const table = tableName(KEYS.indexOf(file.key))
    const mended: UglyFile = { ...file, options: { format: 'rejects' }, pieceBytes: undefined }
    const again = await loadHere(mended, database.table(table), path, join(directory, 'mended'))
    const failures: string[] = []
    if (again.failure !== undefined) failures.push(`the mended rejects end with: ${again.failure}`)
    for (const { line } of again.rejects) failures.push(`a mended reject is one again: ${line}`)
    const wanted = new Map(before.map((item) => [keyText(item, file.key), itemText(item)]))
    for (const item of items) wanted.set(keyText(item, file.key), itemText(item))
    const found = new Set((await this.#items(table)).map(itemText))
    for (const text of wanted.values()) if (!found.has(text)) failures.push(`not in the table when mended: ${text}`)
    if (found.size !== wanted.size) failures.push(`${found.size} items when mended, and not ${wanted.size}`)
    return failures
  }

  async #items(TableName: string): Promise<{ readonly [name: string]: unknown }[]> {
    const { service } = await this.#options.database.open()
    const items: { readonly [name: string]: unknown }[] = []
    let ExclusiveStartKey: unknown
    do {
      const more = ExclusiveStartKey === undefined ? {} : { ExclusiveStartKey }
      const page = (await service.call('Scan', { TableName, ConsistentRead: true, ...more })) as {
        readonly Items: readonly { readonly [name: string]: unknown }[]
        readonly LastEvaluatedKey?: unknown
      }
      items.push(...page.Items)
      ExclusiveStartKey = page.LastEvaluatedKey
    } while (ExclusiveStartKey !== undefined)
    return items
  }

  async #empty({ key }: UglyFile): Promise<void> {
    const { service } = await this.#options.database.open()
    const table = tableName(KEYS.indexOf(key))
    const items = await this.#items(table)
    for (let start = 0; start < items.length; start += 25) {
      const deletes = items.slice(start, start + 25).map((item) => ({
        DeleteRequest: { Key: Object.fromEntries(keyNamesOf(key).map((name) => [name, item[name]])) },
      }))
      await service.call('BatchWriteItem', { RequestItems: { [table]: deletes } })
    }
  }
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}
