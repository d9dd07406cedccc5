import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { IfExists, Rate, S3Options } from '../index.ts'
import type { TalkOptions } from './talk.ts'

export interface ConnectionFlags {
  region?: string
  profile?: string
  endpointUrl?: string
  allowInsecureEndpoint?: boolean
}

export interface WriteFlags {
  maxInFlight?: number
  rate?: Rate
  writeRate?: Rate
  patience?: number
}

export interface ReadFlags {
  patience?: number
  segments?: number
  concurrency?: number
  rate?: Rate
  readRate?: Rate
  where?: string
}

/** How a job is shown besides what it says. */
interface ShowFlags {
  report?: boolean
  /** The port, or any. */
  ui?: number | true
  uiControl?: boolean
}

export interface JobFlags extends ShowFlags {
  job?: string
  maxErrors?: number | `${number}%`
  maxDuration?: number
  maxCost?: number
  metricsPort?: string
}

export interface ThreadFlags {
  threads?: number
  split?: boolean
}

export interface PlanFlags {
  dryRun?: boolean
  samples?: number
  priceFile?: string
  describe?: string
  slices?: number
}

export type CommonFlags = ConnectionFlags & TalkOptions

export function addConnectionOptions(command: Command): Command {
  return command
    .option('--region <region>', 'AWS region; default AWS_REGION or the profile')
    .option('--profile <name>', 'profile of ~/.aws/config; default AWS_PROFILE')
    .option('--endpoint-url <url>', 'DynamoDB to talk to, such as http://localhost:8000')
    .option('--allow-insecure-endpoint', 'send over plain HTTP to a host that is not this machine')
}

export interface S3Flags {
  s3Region?: string
  bucketOwner?: string
  sse?: string
  sseKmsKey?: string
}

/** @param writes whether objects are written, too */
export function addS3Options(command: Command, writes: boolean): Command {
  command
    .option('--s3-region <region>', 'of the bucket of s3:// addresses (default: as of the table; another is found out)')
    .option('--bucket-owner <account>', 'twelve digits: whose bucket it must be')
  if (!writes) return command
  return command
    .option('--sse <kind>', 'how an object is encrypted: AES256, aws:kms or aws:kms:dsse (default: as the bucket says)')
    .option('--sse-kms-key <id>', 'the key for --sse aws:kms')
}

const ENCRYPTIONS = ['AES256', 'aws:kms', 'aws:kms:dsse'] as const

export function s3Options({ s3Region, bucketOwner, sse, sseKmsKey }: S3Flags): { s3?: S3Options } {
  const encryption = ENCRYPTIONS.find((kind) => kind === sse)
  if (sse !== undefined && encryption === undefined)
    throw new TypeError(`--sse must be one of ${ENCRYPTIONS.join(', ')}, not "${sse}"`)
  if (bucketOwner !== undefined && !/^\d{12}$/.test(bucketOwner))
    throw new TypeError(`--bucket-owner must be the twelve digits of an account, not "${bucketOwner}"`)
  const s3: S3Options = {
    ...(s3Region === undefined ? {} : { region: s3Region }),
    ...(bucketOwner === undefined ? {} : { expectedBucketOwner: bucketOwner }),
    ...(encryption === undefined ? {} : { serverSideEncryption: encryption }),
    ...(sseKmsKey === undefined ? {} : { kmsKeyId: sseKmsKey }),
  }
  return Object.keys(s3).length === 0 ? {} : { s3 }
}

/** What becomes of a record whose key the table already has. */
export function ifExistsOption(): Option {
  return new Option(
    '--if-exists <what>',
    'a record whose key the table already has: overwrite the item, skip the record, or reject it (default: overwrite)',
  ).choices(['overwrite', 'skip', 'reject'])
}

export interface IfExistsFlags {
  ifExists?: IfExists
}

export function ifExistsOf({ ifExists }: IfExistsFlags): { ifExists?: IfExists } {
  return ifExists === undefined ? {} : { ifExists }
}

/** A user's module that makes of each item what is written. */
export function addTransformOption(command: Command): Command {
  return command.option('--transform <module>', 'a module (.ts, .js) whose function makes of each item what is written')
}

export function transformOption({ transform }: { transform?: string }): { transform?: URL } {
  return transform === undefined ? {} : { transform: pathToFileURL(resolve(transform)) }
}

export function addTalkOptions(command: Command): Command {
  return command
    .option('--json', 'one JSON event a line instead of words')
    .option('--quiet', 'say only what goes wrong')
}

export function addWriteOptions(command: Command): Command {
  return addStateOptions(addInFlightOption(command))
}

/** Of what is sent at once. */
export function addInFlightOption(command: Command): Command {
  return command.option('--max-in-flight <n>', 'entries at the service at once (default 1000)', wholeFrom(1))
}

/** Of whatever takes long enough to be stopped and gone on with. */
export function addStateOptions(command: Command): Command {
  return addLimitOptions(
    command.option(
      '--job <directory>',
      'where the job keeps its state and its rejects (default: a new one in .headrace)',
    ),
  )
}

/** What a job may be told anew each time that it goes on. */
export function addLimitOptions(command: Command): Command {
  return command
    .option('--max-errors <n>', 'stop after so many rejects, or a part of what was read such as 1%', countOrShare)
    .option('--max-cost <amount>', 'stop before its units cost more than this, in the currency of the prices', amount)
    .option('--price-file <file>', "prices to reckon with: AWS's price list of a region (default: us-east-1, built in)")
    .option('--max-duration <time>', 'stop after so long, such as 90s, 30m or 8h', duration)
    .option('--metrics-port <port>', 'serve metrics for Prometheus there while it runs; HOST:PORT for other machines')
}

/** How a job is shown besides what it says. */
export function addShowOptions(command: Command): Command {
  return command
    .option('--report', "at the end, also of a job that was stopped, write report.html into the job's directory")
    .option('--ui [port]', 'show it while it runs, on a page of this machine whose address is printed', wholeFrom(0))
    .option('--ui-control', 'as --ui, and the page can pause the job and set its rates')
}

export function addReadOptions(command: Command): Command {
  return command
    .option('--where <expression>', `only items for which this holds, such as "country = 'NO' and size(tags) > 2"`)
    .option('--segments <n>', 'segments to cut the table into (default: from its size)', wholeFrom(1))
    .option('--concurrency <n>', 'segments to read at once (default 16)', wholeFrom(1))
}

/** Of verbs that change the items for which an expression holds. */
export function addFilterOptions(command: Command): Command {
  return command.option(
    '--allow-unknown-attributes',
    'let --where compare with an attribute that no sampled item has, because it is rare',
  )
}

/** Of verbs that run in slices. */
export function addThreadsOption(command: Command): Command {
  return command.option(
    '--threads <n>',
    'read and write in so many threads, each with its own connections, on a machine with more cores (default 1)',
    wholeFrom(1),
  )
}

/** Of every verb that reads or writes all of a table. */
export function addPlanOptions(command: Command): Command {
  return command
    .option('--dry-run', 'say what it would do, take and cost, from a sample; nothing is written')
    .option('--describe <file>', 'write the job into a file, for headrace slice and the engines, and do nothing else')
    .option('--slices <n>', 'so many slices of the job there can be, with --describe (default 1)', wholeFrom(1))
    .option('--samples <n>', 'items to show before and after with --dry-run, at most 100 (default 3)', wholeFrom(0))
}

/** What a verb may be told of how fast: `--rate`, and one for each direction in which it goes. */
export function addRateOptions(command: Command, ...directions: ('read' | 'write')[]): Command {
  const both = directions.length > 1 ? ', reading and as many writing' : ''
  command.option(
    '--rate <rate>',
    `units to spend a second${both}: a number such as 500, or a part such as 50% of what the table is provisioned with ` +
      'or of its maximum on demand (default: 80%; what a table on demand turns out to give; no limit on this machine)',
    rate,
  )
  command.option(
    '--patience <time>',
    'give up when nothing gets through for this long, such as 90s or 8m (default: 10m)',
    duration,
  )
  for (const direction of directions) {
    command.option(`--${direction}-rate <rate>`, `the same, of ${direction}s alone; takes precedence over --rate`, rate)
  }
  return command
}

export function readOptions(flags: ReadFlags): {
  segments?: number
  concurrency?: number
  filter?: string
  readUnitsPerSecond?: Rate
  patienceMs?: number
} {
  const readUnitsPerSecond = flags.readRate ?? flags.rate
  return {
    ...(flags.segments === undefined ? {} : { segments: flags.segments }),
    ...(flags.concurrency === undefined ? {} : { concurrency: flags.concurrency }),
    ...(flags.where === undefined ? {} : { filter: flags.where }),
    ...(readUnitsPerSecond === undefined ? {} : { readUnitsPerSecond }),
    ...(flags.patience === undefined ? {} : { patienceMs: flags.patience }),
  }
}

export function writeOptions(flags: WriteFlags): {
  maxInFlight?: number
  writeUnitsPerSecond?: Rate
  patienceMs?: number
} {
  const writeUnitsPerSecond = flags.writeRate ?? flags.rate
  return {
    ...(flags.maxInFlight === undefined ? {} : { maxInFlight: flags.maxInFlight }),
    ...(writeUnitsPerSecond === undefined ? {} : { writeUnitsPerSecond }),
    ...(flags.patience === undefined ? {} : { patienceMs: flags.patience }),
  }
}

/** A whole number, for commander. */
export function wholeFrom(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < least || !Number.isSafeInteger(value)) {
      throw new InvalidArgumentError(`Give a whole number, ${least} or more.`)
    }
    return value
  }
}

/** Of whole numbers, such as `1,5,10`. */
export function listOption(flags: string, description: string, otherwise: readonly number[]): Option {
  return new Option(flags, description)
    .argParser((text) => [...new Set(text.split(',').map(wholeFrom(1)))])
    .default(otherwise, otherwise.join(','))
}

/** `4` or `auto`, for commander. */
export function workers(text: string): number | 'auto' {
  return text === 'auto' ? text : wholeFrom(1)(text)
}

/** `500` or `80%`, for commander. */
export function rate(text: string): Rate {
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(text)
  const value = Number(match?.[1])
  if (match === null || value === 0 || (match[2] === '%' && value > 100)) {
    throw new InvalidArgumentError(
      'Give units a second above 0, such as 500, or a part of what the table has from 1% to 100%, such as 80%.',
    )
  }
  return match[2] === '%' ? `${value}%` : value
}

/** `90s`, `30m`, `8h` in milliseconds, for commander. */
function duration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(s|m|h)$/.exec(text)
  const ms = Number(match?.[1]) * { s: 1_000, m: 60_000, h: 3_600_000 }[(match?.[2] ?? 's') as 's' | 'm' | 'h']
  if (match === null || ms < 1) throw new InvalidArgumentError('Give a time such as 90s, 30m or 8h.')
  return ms
}

/** `20` or `0.5`, for commander. */
function amount(text: string): number {
  const value = Number(text)
  if (!/^\d+(?:\.\d+)?$/.test(text) || value === 0) throw new InvalidArgumentError('Give a number above 0, such as 20.')
  return value
}

/** `100` or `1%`, for commander. */
function countOrShare(text: string): number | `${number}%` {
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(text)
  const value = Number(match?.[1])
  if (match === null || (match[2] === '%' ? value > 100 : !Number.isSafeInteger(value))) {
    throw new InvalidArgumentError('Give a whole number, or a part from 0% to 100%.')
  }
  return match[2] === '%' ? `${value}%` : value
}

/** `pk:S` or `pk:S,sk:N` as a table's key. */
export function keySchema(text: string): { partition: KeyPart; sort?: KeyPart } {
  const parts = text.split(',').map((part): KeyPart => {
    const match = /^([^:,\s]+)(?::([SNB]))?$/.exec(part.trim())
    if (match === null) throw new InvalidArgumentError('Give a key as NAME:S or NAME:S,NAME:N, types S, N or B.')
    return { name: match[1]!, type: (match[2] ?? 'S') as KeyPart['type'] }
  })
  const [partition, sort] = parts
  if (partition === undefined || parts.length > 2) throw new InvalidArgumentError('A key has one or two attributes.')
  if (partition.name === sort?.name) throw new InvalidArgumentError('A key has two different attributes.')
  return sort === undefined ? { partition } : { partition, sort }
}

export interface KeyPart {
  name: string
  type: 'S' | 'N' | 'B'
}
