// npm run diff-memory [-- ITEMS [OPTIONS OF DIFF]]: two tables and a file of a million items each, planted differences, and what `headrace diff`
// finds of them in how much memory. Exits with 1 unless it finds each of them, nothing else, and in less than 200 MiB. The
// tables are pretended ones, whose items are made when they are asked for: emulators take minutes to scan so many.
import assert from 'node:assert/strict'
import { createWriteStream, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { PlainItem } from '../../src/item/attributeValue.ts'
import { encodeItem } from '../../src/item/encode.ts'
import { plantedItems } from '../operations/plantedItems.ts'
import { type ScriptedAnswer, serviceError, startScriptedServer } from '../support/scriptedServer.ts'
import { headrace, scratchDirectory } from './command.ts'

const MEMORY_MIB_MAX = 200
const LIFE_MS = 900_000
const PAGE_CHARACTERS = 2_000_000
const ITEM_BYTES = 100

const count = Number(process.argv[2] ?? 1_000_000)
const planted = plantedItems(count, Math.max(1, Math.round(count / 1_000)))
const { expected } = planted
const sides: { readonly [table: string]: (index: number) => PlainItem[] } = {
  left: planted.leftAt,
  right: planted.rightAt,
}

await using server = await startScriptedServer(({ operation, body }) => answer(operation, body))
using directory = scratchDirectory()
const file = 'right.ddb.jsonl.gz'
await pipeline(Readable.from(lines()), createGzip({ level: 1 }), createWriteStream(join(directory.path, file)))
for (const other of ['right', file]) {
  const startedAt = performance.now()
  const end = await diff(other)
  const seconds = (performance.now() - startedAt) / 1_000
  assert.equal(end.code, 7, end.stderr)
  assert.deepEqual(keysOf(end.stdout), expected)
  const { missing, extra, changed } = expected
  process.stdout.write(
    `diff left ${other}: ${count} items; ${missing.length} missing, ${extra.length} extra and ${changed.length} changed found ` +
      `in ${seconds.toFixed(1)} s, ${end.memoryMib} MiB resident at most\n`,
  )
  if (end.memoryMib >= MEMORY_MIB_MAX) process.exitCode = 1
}

// biome-ignore lint/suspicious/noExplicitAny: requests of many shapes
function answer(operation: string, body: any): ScriptedAnswer {
  switch (operation) {
    case 'DescribeTable':
      return { body: { Table: describe(body.TableName) } }
    case 'Scan':
      return { body: scan(body) }
    case 'BatchGetItem': {
      const [[name, { Keys: keys }]] = Object.entries(body.RequestItems) as [
        [string, { Keys: { id: { S: string } }[] }],
      ]
      const items = keys.flatMap(({ id }) => sides[name]!(indexOf(id.S)).filter((item) => item['id'] === id.S))
      return { body: `{"Responses":{"${name}":[${items.map(encodeItem).join(',')}]},"UnprocessedKeys":{}}` }
    }
    default:
      return serviceError('UnknownOperationException', operation)
  }
}

function describe(name: string): object {
  return {
    TableName: name,
    TableId: name,
    TableStatus: 'ACTIVE',
    KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
    AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
    ItemCount: count,
    TableSizeBytes: count * ITEM_BYTES,
  }
}

interface ScanBody {
  readonly TableName: string
  readonly Segment: number
  readonly TotalSegments: number
  readonly Limit?: number
  readonly ExclusiveStartKey?: { readonly id: { readonly S: string } }
}

function scan({
  TableName,
  Segment,
  TotalSegments,
  Limit = Number.POSITIVE_INFINITY,
  ExclusiveStartKey,
}: ScanBody): string {
  const last = Math.floor(((Segment + 1) * count) / TotalSegments)
  const first = Math.floor((Segment * count) / TotalSegments)
  let index = ExclusiveStartKey === undefined ? first : indexOf(ExclusiveStartKey.id.S) + 1
  const texts: string[] = []
  let characters = 0
  for (; index < last && texts.length < Limit && characters < PAGE_CHARACTERS; index += 1) {
    for (const item of sides[TableName]!(index)) {
      const text = encodeItem(item)
      texts.push(text)
      characters += text.length
    }
  }
  const cursor = index < last ? `,"LastEvaluatedKey":{"id":{"S":"item${index - 1}"}}` : ''
  return `{"Items":[${texts.join(',')}],"Count":${texts.length},"ScannedCount":${texts.length}${cursor}}`
}

function indexOf(id: string): number {
  return Number.parseInt(id.slice('item'.length), 10)
}

function* lines(): Iterable<string> {
  let text = ''
  for (const item of planted.right()) {
    text += `{"Item":${encodeItem(item)}}\n`
    if (text.length < PAGE_CHARACTERS) continue
    yield text
    text = ''
  }
  yield text
}

async function diff(
  other: string,
): Promise<{ code: number | null; stdout: string; stderr: string; memoryMib: number }> {
  const memory = join(directory.path, 'memory')
  const preload = new URL('../support/peakMemory.js', import.meta.url)
  const environment = {
    AWS_ENDPOINT_URL: server.endpoint,
    NODE_OPTIONS: `--import=${preload.href}`,
    PEAK_MEMORY_FILE: memory,
  }
  const end = await headrace(['diff', 'left', other, ...process.argv.slice(3)], {
    directory: directory.path,
    environment,
    lifeMs: LIFE_MS,
  })
  return { ...end, memoryMib: Number(readFileSync(memory, 'utf8')) }
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
