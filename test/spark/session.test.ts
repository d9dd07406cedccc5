import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Table } from '../../src/database/table.ts'
import type { PlainItem } from '../../src/item/attributeValue.ts'
import { NumberValue } from '../../src/item/number.ts'
import { scratchDirectory } from '../e2e/command.ts'
import { newTable, store } from '../support/store.ts'
import { startGateway } from './gateway.ts'
import { LINES, leftOf, runSpark, script } from './spark.ts'

// One session for all cases, since a session takes longer to start than most of them take.

/** Of a session, on a machine that is busy. */
const LIFE_MS = 600_000
const COMPATIBLE = [
  'normal',
  'empty',
  'crash',
  'upstream_python',
  'upstream_sql',
  'missing',
  'rejects',
  'stages',
  'exact',
]
const ALL = [...COMPATIBLE, 'forty', 'deletes', 'source', 'throttled']

let before: Promise<unknown> = Promise.resolve()

for (const { line, skip } of LINES) {
  describe(`a session of ${line}`, { skip, timeout: 2 * LIFE_MS }, () => {
    const cases = line === 'spark4' ? ALL : COMPATIBLE
    // One after the other: two would get in each other's way.
    const session = skip === false ? before.then(() => runSession(line, cases)) : undefined
    before = session?.catch(() => undefined) ?? before
    const check = (name: string, what: string, look: (result: never, ran: Session) => void): void => {
      if (!cases.includes(name)) return
      test(what, async () => {
        const ran = await session!
        const found = ran.results.get(name)
        assert.ok(found, `${name} did not run: ${ran.stderr.slice(-4_000)}`)
        assert.equal(found.error, undefined)
        look(found.result as never, ran)
      })
    }

    check('normal', 'every row is an item', (done: Done, { items }) => {
      assert.deepEqual(done, {
        rows: 20_000,
        written: 20_000,
        rejected: 0,
        attempts: [0, 0, 0, 0],
        read: Array(4).fill(5_000),
      })
      assertAll(items, 'normal', 20_000)
    })

    check('empty', 'a DataFrame without rows is done, with and without partitions', (done: { [way: string]: Done }) => {
      for (const { rows, written, read } of Object.values(done)) {
        assert.deepEqual([rows, written, Math.max(0, ...read)], [0, 0, 0])
      }
    })

    check('crash', 'a task whose worker ends in the middle runs again, and counts once', (done: Done, { items }) => {
      assert.equal(Math.max(...done.attempts), 1)
      assert.deepEqual([done.rows, done.written], [20_000, 20_000])
      assertAll(items, 'crash', 20_000)
    })

    for (const [name, bug] of [
      ['upstream_python', /a bug in python code/],
      ['upstream_sql', /a bug in sql/],
    ] as const) {
      check(
        name,
        `${name.slice(9)} that fails upstream fails the job, and no worker is told of an end`,
        (end: Failure) => {
          assert.match(end.message, bug)
          assert.ok(end.given.filter(({ ended }) => !ended).length > 0, JSON.stringify(end.given))
          // The partition without a fault may well have come to its end.
          const wrong = end.given.filter(({ rows, ended }) => ended && rows !== 10_000)
          assert.deepEqual(wrong, [])
        },
      )
    }

    check('forty', 'forty tasks on two slots, which end at once or late, are all served', (done: Done, { items }) => {
      assert.deepEqual(
        done.read,
        Array.from({ length: 40 }, (_, index) => (index % 3 === 0 ? 0 : 200)),
      )
      assert.equal(done.written, 5_200)
      assert.equal([...items.keys()].filter((id) => /^forty\d/.test(id)).length, 5_200)
    })

    check('missing', 'why a worker fails is said without a page of Java', (message: string) => {
      assert.match(
        message,
        /^WorkerFailed: publishing to missing_table failed: the worker has ended with status 1: headrace: [^\n]*missing_table[^\n]*$/,
      )
    })

    check('rejects', 'rejects are kept, or told at the end', (result: Rejects, { items }) => {
      assert.deepEqual([result.kept.rows, result.kept.written, result.kept.rejected], [10_000, 9_990, 10])
      assert.equal(result.lines.length, 10)
      assert.deepEqual(result.lines[0], {
        code: 'InvalidRecord',
        message: 'n: NaN is not a number that DynamoDB can store',
        place: 'partition 0, row 1008',
        raw: `{"id":"reject1007","n":"NaN","text":"${'x'.repeat(100)}"}`,
      })
      assert.match(
        result.told.message,
        /^10 of 10000 items were rejected by things\d+; the others are written\..*NaN is not/s,
      )
      assert.deepEqual([result.told.rows, result.told.written], [10_000, 9_990])
      assert.equal(items.get('reject1006')?.['n'], 1006)
      assert.equal(items.has('reject1007'), false)
    })

    check(
      'stages',
      'what is published is what was committed, also when it is gone on with',
      (result: Stages, { items, other }) => {
        const committed = Object.entries(result.committed)
        assert.equal(committed.length, 5_000)
        for (const [id, dice] of committed) {
          assert.equal(items.get(id)?.['dice'], dice)
          assert.equal(other.get(id)?.['dice'], dice)
          assert.match(`${other.get(id)?.['file']}`, /^part-.*\.parquet$/)
        }
        assert.match(result.again, /already exists/)
        assert.deepEqual([result.first.written, result.go_on.written], [5_000, 5_000])
      },
    )

    check('deletes', 'rows can be keys of what is to go', (done: Done, { items }) => {
      assert.equal(done.written, 990)
      assertAll(items, 'delete', 10)
    })

    check(
      'exact',
      'every type keeps its value, straight and by way of the files',
      (result: Exact, { items, other }) => {
        for (const table of [items, other]) {
          assert.deepEqual(table.get('exact'), EXACT)
          assert.deepEqual(table.get('small'), { id: 'small', long: 0, decimal: 1e-10 })
          assert.deepEqual(table.get('zero'), { id: 'zero', decimal: 100 })
        }
        assert.deepEqual(result.wrong, [
          'TypeError: column void has no type: cast or drop it',
          'TypeError: there are two columns long: rename one',
          'TypeError: column m is a map whose keys are not strings: cast the keys to string',
        ])
      },
    )

    check(
      'throttled',
      'a table that throttles is awaited, and tasks share a rate',
      (done: Done & { limited: number; shared: number[] }, { slow }) => {
        assert.equal(done.written, 3_000)
        assert.ok(done.limited >= 5, `800 units at 100 a second took ${done.limited} s`)
        const [seconds, partitions] = done.shared
        assert.equal(partitions, 4)
        assert.ok(seconds! >= 2.5 && seconds! < 12, `400 units at a shared 100 a second took one task ${seconds} s`)
        assert.equal(slow, 4_200)
      },
    )

    check('source', 'df.write.format("headrace") writes, and tells what was rejected', (result: Source, { other }) => {
      assertAll(other, 'source', 3_000)
      assert.deepEqual(other.get('source-exact'), { ...EXACT, id: 'source-exact' })
      assert.deepEqual(other.get('source-small'), { id: 'source-small', long: 0, decimal: 1e-10 })
      assert.match(result.rejects, /1 of 100 items were rejected by things\d+; the others are written.*NaN is not/s)
      assert.match(result.upstream, /a bug in sql/)
      assert.match(result.overwrite, /mode\("append"\)/)
      assert.match(result.unknown, /there is no option color: use table, region/)
    })

    test('no process is left', async () => {
      const { code, left, stderr } = await session!
      assert.equal(code, 0, stderr.slice(-4_000))
      assert.deepEqual(left, [])
    })
  })
}

interface Done {
  readonly rows: number
  readonly written: number
  readonly rejected: number
  readonly attempts: readonly number[]
  readonly read: readonly number[]
}

interface Failure {
  readonly message: string
  readonly given: readonly { readonly rows: number; readonly ended: boolean }[]
}

interface Rejects {
  readonly kept: Done
  readonly lines: readonly object[]
  readonly told: Done & { readonly message: string }
}

interface Stages {
  readonly first: Done
  readonly committed: { readonly [id: string]: number }
  readonly again: string
  readonly go_on: Done
}

interface Exact {
  readonly wrong: readonly string[]
}

interface Source {
  readonly rejects: string
  readonly upstream: string
  readonly overwrite: string
  readonly unknown: string
}

interface Session {
  readonly code: number | null
  readonly stderr: string
  readonly results: ReadonlyMap<string, { readonly result?: unknown; readonly error?: string }>
  readonly items: ReadonlyMap<string, PlainItem>
  readonly other: ReadonlyMap<string, PlainItem>
  /** Items in the table that throttles. */
  readonly slow: number | undefined
  readonly left: readonly object[]
}

const EXACT: PlainItem = {
  id: 'exact',
  long: 9007199254740993n,
  decimal: new NumberValue('1234567890123456789012345678.0123456789'),
  binary: new Uint8Array([0, 1, 255]),
  timestamp: '2026-01-02T03:04:05.123456Z',
  ntz: '2026-01-02T03:04:05.123456',
  date: '1969-07-20',
  flag: true,
  double: 1e20,
  float: 0.1,
  text: 'tab\t "quotes" \n \u2028 \u{1f600} \\',
  list: [-9223372036854775808n, null, 9223372036854775807n],
  map: { a: new Uint8Array([254]), b: null },
  byNumber: { '9007199254740993': 'long key' },
  struct: {
    long: 9007199254740993n,
    at: '2026-01-02T03:04:05.123456Z',
    bytes: [new Uint8Array(), new Uint8Array([128])],
  },
  'a.dotted `name`': 'dotted',
}

async function runSession(line: string, cases: readonly string[]): Promise<Session> {
  using directory = scratchDirectory()
  const { path: folder } = directory
  const [table, other] = [await newTable(), await newTable()]
  await using gateway = cases.includes('throttled')
    ? await startGateway(folder, { writeUnits: 400, table: 'slow', key: 'id', lifeMs: LIFE_MS })
    : undefined
  const results = new Map<string, { result?: unknown; error?: string }>()
  const order = {
    folder,
    endpoint: store.endpoint,
    throttling: gateway?.endpoint,
    table: table.name,
    other: other.name,
    cases,
  }
  const { ended } = runSpark(line, script('session.py'), [JSON.stringify(order)], {
    folder,
    master: 'local[2,4]',
    lifeMs: LIFE_MS,
    onLine(text) {
      const { case: name, ...found } = JSON.parse(text) as { case: string; result?: unknown; error?: string }
      results.set(name, found)
    },
  })
  const { code, stderr } = await ended
  const left = await leftOf(folder)
  const slow = gateway === undefined ? undefined : await read(gateway.table)
  return { code, stderr, results, items: await read(table), other: await read(other), slow: slow?.size, left }
}

async function read(table: Table): Promise<Map<string, PlainItem>> {
  const items = new Map<string, PlainItem>()
  for await (const item of table.scan()) items.set(item['id'], item)
  return items
}

function assertAll(items: ReadonlyMap<string, PlainItem>, prefix: string, count: number): void {
  const pattern = new RegExp(`^${prefix}\\d`)
  assert.equal([...items.keys()].filter((id) => pattern.test(id)).length, count)
  for (let n = 0; n < count; n += 1) {
    const id = `${prefix}${n}`
    assert.deepEqual(items.get(id), { id, n, text: 'x'.repeat(100) })
  }
}
