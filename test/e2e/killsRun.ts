import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { connect, type Database } from '../../src/database/database.ts'
import type { PlainItem } from '../../src/item/attributeValue.ts'
import { decodeItem } from '../../src/item/decode.ts'
import { encodeItem } from '../../src/item/encode.ts'
import type { Checkpoint } from '../../src/job/checkpoint.ts'
import { findCheckpoint } from '../../src/job/jobDirectory.ts'
import { startLocal } from '../../src/local/startLocal.ts'
import { createTable } from '../../src/operations/tables.ts'
import { type Random, seededRandom } from '../../src/runtime/random.ts'
import { type Gateway, startGateway } from '../../src/simulator/gateway.ts'
import { S3 } from '../../src/storage/s3.ts'
import { readS3Object } from '../../src/storage/s3Source.ts'
import { type S3Server, startS3Server } from '../support/s3Server.ts'
import { headrace, scratchDirectory } from './command.ts'

export const VERBS = [
  'load',
  'update',
  'update-threads',
  'copy',
  'delete',
  'export',
  'export-s3',
  'run',
  'run-files',
] as const
export type Verb = (typeof VERBS)[number]

export interface KillsOptions {
  /** Of all verbs together. */
  readonly kills: number
  /** Of one job at most, so that it ends some time. Default 12. */
  readonly killsOfJob?: number
  readonly verbs?: readonly Verb[]
  /** Records of each job. */
  readonly items: number
  readonly seed: number
  /** Told of each job when it has ended. */
  readonly onJob?: (job: KilledJob) => void
}

/** A job that was killed again and again, and gone on with until it was done. */
export interface KilledJob {
  readonly verb: Verb
  readonly kills: number
  /** Of each kill: writes that the service had acknowledged and the next run made again, at most. */
  readonly redone: readonly number[]
  /** What is not as it is without kills; empty when all is well. */
  readonly faults: readonly string[]
}

/** A process is killed at the earliest so long after its start, and at the latest after this part of an undisturbed run. */
const KILL_MS_MIN = 150
const KILL_SHARE_MAX = 0.6
const ROUNDS_MAX = 60
/** Of what goes to S3: three parts. */
const BYTES_OF_PARTS = 20 * 1024 * 1024

/** One record of ten is wrong in some way, one key of twenty comes twice. */
function inputLines(items: number): string {
  const lines: string[] = []
  for (let index = 0; index < items; index += 1) {
    const id = index % 20 === 19 ? `item${index - 7}` : `item${index}`
    lines.push(
      index % 10 === 3 ? `{"wrong":${index}}` : `{"id":"${id}","n":${index},"text":"${'x'.repeat(index % 90)}"}`,
    )
  }
  return `${lines.join('\n')}\n`
}

const VISITOR = `export default (item) => {
  if (item.n % 10 === 1) throw new Error('not this one')
  return item.n % 10 === 2 ? undefined : { set: { n: item.n + 1000000 } }
}
`

/** A job of one's own, from a table or from files into the target. */
function jobModule(verb: Verb, table: string): string {
  if (verb === 'run-files') {
    return `export default {
  source: { files: 'input.jsonl' },
  transform: (item) => (item.n % 10 === 2 ? undefined : { ...item, half: item.n / 2 }),
  sink: { table: '${table}' },
}
`
  }
  return `export default {
  source: { table: '${table}', filter: 'n >= 0' },
  transform: ({ id, n }) => {
    if (n % 10 === 1) throw new Error('not this one')
    if (n % 10 === 2) return undefined
    return n % 10 === 3 ? { delete: { id } } : { put: { id, half: n / 2 } }
  },
  sink: { table: '${table}-target', write: 'changes' },
}
`
}

/** Kills the built program at random instants while it works, and goes on until its job is done; over all verbs. */
export async function runKills(options: KillsOptions): Promise<KilledJob[]> {
  const { kills, killsOfJob = 12, verbs = VERBS, items, seed } = options
  using directory = scratchDirectory()
  await using store = await startLocal({ kind: 'dynoxide' })
  await using gateway = await startGateway({
    upstream: store.endpoint,
    seed,
    capacity: { billing: 'provisioned', readUnitsPerSecond: 100_000, writeUnitsPerSecond: 100_000, burstSeconds: 0 },
    // Answers are lost, too: what was done must be told from what was not.
    faults: { shares: { 'reset after': 0.01, 'error after': 0.01 } },
  })
  await using database = connect({ endpoint: store.endpoint })
  await using s3Server = await startS3Server()
  writeFileSync(join(directory.path, 'input.jsonl'), inputLines(items))
  writeFileSync(join(directory.path, 'visit.mjs'), VISITOR)
  const world: World = { directory: directory.path, database, gateway, s3Server, items, random: seededRandom(seed) }
  const jobs: KilledJob[] = []
  let left = kills
  let number = 0
  while (left > 0 || number < verbs.length) {
    const verb = verbs[number % verbs.length]!
    number += 1
    const job = await killJob(world, verb, number, Math.max(1, Math.min(left, killsOfJob)))
    jobs.push(job)
    options.onJob?.(job)
    left -= job.kills
    if (job.faults.length > 0) break
  }
  return jobs
}

interface World {
  readonly directory: string
  readonly database: Database
  readonly gateway: Gateway
  readonly s3Server: S3Server
  readonly items: number
  readonly random: Random
}

async function killJob(world: World, verb: Verb, number: number, killsMax: number): Promise<KilledJob> {
  const { directory, database, random, items } = world
  const kind = { partition: { name: 'id', type: 'S' } } as const
  const [quiet, torn] = [`${verb}-quiet-${number}`, `${verb}-torn-${number}`]
  for (const name of [quiet, torn]) {
    await createTable(database, name, { key: kind })
    if (hasTarget(verb)) await createTable(database, `${name}-target`, { key: kind })
    if (verb !== 'load' && verb !== 'run-files')
      await fill(world, name, verb === 'export-s3' ? BYTES_OF_PARTS / items : 0)
    writeFileSync(join(directory, `${name}.mjs`), jobModule(verb, name))
  }
  const faults: string[] = []
  const beganAt = performance.now()
  const undisturbed = await run(world, commandOf(world, verb, quiet, `job-${quiet}`))
  if (![0, 3].includes(undisturbed.code!)) faults.push(`undisturbed: exit ${undisturbed.code}: ${undisturbed.stderr}`)

  const killMsMax = Math.max(2 * KILL_MS_MIN, KILL_SHARE_MAX * (performance.now() - beganAt))
  const job = `job-${torn}`
  const redone: number[] = []
  let kills = 0
  let code: number | null = null
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    // The first run may be killed before it has made its directory.
    const begun = existsSync(join(directory, job, 'job.json'))
    const afterMs = kills < killsMax ? KILL_MS_MIN + random() * (killMsMax - KILL_MS_MIN) : undefined
    const before = settledOf(directory, job)
    const writesBefore = world.gateway.statistics().acknowledgedWrites
    const end = await run(world, begun ? resumeOf(world, verb, job) : commandOf(world, verb, torn, job), afterMs)
    code = end.code
    if (code !== null) {
      if (code !== 0 && code !== 3) faults.push(`exit ${code}: ${end.stderr}`)
      break
    }
    kills += 1
    if (verb === 'export-s3' && (await objectOf(world, torn)) !== undefined)
      faults.push('an object is there before it is whole')
    const made = world.gateway.statistics().acknowledgedWrites - writesBefore
    redone.push(Math.max(0, made - (settledOf(directory, job) - before)))
  }
  if (code === null) faults.push(`it was not done after ${ROUNDS_MAX} runs`)
  faults.push(...(await compare(world, verb, quiet, torn)))
  for (const name of [quiet, torn]) rmSync(join(directory, `job-${name}`), { recursive: true, force: true })
  return { verb, kills, redone, faults }
}

function commandOf({ s3Server }: World, verb: Verb, table: string, job: string): string[] {
  const state = ['--job', job]
  switch (verb) {
    case 'load':
      return ['load', table, 'input.jsonl', ...state]
    case 'update':
      return ['update', table, 'visit.mjs', '--once', ...state]
    case 'update-threads':
      return ['update', table, 'visit.mjs', '--once', '--threads', '2', ...state]
    case 'copy':
      return ['copy', table, `${table}-target`, ...state]
    case 'delete':
      return ['delete', table, '--where', 'n < :half'.replace(':half', '5000'), '--yes', ...state]
    case 'export':
      return ['export', table, `${table}.jsonl.gz`, ...state]
    case 'export-s3':
      return ['export', table, `s3://${s3Server.bucket}/${table}.xml`, ...state]
    case 'run':
    case 'run-files':
      return ['run', `${table}.mjs`, ...state]
  }
}

/** What was begun in threads goes on in threads, in more of them, or in none. */
function resumeOf({ random }: World, verb: Verb, job: string): string[] {
  const threads = verb === 'update-threads' ? Math.floor(random() * 4) : 0
  return ['resume', job, ...(threads === 0 ? [] : ['--threads', `${threads}`])]
}

function hasTarget(verb: Verb): boolean {
  return verb === 'copy' || verb === 'run'
}

/** Runs it, and kills it after so long. */
function run({ directory, gateway, s3Server }: World, args: readonly string[], afterMs?: number) {
  return headrace([...args, '--quiet', '--endpoint-url', gateway.url], {
    directory,
    environment: s3Server.environment,
    onStart: (child) => {
      if (afterMs === undefined) return
      const timer = setTimeout(() => child.kill('SIGKILL'), afterMs)
      child.on('exit', () => clearTimeout(timer))
    },
  })
}

async function fill({ database, items }: World, table: string, textBytes: number): Promise<void> {
  const text = 'x'.repeat(textBytes)
  await using publisher = database.table(table).publisher()
  for (let index = 0; index < items; index += 1) {
    const item = { id: `item${index}`, n: index, ...(text === '' ? {} : { text }) }
    if (!publisher.put(item)) await publisher.ready
  }
}

function settledOf(directory: string, job: string): number {
  const path = join(directory, job)
  const checkpoint: Checkpoint | undefined = existsSync(path) ? findCheckpoint(path).checkpoint : undefined
  return checkpoint?.tally.written ?? 0
}

async function compare(world: World, verb: Verb, quiet: string, torn: string): Promise<string[]> {
  const { directory } = world
  const faults: string[] = []
  const same = (what: string, left: string, right: string): void => {
    if (left !== right) faults.push(`${what} differ: ${difference(left, right)}`)
  }
  if (verb === 'export') {
    const linesOf = (name: string): string =>
      gunzipSync(readFileSync(join(directory, `${name}.jsonl.gz`)))
        .toString()
        .trimEnd()
        .split('\n')
        .map((line) => canonicalText(decodeItem(JSON.parse(line).Item)))
        .sort()
        .join('\n')
    same('the files', linesOf(quiet), linesOf(torn))
    if (existsSync(join(directory, `${torn}.jsonl.gz.part`))) faults.push('a part is left over')
  }
  if (verb === 'export-s3') {
    const [before, after] = [await objectOf(world, quiet), await objectOf(world, torn)]
    // The store gives attributes in an order of its own; the long text is told by its length.
    const sorted = (text = ''): string =>
      text
        .split('\n')
        .map((line) => [...line.matchAll(/<(id|n)\b.*?<\/\1>/g)].sort().join('') + line.length)
        .sort()
        .join('\n')
    same('the objects', sorted(before), sorted(after))
    const left = readdirSync(join(directory, `job-${torn}`)).filter((name) => /^part-|^upload/.test(name))
    if (left.length > 0) faults.push(`left over: ${left}`)
  }
  const suffix = hasTarget(verb) ? '-target' : ''
  same('the tables', await textOf(world, `${quiet}${suffix}`), await textOf(world, `${torn}${suffix}`))
  const [before, after] = [quiet, torn].map((name) => findCheckpoint(join(directory, `job-${name}`)).checkpoint)
  // What was deleted behind the last checkpoint is not there to be counted again.
  if (verb !== 'delete') same('the accounts', accountText(before?.tally), accountText(after?.tally))
  same('the rejects', rejectsOf(directory, quiet), rejectsOf(directory, torn))
  return faults
}

/** Undefined where it is not there. */
async function objectOf({ s3Server }: World, name: string): Promise<string | undefined> {
  const s3 = new S3()
  try {
    const address = { bucket: s3Server.bucket, key: `${name}.xml` }
    const object = await s3.find(address)
    if (object === undefined) return undefined
    const pieces: Uint8Array[] = []
    for await (const piece of readS3Object(s3, address, object)) pieces.push(piece)
    return Buffer.concat(pieces).toString()
  } finally {
    await s3.close()
  }
}

function rejectsOf(directory: string, table: string): string {
  const path = join(directory, `job-${table}`, 'rejects.jsonl')
  if (!existsSync(path)) return ''
  // What is shown of the items has their attributes in any order.
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  const told = lines.map((line) => {
    const { code, message, place } = JSON.parse(line)
    return `${code} ${place} ${message}`
  })
  return told.sort().join('\n')
}

/** All items in the order of their keys, but for the marks of the job. */
async function textOf({ database }: World, table: string): Promise<string> {
  const lines: string[] = []
  for await (const { headrace_once: _, ...item } of database.table(table).scan({ segments: 1 })) {
    lines.push(canonicalText(item))
  }
  return lines.sort().join('\n')
}

/** The store gives attributes in an order of its own. */
function canonicalText(item: PlainItem): string {
  return encodeItem(Object.fromEntries(Object.entries(item).sort(([left], [right]) => (left < right ? -1 : 1))))
}

function difference(left: string, right: string): string {
  const [before, after] = [left.split('\n'), right.split('\n')]
  const only = (lines: readonly string[], others: readonly string[]): string[] => {
    const known = new Set(others)
    return lines.filter((line) => !known.has(line)).slice(0, 3)
  }
  return `${before.length} lines and ${after.length}; only in the first ${only(before, after)}; only in the second ${only(after, before)}`
}

/** Keys are compared within a run, so one that a run before a kill has stored counts as written when it comes again. */
function accountText(tally: { readonly written: number; readonly overwritten?: number } | undefined): string {
  if (tally === undefined) return 'none'
  const { written, overwritten = 0, ...others } = tally
  return JSON.stringify({ stored: written + overwritten, ...others })
}
