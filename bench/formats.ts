// npm run bench-formats: CPU time an item of each format, read and written, and beside it what one would write without Headrace
// around the library that one would take, in one process and in turns. A ratio below 1 is in Headrace's favour.
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { unmarshall } from '@aws-sdk/util-dynamodb'
import { parse } from 'csv-parse'
import { stringify } from 'csv-stringify/sync'
import { parquetReadObjects } from 'hyparquet'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { csvConversion, type ItemConversion } from '../src/formats/itemConversion.ts'
import type { ItemFormat } from '../src/formats/itemFormat.ts'
import { openItemWriter } from '../src/formats/itemWriter.ts'
import { parquetConversion } from '../src/formats/parquetConversion.ts'
import { readParquet } from '../src/formats/parquetReader.ts'
import { readRecords } from '../src/formats/readRecords.ts'
import type { PlainItem } from '../src/item/attributeValue.ts'
import { makeItem, toAttributeValues } from './items.ts'

const ITEMS = 50_000
const ROUNDS = 5

const items: PlainItem[] = Array.from({ length: ITEMS }, (_, index) => ({ ...makeItem(index) }))
/** Keeps results alive, so that nothing can be optimised away. */
let sink = 0

const lines = (texts: readonly string[]): Buffer => Buffer.from(`${texts.join('\n')}\n`)
const plainFile = lines(items.map((item) => JSON.stringify(item)))
const dynamoFile = lines(items.map((_, index) => JSON.stringify({ Item: toAttributeValues(makeItem(index)) })))
const flat = items.map(({ tags, ...item }) => ({ ...item, tags: JSON.stringify(tags) }))
const csvFile = Buffer.from(stringify(flat, { header: true, cast: { boolean: String } }))
const columnData = ['pk', 'sk', 'name', 'email', 'active', 'score', 'tags'].map((name) => ({
  name,
  data: flat.map((item) => (item as PlainItem)[name] as unknown) as never,
}))
const parquetFile = new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize: 10_000 }))

async function* piecesOf(file: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < file.length; at += 65_536) yield file.subarray(at, at + 65_536)
}

async function read(file: Uint8Array, name: string): Promise<void> {
  for await (const records of readRecords(piecesOf(file), { file: name })) sink += records.length
}

async function readByLine(file: Uint8Array, take: (line: string) => unknown): Promise<void> {
  for await (const line of createInterface({
    input: Readable.from(piecesOf(file)),
    crlfDelay: Number.POSITIVE_INFINITY,
  }))
    if (take(line) !== undefined) sink += 1
}

async function readOurParquet(): Promise<void> {
  const source = {
    sizeBytes: parquetFile.length,
    read: async (start: number, length: number) => parquetFile.subarray(start, start + length),
  }
  for await (const records of readParquet(source, { file: 'items.parquet' })) sink += records.length
}

function write(format: ItemFormat): void {
  const writer = openItemWriter(format)
  for (const item of items) sink += writer.write(item).length
}

async function convert(conversion: ItemConversion): Promise<void> {
  await conversion(
    async function* () {
      for (let at = 0; at < ITEMS; at += 1_000) yield { items: items.slice(at, at + 1_000), bytes: 200_000 }
    },
    (piece) => {
      sink += piece.length
      return undefined
    },
  )
}

interface Case {
  readonly name: string
  readonly ours: () => unknown
  readonly beside: string
  readonly theirs: () => unknown
}

const arrayBuffer = parquetFile.buffer.slice(
  parquetFile.byteOffset,
  parquetFile.byteOffset + parquetFile.length,
) as ArrayBuffer
const first = ['pk', 'sk']
const cases: readonly Case[] = [
  {
    name: 'read JSON Lines',
    ours: () => read(plainFile, 'items.jsonl'),
    beside: 'node:readline and JSON.parse',
    theirs: () => readByLine(plainFile, JSON.parse),
  },
  {
    name: 'read DynamoDB JSON',
    ours: () => read(dynamoFile, 'items.jsonl'),
    beside: 'node:readline, JSON.parse and unmarshall',
    theirs: () => readByLine(dynamoFile, (line) => unmarshall(JSON.parse(line).Item)),
  },
  {
    name: 'read CSV',
    ours: () => read(csvFile, 'items.csv'),
    beside: 'csv-parse',
    theirs: async () => {
      for await (const record of Readable.from(piecesOf(csvFile)).pipe(parse({ columns: true })))
        if (record !== undefined) sink += 1
    },
  },
  {
    name: 'read Parquet',
    ours: readOurParquet,
    beside: 'hyparquet, all rows at once',
    theirs: async () => {
      sink += (await parquetReadObjects({ file: arrayBuffer })).length
    },
  },
  {
    name: 'write JSON Lines',
    ours: () => write('jsonl'),
    beside: 'JSON.stringify',
    theirs: () => {
      for (const item of items) sink += `${JSON.stringify(item)}\n`.length
    },
  },
  {
    name: 'write DynamoDB JSON',
    ours: () => write('ddb-json'),
    beside: 'attribute values written out by hand and JSON.stringify',
    theirs: () => {
      for (let index = 0; index < ITEMS; index += 1)
        sink += `${JSON.stringify({ Item: toAttributeValues(items[index] as ReturnType<typeof makeItem>) })}\n`.length
    },
  },
  {
    name: 'write CSV, columns found first',
    ours: () => convert(csvConversion({ first })),
    beside: 'csv-stringify, in lists of a thousand',
    theirs: () => {
      for (let at = 0; at < ITEMS; at += 1_000)
        sink += stringify(flat.slice(at, at + 1_000), { cast: { boolean: String } }).length
    },
  },
  {
    name: 'write Parquet, columns found first',
    ours: () => convert(parquetConversion({ first })),
    beside: 'hyparquet-writer, all rows at once',
    theirs: () => {
      sink += parquetWriteBuffer({ columnData, rowGroupSize: 10_000 }).byteLength
    },
  },
  {
    name: 'write XML',
    ours: () => write('xml'),
    beside: 'a template string that escapes text',
    theirs: () => {
      const escaped = (text: string): string => text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`)
      for (const { pk, sk, name, email, active, score, tags } of items)
        sink +=
          `<item><pk>${escaped(pk)}</pk><sk>${escaped(sk)}</sk><name>${escaped(name)}</name><email>${escaped(email)}</email><active type="BOOL">${active}</active><score type="N">${score}</score><tags type="L">${(tags as string[]).map((tag) => `<value>${escaped(tag)}</value>`).join('')}</tags></item>\n`
            .length
    },
  },
]

/** Microseconds of CPU an item. */
async function measure(run: () => unknown): Promise<number> {
  const before = process.cpuUsage()
  await run()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / ITEMS
}

const median = (values: readonly number[]): number =>
  [...values].sort((left, right) => left - right)[values.length >> 1]!

for (const { name, ours, beside, theirs } of cases) {
  const times: [number[], number[]] = [[], []]
  // The first round warms up.
  for (let round = 0; round <= ROUNDS; round += 1) {
    const [own, other] = [await measure(ours), await measure(theirs)]
    if (round === 0) continue
    times[0].push(own)
    times[1].push(other)
  }
  const [own, other] = times.map(median) as [number, number]
  console.log(`${name}: ${own.toFixed(2)} µs an item, ${beside} ${other.toFixed(2)}: ${(own / other).toFixed(2)} of it`)
}
if (sink === 0) process.exitCode = 1
