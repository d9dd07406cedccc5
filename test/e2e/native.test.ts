import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { EXPORT_ID, md5, nativeExport, writeExport } from '../support/nativeExport.ts'
import { database, newTable, store } from '../support/store.ts'
import { type CommandEnd, headrace, scratchDirectory } from './command.ts'

const FILES = 3
const ITEMS_OF_FILE = 200

function items(file: number): string[] {
  return Array.from({ length: ITEMS_OF_FILE }, (_, index) =>
    JSON.stringify({ Item: { id: { S: `item${file}-${index}` }, n: { N: `${index}` }, tags: { SS: ['a', 'b'] } } }),
  )
}

function full(): Map<string, Buffer> {
  return nativeExport({ files: [...Array.from({ length: FILES }, (_, file) => items(file)), []] })
}

async function idsOf(table: string): Promise<string[]> {
  const ids: string[] = []
  for await (const item of database.table(table).scan({ segments: 1, consistentRead: true })) ids.push(item['id'])
  return ids.sort()
}

function run(directory: string, args: readonly string[]): Promise<CommandEnd> {
  return headrace(args, { directory, environment: { AWS_ENDPOINT_URL: store.endpoint } })
}

/** What a person sees: which file, why, and nothing of our insides. */
async function assertRefused(directory: string, args: readonly string[], pattern: RegExp, code = 1): Promise<void> {
  const { name } = await newTable()
  const end = await run(directory, ['load', name, ...args])
  assert.equal(end.code, code, end.stderr)
  assert.match(end.stderr, pattern)
  assert.doesNotMatch(end.stderr + end.stdout, /^\s+at .*:\d+:\d+|node:internal/m)
  assert.deepEqual(await idsOf(name), [], 'nothing was written')
}

test('a native export is loaded, by its directory, one of its manifests, or a directory around it', async () => {
  using scratch = scratchDirectory()
  const directory = relative(scratch.path, writeExport(scratch.path, full()))
  writeFileSync(join(scratch.path, directory, 'data', 'stray.json'), '{"Item":{"id":{"S":"stray"}}}\n')
  const expected = Array.from({ length: FILES }, (_, file) => items(file))
    .flat()
    .map((line) => JSON.parse(line).Item.id.S as string)
    .sort()
  for (const path of [
    directory,
    `./${directory}/`,
    `${directory}/manifest-summary.json`,
    `${directory}/manifest-files.json`,
    'backups',
  ]) {
    const { name } = await newTable()
    const { code, stderr } = await run(scratch.path, ['load', name, path])
    assert.equal(code, 0, stderr)
    assert.match(stderr, /checking 4 files of the export against its manifest/)
    assert.deepEqual(await idsOf(name), expected, path)
  }
})

test('files beside an export are loaded with it, and a copy of it may be called anything', async () => {
  using scratch = scratchDirectory()
  cpSync(writeExport(scratch.path, full()), join(scratch.path, 'in', 'copied'), { recursive: true })
  writeFileSync(join(scratch.path, 'in', 'more.jsonl'), '{"id":"more"}\n')
  const { name } = await newTable()
  const { code, stderr } = await run(scratch.path, ['load', name, 'in'])
  assert.equal(code, 0, stderr)
  const ids = await idsOf(name)
  assert.equal(ids.length, FILES * ITEMS_OF_FILE + 1)
  assert.ok(ids.includes('more'))
})

test('an export that is not what its manifest says is refused before anything is written', async (t) => {
  const data = `backups/AWSDynamoDB/${EXPORT_ID}/data/sxq2l31zg4.json.gz`
  const manifest = `backups/AWSDynamoDB/${EXPORT_ID}/manifest-files.json`
  const summary = `backups/AWSDynamoDB/${EXPORT_ID}/manifest-summary.json`
  const replaceManifest = (made: Map<string, Buffer>, from: string | RegExp, to: string, name = manifest): void => {
    const text = made.get(name)!.toString().replace(from, to)
    made.set(name, Buffer.from(text))
    made.set(name.replace('.json', '.checksum'), Buffer.from(md5(Buffer.from(text))))
  }
  const cases: [name: string, change: (made: Map<string, Buffer>) => unknown, pattern: RegExp][] = [
    [
      'a data file of another MD5',
      (made) => made.set(data, gzipSync(items(1).join('\n'))),
      /data\/sxq2l31zg4\.json\.gz: its MD5 is .* manifest says/,
    ],
    [
      'a data file that is missing',
      (made) => made.delete(data),
      /data\/sxq2l31zg4\.json\.gz is missing, but .*manifest-files\.json lists it/,
    ],
    [
      'a data file that was cut short',
      (made) => made.set(data, made.get(data)!.subarray(0, -40)),
      /data\/sxq2l31zg4\.json\.gz: the gzip data ends early/,
    ],
    [
      'a data file that was cut short before the manifest was made',
      (made) => {
        const cut = made.get(data)!.subarray(0, -40)
        replaceManifest(made, md5(made.get(data)!), md5(cut))
        made.set(data, cut)
      },
      /data\/sxq2l31zg4\.json\.gz: the gzip data ends early/,
    ],
    [
      'a data file of another number of items',
      (made) => {
        const fewer = gzipSync(items(1).slice(1).join('\n'))
        replaceManifest(made, md5(made.get(data)!), md5(fewer))
        made.set(data, fewer)
      },
      /data\/sxq2l31zg4\.json\.gz: it has 199 items, but the manifest says 200/,
    ],
    [
      'a manifest of another checksum',
      (made) => made.set(manifest, Buffer.concat([made.get(manifest)!, Buffer.from('\n')])),
      /manifest-files\.json: it does not match its checksum manifest-files\.checksum/,
    ],
    [
      'a manifest without its checksum',
      (made) => made.delete(summary.replace('.json', '.checksum')),
      /manifest-summary\.json: its checksum .* is missing/,
    ],
    ['no manifest of files', (made) => made.delete(manifest), /no file ".*manifest-files\.json"/],
    ['an unfinished export', (made) => [made.delete(manifest), made.delete(summary)], /an unfinished export/],
    [
      'a format that nobody knows',
      (made) => replaceManifest(made, 'DYNAMODB_JSON', 'PARQUET', summary),
      /format "PARQUET"/,
    ],
    [
      'counts that do not add up',
      (made) => replaceManifest(made, '"itemCount":600', '"itemCount":601', summary),
      /counts 601 items, but .* have 600/,
    ],
    [
      'a file that lies elsewhere',
      (made) => replaceManifest(made, /"[^"]*sxq2l31[^"]*"/, '"../../secrets.json"'),
      /manifest-files\.json:2: dataFileS3Key does not name a file/,
    ],
  ]
  for (const [name, change, pattern] of cases) {
    await t.test(name, async () => {
      using scratch = scratchDirectory()
      const made = full()
      change(made)
      await assertRefused(scratch.path, [relative(scratch.path, writeExport(scratch.path, made))], pattern)
    })
  }
  await t.test('the export of a table of another key', async () => {
    using scratch = scratchDirectory()
    const made = nativeExport({ files: [[], ['{"Item":{"number":{"N":"1"}}}']] })
    await assertRefused(
      scratch.path,
      [writeExport(scratch.path, made)],
      /an export of a table with another key than .*id/,
    )
  })
})

test('with --no-verify nothing is read in advance, and what is missing in the end is told', async () => {
  using scratch = scratchDirectory()
  const directory = writeExport(scratch.path, full())
  writeFileSync(join(directory, 'data', 'sxq2l31zg4.json.gz'), gzipSync(items(1).slice(0, 150).join('\n')))
  rmSync(join(directory, 'manifest-files.checksum'))
  const { name } = await newTable()
  const { code, stderr } = await run(scratch.path, ['load', name, directory, '--no-verify'])
  assert.equal(code, 1, stderr)
  assert.doesNotMatch(stderr, /checking/)
  assert.match(stderr, /the manifest lists 600 items, but 550 were read/)
  assert.equal((await idsOf(name)).length, 550)
})

const change = (id: string, image?: object): string =>
  JSON.stringify({
    Metadata: { WriteTimestampMicros: { N: '1680109764000000' } },
    Keys: { id: { S: id } },
    OldImage: { id: { S: id }, n: { N: '0' } },
    ...(image === undefined ? {} : { NewImage: { id: { S: id }, ...image } }),
  })

test('an incremental export puts and deletes, and only when that is asked for', async () => {
  using scratch = scratchDirectory()
  const files = [
    [change('kept', { n: { N: '1' } }), change('gone')],
    [change('new', { b: { B: 'AAE=' } }), '{"Keys":{}}'],
  ]
  const directory = writeExport(scratch.path, nativeExport({ isIncremental: true, files }))
  await assertRefused(
    scratch.path,
    [directory],
    /an incremental export, whose changes can delete items.*--apply-changes/,
    2,
  )
  await assertRefused(
    scratch.path,
    [directory, '--apply-changes', '--keep-old'],
    /keepOld \(--keep-old\) does not work with incremental exports/,
    2,
  )
  const { name } = await newTable()
  await using publisher = database.table(name).publisher()
  for (const id of ['kept', 'gone', 'untouched']) publisher.put({ id, n: 0 })
  await publisher.flush()
  const { code, stderr } = await run(scratch.path, ['load', name, directory, '--apply-changes', '--job', 'job'])
  assert.equal(code, 3, stderr)
  assert.match(stderr, /rejected .*:2: not a change of an incremental export/)
  assert.deepEqual(await idsOf(name), ['kept', 'new', 'untouched'])
  const again = await run(scratch.path, ['resume', 'job'])
  assert.equal(again.code, 3, again.stderr)
  const spec = JSON.parse(readFileSync(join(scratch.path, 'job', 'job.json'), 'utf8'))
  assert.equal(spec.what.sources[0].changes, true)
  assert.equal(spec.what.sources[0].itemCount, 2)
})

test('several incremental exports are refused, and so are items where changes are meant', async () => {
  using scratch = scratchDirectory()
  const made = nativeExport({ isIncremental: true, files: [[change('a')]] })
  for (const name of ['one', 'two']) writeExport(join(scratch.path, name), made)
  await assertRefused(
    scratch.path,
    ['one', 'two', '--apply-changes'],
    /not all of these 2 incremental exports state their time: .*Load them one by one/,
    2,
  )
  mkdirSync(join(scratch.path, 'full'))
  const directory = writeExport(join(scratch.path, 'full'), full())
  await assertRefused(scratch.path, [directory, '--apply-changes'], /contains items, not changes/, 2)
})

test('an export in Ion is loaded as one in DynamoDB JSON', async () => {
  using scratch = scratchDirectory()
  const files = [['$ion_1_0 {Item:{id:"a",n:1.5,tags:$dynamodb_SS::["x"]}}', '$ion_1_0 {Item:{id:"b"}}'], []]
  const { name } = await newTable()
  const directory = writeExport(scratch.path, nativeExport({ format: 'ION', files }))
  const { code, stderr } = await run(scratch.path, ['load', name, directory])
  assert.equal(code, 0, stderr)
  assert.deepEqual(await idsOf(name), ['a', 'b'])
})

test('a table goes into Ion and back', async () => {
  using scratch = scratchDirectory()
  const { name } = await newTable()
  const loaded = await newTable()
  const directory = writeExport(scratch.path, full())
  await run(scratch.path, ['load', name, directory])
  const written = await run(scratch.path, ['export', name, 'items.ion.gz'])
  assert.equal(written.code, 0, written.stderr)
  const read = await run(scratch.path, ['load', loaded.name, 'items.ion.gz'])
  assert.equal(read.code, 0, read.stderr)
  const diff = await run(scratch.path, ['diff', name, loaded.name])
  assert.equal(diff.code, 0, diff.stderr)
  assert.equal((await idsOf(loaded.name)).length, FILES * ITEMS_OF_FILE)
})

test('where ion-js is not installed, that is said with what to do', async () => {
  using scratch = scratchDirectory()
  const hook = `export function resolve(name, context, next) {
    if (name === 'ion-js') throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' })
    return next(name, context)
  }`
  writeFileSync(join(scratch.path, 'hook.mjs'), hook)
  writeFileSync(
    join(scratch.path, 'without.mjs'),
    "import { register } from 'node:module'\nregister('./hook.mjs', import.meta.url)\n",
  )
  const environment = {
    AWS_ENDPOINT_URL: store.endpoint,
    NODE_OPTIONS: `--import ${join(scratch.path, 'without.mjs')}`,
  }
  const { name } = await newTable()
  writeFileSync(join(scratch.path, 'in.ion'), '$ion_1_0 {Item:{id:"a"}}\n')
  for (const args of [
    ['export', name, 'out.ion'],
    ['load', name, 'in.ion'],
  ]) {
    const { code, stderr } = await headrace(args, { directory: scratch.path, environment })
    assert.equal(code, 4, stderr)
    assert.match(stderr, /Amazon Ion needs the package ion-js, which is not installed: npm install ion-js/)
  }
})
