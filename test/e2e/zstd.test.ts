import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { zstd } from '../../src/formats/zstd.ts'
import { newTable, store } from '../support/store.ts'
import { headrace, scratchDirectory } from './command.ts'

const what = zstd === undefined ? 'has none' : 'has it'

test(`an export into a file that is called .zst, where Node ${what}`, async () => {
  using scratch = scratchDirectory()
  const run = (...args: string[]) =>
    headrace(args, { directory: scratch.path, environment: { AWS_ENDPOINT_URL: store.endpoint } })
  const table = await newTable()
  const target = await newTable()
  await using publisher = table.publisher()
  for (let index = 0; index < 500; index += 1) publisher.put({ id: `item${index}`, index })
  await publisher.flush()
  for (const name of ['items.jsonl.zst', 'items.xml.zst', 'items.ion.zst']) {
    const { code, stderr } = await run('export', table.name, name)
    if (zstd === undefined) {
      assert.equal(code, 4, stderr)
      assert.match(stderr, /zstd needs Node\.js 22\.15 or newer \(this is v.*\): use a file name that ends in \.gz/)
      assert.equal(existsSync(join(scratch.path, name)), false)
      continue
    }
    assert.equal(code, 0, stderr)
    if (name.includes('xml')) continue
    const loaded = await run('load', target.name, name)
    assert.equal(loaded.code, 0, loaded.stderr)
    assert.equal((await run('diff', table.name, target.name)).code, 0)
  }
})
