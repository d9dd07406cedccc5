// Wrong command lines and environments, over all verbs: each ends in time, with a sentence and an exit code that fits, and no stack trace.
import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { newTable, store } from '../support/store.ts'
import { type CommandEnd, headrace, scratchDirectory } from './command.ts'

/** Commands that run at one time. */
const AT_ONCE = 4
/** One that is wrong is refused long before. */
const LIFE_MS = 30_000
const LEAST = 300

interface Wrong {
  readonly args: readonly string[]
  readonly environment?: { readonly [name: string]: string }
  /** Exit codes that fit. */
  readonly codes: readonly number[]
}

const USAGE = [2]
/** Of settings that no flag names. */
const CONFIGURED = [1, 2, 4]
const INPUT = [1, 2, 4]
const TRACE = /^\s+at .*(?::\d+|<anonymous>)|node:internal|Unhandled ?Promise|^Node\.js v/m

/** The least that each verb accepts; `T` is a table that exists. */
const VERBS: { readonly [verb: string]: readonly string[] } = {
  generate: ['generate', 'T', '--items', '1'],
  load: ['load', 'T', 'good.jsonl'],
  update: ['update', 'T', '--set', 'a=1'],
  delete: ['delete', 'T', '--where', 'n = 1', '--yes'],
  copy: ['copy', 'T', 'T2'],
  export: ['export', 'T', 'out.jsonl'],
  scan: ['scan', 'T'],
  count: ['count', 'T'],
  diff: ['diff', 'T', 'good.jsonl'],
  run: ['run', 'job.mjs'],
  xml: ['export', 'T', 'out.xml', '--overwrite'],
}

/** What each flag cannot be. */
const WRONG_VALUES: readonly { verbs: readonly string[]; flag: string; values: readonly string[] }[] = [
  { verbs: ['generate', 'copy'], flag: '--max-in-flight', values: ['0', '-1', 'many'] },
  { verbs: ['load', 'scan'], flag: '--rate', values: ['0', '-5', '101%', 'fast', '1e999', 'NaN', ''] },
  { verbs: ['count', 'export'], flag: '--segments', values: ['0', '1.5', '1000001'] },
  { verbs: ['scan'], flag: '--concurrency', values: ['0', 'x'] },
  { verbs: ['load', 'update'], flag: '--max-errors', values: ['-1', '1.5', '101%', 'all'] },
  { verbs: ['load', 'delete'], flag: '--max-cost', values: ['0', '-1', '1€'] },
  { verbs: ['load', 'copy'], flag: '--max-duration', values: ['10', '0s', '1d', 'soon'] },
  { verbs: ['load', 'scan'], flag: '--patience', values: ['x', '0s', '-1s'] },
  { verbs: ['load'], flag: '--metrics-port', values: ['x', '70000', '-1'] },
  { verbs: ['load'], flag: '--ui', values: ['x', '70000'] },
  { verbs: ['load'], flag: '--if-exists', values: ['maybe', ''] },
  { verbs: ['load'], flag: '--format', values: ['xls', '', '__proto__', 'constructor'] },
  { verbs: ['load'], flag: '--types', values: ['a', 'a=', '=N', 'a=Q', ','] },
  { verbs: ['load'], flag: '--delimiter', values: ['', 'ab', '\n', '"'] },
  { verbs: ['load'], flag: '--key', values: ['id:Q', '', ':S', 'a:S,b:S,c:S', 'a:S,a:S'] },
  { verbs: ['load', 'update', 'export'], flag: '--job', values: ['good.jsonl', 'good.jsonl/x', '/proc/x'] },
  { verbs: ['load'], flag: '--bucket-owner', values: ['1', 'me'] },
  { verbs: ['load'], flag: '--transform', values: ['none.mjs', '.', 'broken.mjs', 'empty.mjs'] },
  { verbs: ['load'], flag: '--price-file', values: ['none.json', '.', 'good.jsonl', 'broken.json'] },
  { verbs: ['load', 'update'], flag: '--describe', values: ['.', 'none/x.json', 'good.jsonl/x'] },
  {
    verbs: ['generate'],
    flag: '--template',
    values: [
      '{',
      '[]',
      'null',
      '1',
      '@none.json',
      '@.',
      '{"id":"{{what}}"}',
      '{"id":"{{whole 5 1}}"}',
      '{"id":"\\ud800"}',
      '{"":1}',
    ],
  },
  { verbs: ['generate'], flag: '--items', values: ['0', '-1', '1.5', 'x', ''] },
  { verbs: ['generate'], flag: '--seed', values: ['-1', 'x'] },
  { verbs: ['generate'], flag: '--item-bytes', values: ['0', 'x', '9999999'] },
  {
    verbs: ['update'],
    flag: '--set',
    values: ['a', '=1', 'a=', 'a={', 'a="\\ud800"', 'a={"":1}', 'a=1e999', 'a=1 2'],
  },
  { verbs: ['update'], flag: '--remove', values: [''] },
  { verbs: ['update'], flag: '--workers', values: ['0', 'x'] },
  { verbs: ['update'], flag: '--visit-timeout', values: ['0', 'x'] },
  { verbs: ['update', 'load'], flag: '--threads', values: ['0', 'x'] },
  { verbs: ['export'], flag: '--format', values: ['xls', '', '__proto__'] },
  { verbs: ['export'], flag: '--sse', values: ['rot13'] },
  { verbs: ['export'], flag: '--columns', values: ['', ',', 'a:Q', 'a,a'] },
  { verbs: ['xml'], flag: '--xml-root', values: ['', '1a', 'a b'] },
  { verbs: ['export'], flag: '--xml-mapping', values: ['none.mjs', 'broken.mjs'] },
  { verbs: ['scan'], flag: '--format', values: ['csv', ''] },
  { verbs: ['scan'], flag: '--limit', values: ['0', 'x'] },
  { verbs: ['scan', 'export'], flag: '--select', values: ['', ','] },
]

/** Expressions that are not valid, or name what cannot be compared. */
const WRONG_EXPRESSIONS = [
  '',
  ' ',
  '=',
  'n =',
  '= 1',
  'n = = 1',
  'n = 1 and',
  '(n = 1',
  'n = 1)',
  "n = 'a",
  'n = "a',
  'n in ()',
  'n between 1',
  'size(n',
  'nosuch(n)',
  'begins_with(n)',
  'contains(n, 1, 2)',
  'attribute_type(n, "Q")',
  '#n = 1',
  'n = :v',
  'n === 1',
  'n = 1;',
  'n = 1e',
  'n[x] = 1',
  'n..m = 1',
  `${'('.repeat(400)}n = 1`,
  `${'not '.repeat(400)}n`,
  'n = 1 or or n = 2',
  `n = '${'x'.repeat(5_000)}`,
]

/** Files that are not what they should be, and how they are named. */
const WRONG_FILES = [
  'none.jsonl',
  '.',
  'emptydir',
  'none/*.jsonl',
  '',
  'dangling.jsonl',
  'loop.jsonl',
  'broken.json.gz',
  'broken.jsonl.zst',
  'broken.parquet',
  'broken.ion',
  'broken.json',
  'picture.png',
  's3://',
  's3://x',
  's3:///k',
  'ftp://host/file',
  'x'.repeat(5_000),
  'good.jsonl/none',
]

/** Settings of the surroundings that cannot be used. */
const WRONG_ENVIRONMENTS: readonly { readonly [name: string]: string }[] = [
  { AWS_ENDPOINT_URL_DYNAMODB: 'nonsense' },
  { AWS_ENDPOINT_URL_DYNAMODB: 'ftp://127.0.0.1' },
  { AWS_ENDPOINT_URL_DYNAMODB: 'http://' },
  { AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:99999' },
  { AWS_ENDPOINT_URL_DYNAMODB: 'http://example.com' },
  { AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:1/path' },
  { AWS_ENDPOINT_URL_DYNAMODB: 'https://user:secret@127.0.0.1', AWS_REGION: 'x' },
  { AWS_REGION: 'nowhere nice' },
  { AWS_REGION: 'eu\n-west-1' },
  { AWS_PROFILE: 'nosuch', AWS_ENDPOINT_URL_DYNAMODB: '' },
  { AWS_PROFILE: '__proto__', AWS_ENDPOINT_URL_DYNAMODB: '' },
  {
    AWS_ACCOUNT_ID: 'bad id!',
    AWS_ACCESS_KEY_ID: 'a',
    AWS_SECRET_ACCESS_KEY: 'b',
    AWS_ENDPOINT_URL_DYNAMODB: '',
    AWS_REGION: 'x',
  },
  { AWS_ACCESS_KEY_ID: 'a\nb', AWS_SECRET_ACCESS_KEY: 'c' },
  { AWS_ACCESS_KEY_ID: 'ключ', AWS_SECRET_ACCESS_KEY: 'c' },
  { AWS_CA_BUNDLE: 'none.pem', AWS_ENDPOINT_URL_DYNAMODB: 'https://127.0.0.1:1' },
  { AWS_CA_BUNDLE: 'good.jsonl', AWS_ENDPOINT_URL_DYNAMODB: 'https://127.0.0.1:1' },
  { AWS_CA_BUNDLE: '.', AWS_ENDPOINT_URL_DYNAMODB: 'https://127.0.0.1:1' },
  { HTTPS_PROXY: 'no://nonsense', NO_PROXY: '', AWS_ENDPOINT_URL_DYNAMODB: 'https://dynamodb.example.com' },
  { HTTPS_PROXY: 'socks5://127.0.0.1:1', NO_PROXY: '', AWS_ENDPOINT_URL_DYNAMODB: 'https://dynamodb.example.com' },
  { AWS_CONFIG_FILE: 'emptydir', AWS_PROFILE: 'x', AWS_ENDPOINT_URL_DYNAMODB: '' },
]

function generated(table: string): Wrong[] {
  const named = (args: readonly string[]): string[] => args.map((arg) => (arg === 'T' ? table : arg))
  const wrong: Wrong[] = []
  const add = (args: readonly string[], codes: readonly number[], environment = {}): void => {
    wrong.push({ args: named(args), codes, environment })
  }
  for (const [verb, args] of Object.entries(VERBS)) {
    add([...args, '--no-such-flag'], USAGE)
    add(args.slice(0, 1), USAGE)
    add([...args, 'one', 'argument', 'too', 'many'], verb === 'load' ? INPUT : USAGE)
    if (verb !== 'run') {
      add(
        named(args).map((arg) => (arg === table ? 'no/table' : arg)),
        USAGE,
      )
      add(
        named(args).map((arg) => (arg === table ? 'nosuchtable' : arg)),
        [2, 5],
      )
      add(
        named(args).map((arg) => (arg === table ? '' : arg)),
        USAGE,
      )
    }
    add([...args, '--endpoint-url', 'nonsense'], CONFIGURED)
    add([...args, '--profile', 'nosuch', '--endpoint-url', ''], CONFIGURED)
  }
  for (const { verbs, flag, values } of WRONG_VALUES)
    for (const verb of verbs) for (const value of values) add([...VERBS[verb]!, flag, value], [1, 2, 3, 4])
  for (const [index, expression] of WRONG_EXPRESSIONS.entries()) {
    add(['scan', 'T', '--where', expression], USAGE)
    if (index % 5 === 0) add(['delete', 'T', '--yes', '--where', expression], USAGE)
  }
  for (const file of WRONG_FILES) add(['load', 'T', file], INPUT)
  for (const environment of WRONG_ENVIRONMENTS) add(['count', 'T', '--patience', '2s'], CONFIGURED, environment)
  for (const verb of ['resume', 'undo', 'status', 'report', 'slice'])
    for (const directory of ['none', 'good.jsonl', 'emptydir', 'brokenjob', 'futurejob', 'nulljob'])
      add([verb, directory, ...(verb === 'slice' ? ['--index', '0'] : [])], INPUT)
  for (const [args, codes] of OTHERS) add(args, codes)
  return wrong
}

const OTHERS: readonly (readonly [readonly string[], readonly number[]])[] = [
  [['no-such-verb'], USAGE],
  [['--no-such-flag'], USAGE],
  [['table'], USAGE],
  [['table', 'nosuch'], USAGE],
  [['bench'], USAGE],
  [['bench', 'nosuch'], USAGE],
  [['table', 'create', 'x'], USAGE],
  [['table', 'create', 'x', '--key', 'a:Z'], USAGE],
  [['table', 'create', 'no/table', '--key', 'a:S'], USAGE],
  [['table', 'create', 'x', '--key', 'a:S', '--read-units', '0'], USAGE],
  [['table', 'drop', 'T'], USAGE],
  [['table', 'describe', 'nosuchtable'], [5]],
  [['table', 'describe', ''], USAGE],
  [['delete', 'T'], USAGE],
  [['delete', 'T', '--all', '--where', 'n = 1'], USAGE],
  [['delete', 'T', '--all'], USAGE],
  [['update', 'T'], USAGE],
  [['update', 'T', 'visitor.mjs', '--set', 'a=1'], USAGE],
  [['update', 'T', 'none.mjs'], USAGE],
  [['update', 'T', 'broken.mjs'], USAGE],
  [['update', 'T', 'empty.mjs'], USAGE],
  [['update', 'T', 'throws.mjs'], USAGE],
  [['update', 'T', 'rejects.mjs'], USAGE],
  [['update', 'T', '.'], USAGE],
  [['update', 'T', 'good.jsonl'], USAGE],
  [['run', 'none.mjs'], USAGE],
  [['run', 'broken.mjs'], USAGE],
  [['run', 'empty.mjs'], USAGE],
  [['run', 'throws.mjs'], USAGE],
  [['run', 'nulls.mjs'], USAGE],
  [['run', 'oddsource.mjs'], USAGE],
  [['export', 'T', 'none/out.jsonl'], INPUT],
  [['export', 'T', 'emptydir'], INPUT],
  [['export', 'T', 'good.jsonl'], INPUT],
  [['export', 'T', 's3://'], INPUT],
  [['export', 'T'], USAGE],
  [['export', 'T', '--native'], USAGE],
  [['export', 'T', 'out.csv', '--delimiter', 'ab'], USAGE],
  [
    ['diff', 'T', 'none.jsonl'],
    [1, 2, 5],
  ],
  [['diff', 'T', 'broken.json'], INPUT],
  [
    ['diff', 'T', 'nosuchtable'],
    [2, 5],
  ],
  [['copy', 'T', 'T'], USAGE],
  [
    ['copy', 'T', 'nosuchtable'],
    [2, 5],
  ],
  [
    ['load', 'T', 'broken.jsonl', '--from-rejects'],
    [1, 2, 3],
  ],
  [['load', 'T', '-', '-'], USAGE],
  [
    ['scan', 'T', '--index', 'nosuch'],
    [2, 5],
  ],
  [
    ['count', 'T', '--index', ''],
    [2, 5],
  ],
  [['simulate', '--scenario', 'nosuch'], USAGE],
  [['simulate', '--scenario', '__proto__'], USAGE],
  [['simulate', '--scenario', 'constructor'], USAGE],
  [['simulate', '--port', 'x'], USAGE],
  [['simulate', '--port', '70000'], INPUT],
  [['simulate', '--port', '0', '--faults', 'nosuch=1'], USAGE],
  [['simulate', '--port', '0', '--faults', 'throttle=2'], USAGE],
  [['simulate', '--port', '0', '--upstream', 'nonsense'], INPUT],
  [['local', '--port', '70000'], INPUT],
  [['local', '--port', 'x'], USAGE],
  [['local', '--port', '0', '--kind', 'nosuch'], INPUT],
  [['local', '--port', '0', '--data', 'good.jsonl'], INPUT],
  [['iam', 'nosuch', '--table', 'arn:aws:dynamodb:eu-west-1:123456789012:table/users'], USAGE],
  [['iam', '__proto__', '--table', 'arn:aws:dynamodb:eu-west-1:123456789012:table/users'], USAGE],
  [['iam', 'constructor', '--table', 'arn:aws:dynamodb:eu-west-1:123456789012:table/users'], USAGE],
  [['iam', 'load', '--table', 'nonsense'], USAGE],
  [['iam', 'load'], USAGE],
  [['deploy', 'nosuch', '--table', 'arn:aws:dynamodb:eu-west-1:123456789012:table/users'], INPUT],
  [['deploy', 'update'], INPUT],
  [['deploy', 'update', '--table', 'nonsense', '--module', 'none.mjs'], INPUT],
  [['pack-spark', 'good.jsonl', '--node', 'none'], INPUT],
  [['pack-spark', 'out.zip', '--arch', 'vax'], INPUT],
  [['slice', 'good.jsonl', '--index', '-1'], USAGE],
  [['slice', 'good.jsonl', '--index', '0', '--workers', '0'], USAGE],
  [['report', 'emptydir', '--out', 'x.doc'], INPUT],
  [['bench', 'capacity', '--items', 'x'], USAGE],
  [['bench', 'capacity', '--items', '1', '--out', 'good.jsonl/x'], INPUT],
  [['bench', 'strategies', '--items', '0'], USAGE],
]

function makeFiles(directory: string, table: string): void {
  const write = (name: string, content: string | Uint8Array): void => writeFileSync(join(directory, name), content)
  write('good.jsonl', '{"id":"a"}\n')
  write('broken.json', '[{"id":"a"},')
  write('broken.jsonl', '{"id":\n')
  write('broken.json.gz', Buffer.from('1f8b0800000000', 'hex'))
  write('broken.jsonl.zst', Buffer.from('28b52ffd00', 'hex'))
  write('broken.parquet', 'PAR1 not Parquet')
  write('broken.ion', Buffer.from('e00100eaffff', 'hex'))
  write('picture.png', Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'))
  write('broken.mjs', 'export default (')
  write('empty.mjs', '')
  write('throws.mjs', 'throw new Error("thrown at import")')
  write('rejects.mjs', 'await Promise.reject(null)')
  write('nulls.mjs', 'export default null')
  write('oddsource.mjs', 'export default { source: 5, table: {} }')
  write('visitor.mjs', 'export default () => undefined')
  write('job.mjs', `export default { source: 'good.jsonl', target: '${table}' }`)
  mkdirSync(join(directory, 'emptydir'))
  for (const [name, spec] of [
    ['brokenjob', '{'],
    ['futurejob', '{"version":9}'],
    ['nulljob', 'null'],
  ] as const) {
    mkdirSync(join(directory, name))
    write(`${name}/job.json`, spec)
  }
  symlinkSync('nowhere', join(directory, 'dangling.jsonl'))
  symlinkSync('loop.jsonl', join(directory, 'loop.jsonl'))
}

/** What is wrong with how a command ended; undefined where nothing is. */
function flawOf({ codes }: Wrong, { code, signal, stderr, stdout }: CommandEnd): string | undefined {
  if (signal !== null) return `ended by ${signal} after ${LIFE_MS} ms`
  if (TRACE.test(stderr) || TRACE.test(stdout)) return 'a stack trace'
  if (!/[a-z]{2,} \S+/i.test(stderr)) return 'no sentence on standard error'
  if (!codes.includes(code!)) return `exit code ${code}, not ${codes.join(' or ')}`
  return undefined
}

test('wrong command lines and environments end in time with a sentence, a code that fits and no stack trace', async () => {
  using scratch = scratchDirectory()
  const { name } = await newTable()
  makeFiles(scratch.path, name)
  const wrong = generated(name)
  assert.ok(wrong.length >= LEAST, `${wrong.length} of ${LEAST}`)
  const flaws: string[] = []
  const queue = wrong[Symbol.iterator]()
  const work = async (): Promise<void> => {
    for (const one of queue) {
      const { args, environment = {} } = one
      const settings = { AWS_ENDPOINT_URL_DYNAMODB: store.endpoint, ...environment }
      const end = await headrace(args, { directory: scratch.path, environment: settings, lifeMs: LIFE_MS })
      const flaw = flawOf(one, end)
      const given = JSON.stringify([...args.map((arg) => arg.slice(0, 80)), environment])
      if (flaw !== undefined) flaws.push(`${given}: ${flaw}\n${end.stderr.slice(0, 700)}`)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  assert.equal(flaws.length, 0, `${flaws.length} of ${wrong.length}:\n${flaws.join('\n')}`)
})
