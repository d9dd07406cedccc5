import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { database, newTable, store } from '../support/store.ts'
import { headrace, scratchDirectory } from './command.ts'

test('what pack-spark packs publishes by itself, away from this package', async () => {
  using directory = scratchDirectory()
  const { path } = directory
  const { code, stdout, stderr } = await headrace(['pack-spark', 'spark.tgz', '--node', process.execPath, '--json'], {
    directory: path,
  })
  assert.equal(code, 0, stderr)
  const { event, bytes } = JSON.parse(stdout)
  assert.equal(event, 'packed')
  assert.ok(bytes > 10e6 && bytes < 60e6, `${bytes}`)
  assert.ok(existsSync(join(path, 'headrace.py')))
  const unpacked = join(path, 'unpacked')
  mkdirSync(unpacked)
  execFileSync('tar', ['-xzf', join(path, 'spark.tgz'), '-C', unpacked])
  assert.equal(readFileSync(join(unpacked, 'headrace.py'), 'utf8'), readFileSync(join(path, 'headrace.py'), 'utf8'))
  const { name } = await newTable()
  const begin = {
    version: 1,
    table: name,
    operation: 'put',
    // A region that only a profile would say, and credentials: so that the SDK is looked for too.
    connection: { endpoint: store.endpoint },
    share: 1,
    schema: { type: 'struct', fields: [{ name: 'id', type: 'string' }] },
    place: 'partition 0',
  }
  const input = `${JSON.stringify(['begin', begin])}\n{"id":"a"}\n["end",{"rows":1}]\n`
  const environment = {
    AWS_ACCESS_KEY_ID: 'a',
    AWS_SECRET_ACCESS_KEY: 's',
    AWS_REGION: 'eu-west-1',
    PATH: '',
    HOME: path,
  }
  const options = { input, cwd: path, env: environment, encoding: 'utf8', timeout: 30_000 } as const
  const ended = spawnSync(join(unpacked, 'node'), [join(unpacked, 'worker.mjs')], options)
  assert.equal(ended.status, 0, ended.stderr)
  const [kind, done] = JSON.parse(ended.stdout)
  assert.deepEqual([kind, done.read, done.written], ['done', 1, 1])
  assert.deepEqual(await database.table(name).get({ id: 'a' }), { id: 'a' })
})

test('what cannot be packed is said', async () => {
  using directory = scratchDirectory()
  const name = await headrace(['pack-spark', 'spark.rar', '--node', process.execPath], { directory: directory.path })
  assert.equal(name.code, 2)
  assert.match(name.stderr, /"spark.rar" must end in .tgz or .tar.gz/)
  const node = await headrace(['pack-spark', 'spark.tgz', '--node', 'no-node'], { directory: directory.path })
  assert.equal(node.code, 1)
  assert.match(node.stderr, /no-node/)
  assert.ok(!existsSync(join(directory.path, 'spark.tgz')))
})
