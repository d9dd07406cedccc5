import { existsSync, readFileSync } from 'node:fs'
import type { Table } from '../../src/database/table.ts'
import type { Summary } from '../../src/job/summary.ts'
import { files } from '../../src/operations/files.ts'
import { load } from '../../src/operations/load.ts'
import { HeadraceError } from '../../src/runtime/headraceError.ts'
import { headrace } from '../e2e/command.ts'
import type { UglyFile } from './generatedFiles.ts'

/** What the product says of a load. */
export interface Outcome {
  readonly counts: Pick<
    Summary,
    'read' | 'written' | 'overwritten' | 'skipped' | 'rejected' | 'filtered' | 'notReached' | 'incompleteInput'
  >
  /** With what it ended, if not well. */
  readonly failure: string | undefined
  readonly warnings: readonly string[]
  readonly rejects: readonly { readonly line: string; readonly fields: { readonly [field: string]: unknown } }[]
  /** Of the command. */
  readonly exitCode: number | undefined
}

/** Loads in this process. */
export async function loadHere(file: UglyFile, table: Table, path: string, job: string): Promise<Outcome> {
  const { pieceBytes } = file
  const warnings: string[] = []
  const open = (name: string, start: number): AsyncIterable<Uint8Array> => pieces(name, start, pieceBytes!)
  const sources = await files([path], { ...file.options, ...(pieceBytes === undefined ? {} : { open }) })
  const loading = load(sources, table)
  let failure: string | undefined
  try {
    await loading.run({ directory: job, onWarning: (text) => warnings.push(text) })
  } catch (error) {
    if (!(error instanceof HeadraceError)) throw error
    failure = `${error.code}: ${error.message}`
  }
  return { counts: loading.progress, failure, warnings, rejects: rejectsIn(job), exitCode: undefined }
}

async function* pieces(name: string, start: number, bytes: number): AsyncGenerator<Uint8Array> {
  const content = readFileSync(name).subarray(start)
  for (let at = 0; at < content.length; at += bytes) yield content.subarray(at, at + bytes)
}

interface Place {
  readonly path: string
  readonly job: string
  readonly endpoint: string
  readonly directory: string
}

const NOTHING: Outcome['counts'] = {
  read: 0,
  written: 0,
  overwritten: 0,
  skipped: 0,
  rejected: 0,
  filtered: 0,
  notReached: 0,
  incompleteInput: [],
}

/** Loads as a user does. */
export async function loadByCommand(file: UglyFile, table: string, place: Place): Promise<Outcome> {
  const { format, csv } = file.options
  const types = Object.entries(csv?.types ?? {}).map(([name, type]) => `${name}=${type}`)
  const ended = await headrace(
    [
      'load',
      table,
      place.path,
      '--job',
      place.job,
      '--json',
      ...(format === 'rejects' ? ['--from-rejects'] : format === undefined ? [] : ['--format', format]),
      ...(types.length === 0 ? [] : ['--types', types.join(',')]),
      ...(csv?.delimiter === undefined ? [] : ['--delimiter', csv.delimiter]),
    ],
    { directory: place.directory, environment: { AWS_ENDPOINT_URL: place.endpoint } },
  )
  const { stdout, stderr, code } = ended
  if (code === null || /^ {4}at /m.test(stderr)) throw new Error(`the command ended with ${code}: ${stderr}`)
  const events = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { readonly event: string; readonly message?: string } & Outcome['counts'])
  const last = events.at(-1)!
  const warnings = events.filter(({ event }) => event === 'warning').map(({ message = '' }) => message)
  const failure = last.event === 'failed' ? `${last.message}` : undefined
  const counts = events.findLast(({ read }) => read !== undefined) ?? NOTHING
  return { counts, failure, warnings, rejects: rejectsIn(place.job), exitCode: code }
}

function rejectsIn(job: string): Outcome['rejects'] {
  const path = `${job}/rejects.jsonl`
  if (!existsSync(path)) return []
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  return lines.map((line) => ({ line, fields: JSON.parse(line) as { readonly [field: string]: unknown } }))
}
