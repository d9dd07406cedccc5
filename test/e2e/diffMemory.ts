// npm run diff-memory [-- ITEMS]: two tables and a file of a million items each, planted differences, and what `headrace diff`
// finds of them in how much memory. Exits with 1 unless it finds each of them, nothing else, and in less than 200 MiB.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect, type Database } from '../../src/database/database.ts'
import type { PlainItem } from '../../src/item/attributeValue.ts'
import { startLocal } from '../../src/local/startLocal.ts'
import { createTable } from '../../src/operations/tables.ts'
import { plantedItems } from '../operations/plantedItems.ts'
import { headrace, scratchDirectory } from './command.ts'

const MEMORY_MIB_MAX = 200
const LIFE_MS = 900_000

const count = Number(process.argv[2] ?? 1_000_000)
const { left, right, expected } = plantedItems(count, Math.max(1, Math.round(count / 1_000)))
const store = await startLocal({ kind: 'dynoxide' })
const database = connect({ endpoint: store.endpoint })
using directory = scratchDirectory()
try {
  await fill(database, 'left', left())
  await fill(database, 'right', right())
  const exported = await run(['export', 'right', 'right.ddb.jsonl.gz', '--quiet'])
  assert.equal(exported.code, 0, exported.stderr)
  for (const other of ['right', 'right.ddb.jsonl.gz']) {
    const startedAt = performance.now()
    const end = await run(['diff', 'left', other])
    const seconds = (performance.now() - startedAt) / 1_000
    assert.equal(end.code, 7, end.stderr)
    assert.deepEqual(keysOf(end.stdout), expected)
    const missing = expected.missing.length
    const changed = expected.changed.length
    process.stdout.write(
      `diff left ${other}: ${count} items, ${missing} missing, ${expected.extra.length} extra and ${changed} changed found ` +
        `in ${seconds.toFixed(1)} s, ${end.memoryMib} MiB resident at most\n`,
    )
    if (end.memoryMib >= MEMORY_MIB_MAX) process.exitCode = 1
  }
} finally {
  await database.close()
  await store.stop()
}

async function fill(where: Database, name: string, items: Iterable<PlainItem>): Promise<void> {
  await createTable(where, name, { key: { partition: { name: 'id', type: 'S' } } })
  await using publisher = where.table(name).publisher()
  await publisher.publish(items)
}

async function run(
  args: readonly string[],
): Promise<{ code: number | null; stdout: string; stderr: string; memoryMib: number }> {
  const file = join(directory.path, 'memory')
  const preload = new URL('../support/peakMemory.js', import.meta.url)
  const environment = {
    AWS_ENDPOINT_URL: store.endpoint,
    NODE_OPTIONS: `--import=${preload.href}`,
    PEAK_MEMORY_FILE: file,
  }
  const end = await headrace(args, { directory: directory.path, environment, lifeMs: LIFE_MS })
  return { ...end, memoryMib: Number(readFileSync(file, 'utf8')) }
}

function keysOf(stdout: string): { [kind: string]: string[] } {
  const keys: { [kind: string]: string[] } = { missing: [], extra: [], changed: [] }
  for (const line of stdout.split('\n').slice(0, -1)) {
    const { kind, key } = JSON.parse(line) as { kind: string; key: { id: { S: string } } }
    keys[kind]!.push(key.id.S)
  }
  for (const list of Object.values(keys)) list.sort()
  return keys
}
