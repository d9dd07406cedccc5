import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { InvalidArgumentError } from 'commander'
import type { IfExists, Rate, S3Options } from '../index.ts'
import { defined } from '../runtime/defined.ts'
import { type FlagsOf, option, rare } from './option.ts'
import { amount, commaSeparated, countOrShare, durationMs, rateOf, wholeFrom } from './values.ts'

// Options that several commands have. Each is declared once, here; an option of one command alone stands in its file.

// AWS

const region = option('--region <region>', {
  group: 'AWS',
  description: 'AWS region',
  defaultText: 'AWS_REGION, or the profile',
  library: 'region',
})
const profile = option('--profile <name>', {
  group: 'AWS',
  description: 'profile in ~/.aws/config',
  defaultText: 'AWS_PROFILE',
  library: 'profile',
})
const endpointUrl = option('--endpoint-url <url>', {
  group: 'AWS',
  description: 'DynamoDB endpoint, such as http://localhost:8000',
  library: 'endpoint',
})
const allowInsecureEndpoint = option('--allow-insecure-endpoint', {
  group: 'AWS',
  description: 'allow plain HTTP to another machine',
  library: 'allowInsecureEndpoint',
})

/** Where DynamoDB is, and as whom to call it. */
const CONNECTION = [region, profile, endpointUrl, rare(allowInsecureEndpoint)] as const
export type ConnectionFlags = FlagsOf<typeof CONNECTION>

/** The second table of a command. */
export const TARGET = [
  option('--target-region <region>', {
    group: 'AWS',
    description: 'AWS region of the second table',
    defaultText: 'as for the first',
  }),
  option('--target-profile <name>', {
    group: 'AWS',
    description: 'profile in ~/.aws/config for the second table',
    defaultText: 'as for the first',
  }),
  option('--target-endpoint-url <url>', {
    group: 'AWS',
    description: 'DynamoDB endpoint of the second table',
    defaultText: 'as for the first',
  }),
] as const

// S3

const s3Region = option('--s3-region <region>', {
  group: 'S3',
  description: 'region of the bucket',
  defaultText: "the table's; another one is detected",
  library: 's3.region',
})
const bucketOwner = option('--bucket-owner <account>', {
  group: 'S3',
  description: 'expected bucket owner: a 12-digit account ID',
  library: 's3.expectedBucketOwner',
  parse: (text) => {
    if (!/^\d{12}$/.test(text)) throw new InvalidArgumentError('Give the 12 digits of an AWS account ID.')
    return text
  },
})

/** Of commands that read objects in S3. */
export const S3_READING = [rare(s3Region), rare(bucketOwner)] as const

/** Of commands that write objects in S3. */
export const S3_WRITING = [
  ...S3_READING,
  rare(
    option('--sse <kind>', {
      group: 'S3',
      description: 'server-side encryption',
      choices: ['AES256', 'aws:kms', 'aws:kms:dsse'],
      defaultText: "the bucket's",
      library: 's3.serverSideEncryption',
    }),
  ),
  rare(
    option('--sse-kms-key <id>', {
      group: 'S3',
      description: 'KMS key for --sse aws:kms',
      library: 's3.kmsKeyId',
    }),
  ),
] as const
export type S3Flags = FlagsOf<typeof S3_WRITING>

/** `s3` of a library call. */
export function s3Options({ s3Region, bucketOwner, sse, sseKmsKey }: S3Flags): { s3?: S3Options } {
  const s3: S3Options = defined({
    region: s3Region,
    expectedBucketOwner: bucketOwner,
    serverSideEncryption: sse,
    kmsKeyId: sseKmsKey,
  })
  return Object.keys(s3).length === 0 ? {} : { s3 }
}

// Output

const json = option('--json', { group: 'Output', description: 'print one JSON event per line' })
export const quiet = option('--quiet', { group: 'Output', description: 'print only errors' })

/** Of every command that says something. */
export const TALK = [json, quiet] as const

/** Of commands that connect to DynamoDB. */
export const COMMON = [...CONNECTION, ...TALK] as const
export type CommonFlags = FlagsOf<typeof COMMON>

/** How a job can be watched. */
export const SHOWING = [
  option('--report', { group: 'Output', description: "write report.html into the job's directory at the end" }),
  option('--ui [port]', {
    group: 'Output',
    description: 'show the running job on a local web page',
    parse: wholeFrom(0),
  }),
  rare(
    option('--ui-control', {
      group: 'Output',
      description: 'like --ui; the page can also pause the job and set its rates',
    }),
  ),
] as const
/** Without a port, `--ui` is true. */
type ShowFlags = Omit<FlagsOf<typeof SHOWING>, 'ui'> & { readonly ui?: number | true | undefined }

// What to read

const where = option('--where <expression>', {
  group: 'What to read',
  description: `only items that match this filter expression, such as "country = 'NO' and size(tags) > 2"`,
  library: 'filter',
})
export const index = option('--index <name>', {
  group: 'What to read',
  description: 'read this secondary index instead of the table',
  library: 'index',
})
export const select = option('--select <names>', {
  group: 'What to read',
  description: 'only these attributes, separated by commas',
  library: 'select',
  parse: commaSeparated,
})
export const consistentRead = option('--consistent-read', {
  group: 'What to read',
  description: 'strongly consistent reads, at twice the read capacity',
  library: 'consistentRead',
})

/** Of commands that scan. */
export const READING = [
  where,
  rare(
    option('--segments <n>', {
      group: 'What to read',
      description: 'segments of the parallel scan',
      defaultText: "from the table's size",
      library: 'segments',
      parse: wholeFrom(1),
    }),
  ),
  rare(
    option('--concurrency <n>', {
      group: 'What to read',
      description: 'segments to read at once',
      defaultText: '16',
      library: 'concurrency',
      parse: wholeFrom(1),
    }),
  ),
] as const

/** Of commands that change the items that match a filter. */
export const allowUnknownAttributes = rare(
  option('--allow-unknown-attributes', {
    group: 'What to read',
    description: 'accept an attribute in --where that no sampled item has',
    library: 'allowUnknownAttributes',
  }),
)

// How to write

export const ifExists = option('--if-exists <action>', {
  group: 'How to write',
  description: 'when the table already has an item with the key',
  choices: ['overwrite', 'skip', 'reject'],
  defaultText: 'overwrite',
  library: 'ifExists',
})

/** `ifExists` of a library call. */
export function ifExistsOf(flags: FlagsOf<readonly [typeof ifExists]>): { ifExists?: IfExists } {
  return flags.ifExists === undefined ? {} : { ifExists: flags.ifExists }
}

export const keepOld = option('--keep-old', {
  group: 'How to write',
  description: 'keep the old items, so that headrace undo can restore them',
  library: 'keepOld',
})
export const transform = option('--transform <module>', {
  group: 'How to write',
  description: 'module (.ts, .js) whose function turns each item into what is written',
  library: 'transform',
})

/** `transform` of a library call. */
export function transformOption(flags: FlagsOf<readonly [typeof transform]>): { transform?: URL } {
  return flags.transform === undefined ? {} : { transform: pathToFileURL(resolve(flags.transform)) }
}

export const maxInFlight = rare(
  option('--max-in-flight <n>', {
    group: 'How to write',
    description: 'items in flight at most',
    defaultText: '1000',
    library: 'maxInFlight',
    parse: wholeFrom(1),
  }),
)
export const threads = rare(
  option('--threads <n>', {
    group: 'Advanced',
    description: 'run the job in this many threads, each with its own connections',
    defaultText: '1',
    parse: wholeFrom(1),
  }),
)
export const yes = option('--yes', { group: 'Common options', description: 'do not ask for confirmation' })

// Limits

const rate = option('--rate <rate>', {
  group: 'Limits',
  description: 'capacity units per second (500), or a share of the capacity (50%)',
  defaultText: '80%; on-demand: what it sustains; local: no limit',
  parse: rateOf,
})
const patience = rare(
  option('--patience <time>', {
    group: 'Limits',
    description: 'give up when no request succeeds for this long, such as 90s or 8m',
    defaultText: '10m',
    library: 'patienceMs',
    parse: durationMs,
  }),
)

/** Of commands that only read. */
export const READ_RATE = [{ ...rate, library: 'readUnitsPerSecond', formerly: '--read-rate <rate>' }, patience] as const
/** Of commands that only write. */
export const WRITE_RATE = [
  { ...rate, library: 'writeUnitsPerSecond', formerly: '--write-rate <rate>' },
  patience,
] as const
/** Of commands that do both. */
export const READ_AND_WRITE_RATES = [
  { ...rate, description: 'read and write capacity units per second (500), or a share of the capacity (50%)' },
  rare(
    option('--read-rate <rate>', {
      group: 'Limits',
      description: 'like --rate, for reads alone',
      library: 'readUnitsPerSecond',
      parse: rateOf,
    }),
  ),
  rare(
    option('--write-rate <rate>', {
      group: 'Limits',
      description: 'like --rate, for writes alone',
      library: 'writeUnitsPerSecond',
      parse: rateOf,
    }),
  ),
  patience,
] as const

const priceFile = rare(
  option('--price-file <file>', {
    group: 'Limits',
    description: "price list of a region, as AWS's price list API returns it",
    defaultText: 'us-east-1, built in',
    library: 'prices',
  }),
)

/** What a job may be told again each time it is resumed. */
export const LIMITS = [
  option('--max-errors <n>', {
    group: 'Limits',
    description: 'stop after this many rejected records, or a share of the records read such as 1%',
    library: 'limits.rejectsMax',
    parse: countOrShare,
  }),
  option('--max-duration <time>', {
    group: 'Limits',
    description: 'stop after this long, such as 90s, 30m or 8h',
    library: 'limits.durationMsMax',
    parse: durationMs,
  }),
  rare(
    option('--max-cost <amount>', {
      group: 'Limits',
      description: 'stop before the capacity used costs more than this, in the currency of the price list',
      library: 'limits.costMax',
      parse: amount,
    }),
  ),
  priceFile,
  rare(
    option('--metrics-port <port>', {
      group: 'Output',
      description: 'serve Prometheus metrics on this port while the job runs; HOST:PORT for other machines',
    }),
  ),
] as const

/** Where a job's state is kept. */
const job = option('--job <directory>', {
  group: 'Common options',
  description: "directory for the job's state and rejected records",
  defaultText: 'a new one in .headrace',
  library: 'directory',
})

/** Of everything that can be stopped and resumed. */
export const STATE = [job, ...LIMITS, ...SHOWING] as const

/** Of commands that can say in advance what they would do. */
export const PLANNING = [
  option('--dry-run', {
    group: 'Common options',
    description: 'print what the job would do, take and cost, from a sample; write nothing',
  }),
  rare(
    option('--samples <n>', {
      group: 'Output',
      description: 'items to show before and after with --dry-run, at most 100',
      defaultText: '3',
      parse: wholeFrom(0),
    }),
  ),
  rare(
    option('--describe <file>', {
      group: 'Advanced',
      description: 'write the job to a file for headrace slice and AWS, and do nothing else',
    }),
  ),
  rare(
    option('--slices <n>', {
      group: 'Advanced',
      description: 'with --describe: slices that the job can be divided into',
      defaultText: '1',
      parse: wholeFrom(1),
    }),
  ),
] as const

/** Columns of CSV. */
export const delimiter = rare(
  option('--delimiter <character>', {
    group: 'Advanced',
    description: 'character between the cells of CSV; \\t is a tab',
    defaultText: 'a comma, or a tab for .tsv',
    library: 'csv.delimiter',
    parse: (text) => (text === '\\t' ? '\t' : text),
  }),
)

// What the functions that run jobs look at, whatever the command.

export interface ReadFlags {
  readonly patience?: number | undefined
  readonly segments?: number | undefined
  readonly concurrency?: number | undefined
  readonly rate?: Rate | undefined
  readonly readRate?: Rate | undefined
  readonly where?: string | undefined
}

export interface WriteFlags {
  readonly maxInFlight?: number | undefined
  readonly rate?: Rate | undefined
  readonly writeRate?: Rate | undefined
  readonly patience?: number | undefined
}

export type JobFlags = ShowFlags & Omit<FlagsOf<typeof STATE>, 'ui'>
export type PlanFlags = FlagsOf<typeof PLANNING> & FlagsOf<readonly [typeof priceFile]>

export interface ThreadFlags {
  readonly threads?: number | undefined
  readonly split?: boolean | undefined
}

/** What reading is told in a library call. */
export function readOptions(flags: ReadFlags): {
  segments?: number | undefined
  concurrency?: number | undefined
  filter?: string | undefined
  readUnitsPerSecond?: Rate | undefined
  patienceMs?: number | undefined
} {
  const readUnitsPerSecond = flags.readRate ?? flags.rate
  return {
    segments: flags.segments,
    concurrency: flags.concurrency,
    filter: flags.where,
    readUnitsPerSecond,
    patienceMs: flags.patience,
  }
}

/** What writing is told in a library call. */
export function writeOptions(flags: WriteFlags): {
  maxInFlight?: number | undefined
  writeUnitsPerSecond?: Rate | undefined
  patienceMs?: number | undefined
} {
  const writeUnitsPerSecond = flags.writeRate ?? flags.rate
  return {
    maxInFlight: flags.maxInFlight,
    writeUnitsPerSecond,
    patienceMs: flags.patience,
  }
}
