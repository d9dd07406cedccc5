// Cases B6 to B9 of "Nothing silent": several exports, in an order, in the directory where one stands, without a manifest.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { nativeExport, writeExport } from '../support/nativeExport.ts'
import { database, newTable, store } from '../support/store.ts'
import { type CommandEnd, headrace, scratchDirectory } from './command.ts'

function run(directory: string, args: readonly string[]): Promise<CommandEnd> {
  return headrace(args, { directory, environment: { AWS_ENDPOINT_URL: store.endpoint } })
}

async function valuesOf(table: string): Promise<{ [id: string]: number }> {
  const values: { [id: string]: number } = {}
  for await (const item of database.table(table).scan({ consistentRead: true })) values[item['id']] = item['n']
  return values
}

const item = (id: string, n: number): string => JSON.stringify({ Item: { id: { S: id }, n: { N: `${n}` } } })
const change = (id: string, n?: number): string =>
  JSON.stringify({
    Metadata: { WriteTimestampMicros: { N: '1' } },
    Keys: { id: { S: id } },
    ...(n === undefined ? {} : { NewImage: { id: { S: id }, n: { N: `${n}` } } }),
  })

test('B6: two full exports of one table are refused, and --latest takes the newest', async () => {
  using scratch = scratchDirectory()
  const older = { id: '01600000000000-00000001', exportTime: '2023-01-01T00:00:00.000Z' }
  const newer = { id: '01700000000000-00000002', exportTime: '2023-06-01T00:00:00.000Z' }
  writeExport(scratch.path, nativeExport({ ...newer, files: [[item('a', 2)]] }))
  writeExport(scratch.path, nativeExport({ ...older, files: [[item('a', 1), item('deleted', 1)]] }))
  const { name } = await newTable()
  const both = [`backups/AWSDynamoDB/${newer.id}`, `backups/AWSDynamoDB/${older.id}`]
  for (const paths of [['backups'], both]) {
    const refused = await run(scratch.path, ['load', name, ...paths])
    assert.equal(refused.code, 2, refused.stderr)
    for (const { id, exportTime } of [older, newer]) assert.ok(refused.stderr.includes(`${id} (${exportTime})`))
    assert.match(refused.stderr, /--latest/)
    assert.deepEqual(await valuesOf(name), {})
  }
  const latest = await run(scratch.path, ['load', name, 'backups', '--latest'])
  assert.equal(latest.code, 0, latest.stderr)
  assert.match(latest.stderr, new RegExp(`loading only the newest of \\d+ exports of one table: .*${newer.id}`))
  assert.deepEqual(await valuesOf(name), { a: 2 })
})

test('B7: incremental exports are loaded in the order of their windows, and a gap or overlap is said', async () => {
  using scratch = scratchDirectory()
  const windows: [id: string, from: string, to: string, files: string[][]][] = [
    ['01700000000000-00000003', '2023-01-01T02:00:00Z', '2023-01-01T03:00:00Z', [[change('a', 3), change('b')]]],
    [
      '01700000000000-00000001',
      '2023-01-01T00:00:00Z',
      '2023-01-01T01:00:00Z',
      [[change('a', 1)], [change('b', 1), change('c', 1)]],
    ],
    [
      '01700000000000-00000002',
      '2023-01-01T01:00:00Z',
      '2023-01-01T02:00:00Z',
      [[change('a', 2), change('b', 2), change('d', 2)]],
    ],
  ]
  for (const [id, from, to, files] of windows)
    writeExport(scratch.path, nativeExport({ isIncremental: true, id, from, to, files }))
  const paths = windows.map(([id]) => `backups/AWSDynamoDB/${id}`)
  const expected = { a: 3, c: 1, d: 2 }
  for (const given of [['backups'], paths, [...paths].reverse()]) {
    const { name } = await newTable()
    const ran = await run(scratch.path, ['load', name, ...given, '--apply-changes'])
    assert.equal(ran.code, 0, ran.stderr)
    assert.doesNotMatch(ran.stderr, /no export has|two exports have/)
    assert.deepEqual(await valuesOf(name), expected)
  }
  const { name } = await newTable()
  const gap = await run(scratch.path, ['load', name, paths[0]!, paths[1]!, '--apply-changes'])
  assert.match(
    gap.stderr,
    /the changes from 2023-01-01T01:00:00Z to 2023-01-01T02:00:00Z are missing: no export has them/,
  )
  const wide = { id: '01700000000000-00000009', from: '2023-01-01T00:30:00Z', to: '2023-01-01T02:00:00Z' }
  writeExport(scratch.path, nativeExport({ isIncremental: true, ...wide, files: [[change('e', 9)]] }))
  const overlap = await run(scratch.path, [
    'load',
    name,
    `backups/AWSDynamoDB/${wide.id}`,
    paths[1]!,
    '--apply-changes',
  ])
  assert.match(overlap.stderr, /two exports have the changes from 2023-01-01T00:30:00Z to 2023-01-01T01:00:00Z/)
  const cut = await run(scratch.path, ['load', name, ...paths, '--apply-changes', '--threads', '2'])
  assert.equal(cut.code, 2)
  assert.match(cut.stderr, /one after another/)
})

test('B7: a job of several incremental exports that is stopped goes on in their order', async () => {
  using scratch = scratchDirectory()
  const ids = Array.from({ length: 400 }, (_, index) => `k${index}`)
  const windows = [1, 2, 3].map((hour) => ({
    id: `01700000000000-0000000${hour}`,
    from: `2023-01-01T0${hour}:00:00Z`,
    to: `2023-01-01T0${hour + 1}:00:00Z`,
    files: [ids.map((id) => change(id, hour))],
  }))
  for (const window of windows) writeExport(scratch.path, nativeExport({ isIncremental: true, ...window }))
  const { name } = await newTable()
  const first = await run(scratch.path, [
    ...['load', name, 'backups', '--apply-changes', '--job', 'j'],
    ...['--max-duration', '1s', '--write-rate', '300'],
  ])
  assert.equal(first.code, 6, first.stderr)
  let last = first
  for (let turn = 0; turn < 10 && last.code === 6; turn += 1)
    last = await run(scratch.path, ['resume', 'j', '--max-duration', '1s'])
  assert.equal(last.code, 0, last.stderr)
  assert.deepEqual(new Set(Object.values(await valuesOf(name))), new Set([3]))
})

test('B8: an export is loaded from within its own directory', async () => {
  using scratch = scratchDirectory()
  const directory = writeExport(scratch.path, nativeExport({ files: [[item('a', 1)], [item('b', 2)]] }))
  for (const [where, path] of [
    [directory, '.'],
    [directory, './'],
    [join(directory, '..'), '.'],
    [scratch.path, '.'],
  ] as const) {
    const { name } = await newTable()
    const ran = await run(where, ['load', name, path, '--job', join(scratch.path, `job-${name}`)])
    assert.equal(ran.code, 0, ran.stderr)
    assert.deepEqual(await valuesOf(name), { a: 1, b: 2 })
  }
})

test('B9: data files of an incremental export without a manifest are loaded when asked for, and refused otherwise', async () => {
  using scratch = scratchDirectory()
  writeExport(
    scratch.path,
    nativeExport({ isIncremental: true, files: [[change('a', 1), change('gone')], [change('b', 2)]] }),
  )
  const data = 'backups/AWSDynamoDB/data'
  const { name } = await newTable()
  await using publisher = database.table(name).publisher()
  publisher.put({ id: 'gone', n: 0 })
  await publisher.flush()
  const refused = await run(scratch.path, ['load', name, data])
  assert.notEqual(refused.code, 0)
  assert.match(refused.stderr, /contains changes of an incremental export.*--apply-changes/)
  assert.deepEqual(await valuesOf(name), { gone: 0 })
  const ran = await run(scratch.path, ['load', name, data, '--apply-changes', '--job', 'j'])
  assert.equal(ran.code, 0, ran.stderr)
  assert.match(ran.stderr, /has no manifest: Headrace cannot check/)
  assert.deepEqual(await valuesOf(name), { a: 1, b: 2 })
})
