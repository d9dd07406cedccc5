import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { exportTable } from '../../src/operations/exportTable.ts'
import { type Disk, systemDisk } from '../../src/storage/disk.ts'
import { database, newTable, store } from '../support/store.ts'
import { type CommandEnd, headrace, scratchDirectory } from './command.ts'

function run(directory: string, args: readonly string[], killAfterMs?: number): Promise<CommandEnd> {
  const environment = { AWS_ENDPOINT_URL: store.endpoint }
  return headrace(args, {
    directory,
    environment,
    ...(killAfterMs === undefined
      ? {}
      : { onStart: (child) => void setTimeout(() => child.kill('SIGKILL'), killAfterMs) }),
  })
}

async function filled(count: number, bytes: number): Promise<string> {
  const table = await newTable()
  await using publisher = table.publisher()
  for (let index = 0; index < count; index += 1) {
    if (!publisher.put({ id: `item${index}`, index, noise: randomBytes(bytes) })) await publisher.ready
  }
  return table.name
}

interface ManifestLine {
  readonly itemCount: number
  readonly md5Checksum: string
  readonly dataFileS3Key: string
}

/** What is in an export, by nothing but its documentation. @returns the ids in its data */
function readExport(directory: string): { ids: string[]; files: ManifestLine[] } {
  const text = (name: string): string => readFileSync(join(directory, name), 'utf8')
  const digest = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('base64')
  for (const name of ['manifest-summary', 'manifest-files'])
    assert.equal(text(`${name}.checksum`), digest(Buffer.from(text(`${name}.json`))))
  const files = text('manifest-files.json')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as ManifestLine)
  const ids: string[] = []
  for (const { itemCount, md5Checksum, dataFileS3Key } of files) {
    const bytes = readFileSync(join(directory, 'data', dataFileS3Key.split('/data/')[1]!))
    assert.equal(digest(bytes), md5Checksum)
    const lines = gunzipSync(bytes).toString().split('\n').slice(0, -1)
    assert.equal(lines.length, itemCount)
    ids.push(...lines.map((line) => JSON.parse(line).Item.id.S as string))
  }
  assert.equal(readdirSync(join(directory, 'data')).length, files.length, 'nothing else is in data/')
  const summary = JSON.parse(text('manifest-summary.json'))
  assert.equal(summary.itemCount, ids.length)
  assert.equal(summary.outputFormat, 'DYNAMODB_JSON')
  return { ids: ids.sort(), files }
}

const idsUpTo = (count: number): string[] => Array.from({ length: count }, (_, index) => `item${index}`).sort()

test('a native export is cut into files, and loads back as it was', async () => {
  using scratch = scratchDirectory()
  const table = await filled(4_000, 1_000)
  const directory = join(scratch.path, 'AWSDynamoDB', '0001')
  const end = await run(scratch.path, [
    'export',
    table,
    'AWSDynamoDB/0001',
    '--format',
    'native',
    '--data-file-mb',
    '1',
  ])
  assert.equal(end.code, 0, end.stderr)
  const { ids, files } = readExport(directory)
  assert.deepEqual(ids, idsUpTo(4_000))
  assert.ok(files.length >= 2, `${files.length} files`)
  assert.equal(files[0]!.dataFileS3Key, 'AWSDynamoDB/0001/data/00000.json.gz')
  const loaded = await newTable()
  assert.equal((await run(scratch.path, ['load', loaded.name, 'AWSDynamoDB'])).code, 0)
  assert.equal((await run(scratch.path, ['diff', table, loaded.name])).code, 0)

  const again = await run(scratch.path, ['export', table, 'AWSDynamoDB/0001', '--format', 'native'])
  assert.equal(again.code, 4)
  assert.match(again.stderr, /0001 already exists/)
  const few = ['--where', "id = 'item7'", '--overwrite']
  assert.equal((await run(scratch.path, ['export', table, 'AWSDynamoDB/0001', '--format', 'native', ...few])).code, 0)
  assert.deepEqual(readExport(directory).ids, ['item7'])
})

test('an empty table is an export without data', async () => {
  using scratch = scratchDirectory()
  const { name } = await newTable()
  assert.equal((await run(scratch.path, ['export', name, 'out', '--format', 'native'])).code, 0)
  assert.deepEqual(readExport(join(scratch.path, 'out')), { ids: [], files: [] })
  assert.equal((await run(scratch.path, ['load', name, 'out'])).code, 0)
})

test('killed again and again, a native export has no manifest until it is whole, and then everything once', async () => {
  using scratch = scratchDirectory()
  const table = await filled(6_000, 1_500)
  const out = join(scratch.path, 'out')
  const command = [
    'export',
    table,
    'out',
    '--format',
    'native',
    '--data-file-mb',
    '1',
    '--job',
    'job',
    '--read-rate',
    '250',
  ]
  let kills = 0
  let filesAtKill = 0
  for (; ; kills += 1) {
    const begun = existsSync(join(scratch.path, 'job', 'job.json'))
    const afterMs = kills < 12 ? 900 + 150 * kills : undefined
    const { code, stderr } = await run(scratch.path, begun ? ['resume', 'job'] : command, afterMs)
    if (code !== null) {
      assert.equal(code, 0, stderr)
      break
    }
    if (existsSync(join(out, 'manifest-summary.json'))) {
      // It was whole when it was killed: then all of it is there.
      assert.deepEqual(readExport(out).ids, idsUpTo(6_000))
      continue
    }
    if (existsSync(join(out, 'data'))) filesAtKill = Math.max(filesAtKill, readdirSync(join(out, 'data')).length)
    if (existsSync(join(out, '_started'))) {
      const half = await run(scratch.path, ['load', table, 'out'])
      assert.match(half.stderr, /an unfinished export/)
    }
  }
  assert.ok(kills >= 2, `killed ${kills} times`)
  assert.ok(filesAtKill >= 2, `${filesAtKill} data files when it was killed`)
  assert.deepEqual(readExport(out).ids, idsUpTo(6_000))
})

test('an export that cannot be made whole is made whole by a resume, whatever was written of its manifests', async () => {
  const table = await newTable()
  await using publisher = table.publisher()
  for (let index = 0; index < 200; index += 1) publisher.put({ id: `item${index}` })
  await publisher.flush()
  for (const broken of [
    'manifest-files.json',
    'manifest-files.checksum',
    'manifest-summary.checksum',
    'manifest-summary.json',
  ]) {
    using scratch = scratchDirectory()
    const disk: Disk = {
      ...systemDisk,
      rename(from, to) {
        if (to.endsWith(broken)) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
        systemDisk.rename(from, to)
      },
    }
    const out = join(scratch.path, 'out')
    const directory = join(scratch.path, 'job')
    const make = () => exportTable(database.table(table.name), out, { format: 'native', native: { fileBytes: 100 } })
    await assert.rejects(make().run({ directory, disk }), /no space left on device/)
    if (existsSync(join(out, 'manifest-summary.json'))) {
      // It was whole when it was killed: then all of it is there.
      assert.deepEqual(readExport(out).ids, idsUpTo(6_000))
      continue
    }
    // What lies behind the end that was settled goes.
    writeFileSync(join(out, 'data', '00001.json.gz'), 'of a run that was killed')
    const { complete, written } = await make().run({ directory })
    assert.deepEqual([complete, written], [true, 200])
    assert.deepEqual(readExport(out).ids, idsUpTo(200))
  }
})

test('in S3 it cannot be written, and that is said with what to do', async () => {
  using scratch = scratchDirectory()
  const end = await run(scratch.path, ['export', 'things', 's3://bucket/prefix', '--format', 'native'])
  assert.equal(end.code, 2, end.stderr)
  assert.match(end.stderr, /to a local directory. To have it in S3, copy the finished directory/)
  const odd = await run(scratch.path, ['export', 'things', 'out.jsonl', '--data-file-mb', '5'])
  assert.equal(odd.code, 2, odd.stderr)
})
