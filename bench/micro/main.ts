import { hash } from 'node:crypto'
import { parseArgs } from 'node:util'
import { crc32 } from 'node:zlib'
import { Bench } from 'tinybench'
import { Signer } from '../../src/dynamodb/signer.ts'
import { decodeItem, ItemDecoder } from '../../src/item/decode.ts'
import { ItemEncoder } from '../../src/item/encode.ts'
import { numberSizeBytes } from '../../src/item/number.ts'
import { ENTRIES_PER_REQUEST, makeItem, toAttributeValues } from '../items.ts'

/**
 * What the parts cost, one at a time and warm: a floor for the whole engine, never its measure (`bench/main.ts`). Beside
 * a part stands what one would write without it.
 *
 *   node .build/bench/micro/main.js [--time-ms 500]
 */
const { values } = parseArgs({ options: { 'time-ms': { type: 'string', default: '500' } } })

const ITEMS = 1_000
const items = Array.from({ length: ITEMS }, (_, index) => makeItem(index))
const attributeValues = items.map(toAttributeValues)
const pageText = `{"Items":[${attributeValues.map((item) => JSON.stringify(item)).join(',')}]}`
const page = Buffer.from(pageText)
const numbers = items.map((item) => String(item.score))
/** As long as a request of 25 items of 270 bytes. */
const requestBody = page.subarray(0, 7_400)

const encoder = new ItemEncoder()
const decoder = new ItemDecoder()
const signer = new Signer('dynamodb.eu-west-1.amazonaws.com', 'eu-west-1')
const credentials = { accessKeyId: 'bench', secretAccessKey: 'bench' }
const wallTimeMs = Date.UTC(2026, 0, 1)

/** Keeps results alive, so that no part can be optimised away. */
let sink = 0

interface Part {
  name: string
  /** How many of `unit` one call of `run` works on. */
  count: number
  unit: 'item' | 'number' | 'request'
  run(): void
}

const parts: Part[] = [
  {
    name: 'make the plain object',
    count: ITEMS,
    unit: 'item',
    run() {
      for (let index = 0; index < ITEMS; index += 1) sink += makeItem(index).tags.length
    },
  },
  {
    name: 'encode, size included',
    count: ITEMS,
    unit: 'item',
    run() {
      for (const item of items) sink += encoder.encode(item).length + encoder.sizeBytes
    },
  },
  {
    name: '  AttributeValues + JSON.stringify',
    count: ITEMS,
    unit: 'item',
    run() {
      for (const item of items) sink += JSON.stringify(toAttributeValues(item)).length
    },
  },
  {
    name: 'size of a number',
    count: ITEMS,
    unit: 'number',
    run() {
      for (const number of numbers) sink += numberSizeBytes(number)
    },
  },
  {
    name: 'hash of a request (SHA-256, 7.4 KB)',
    count: 1,
    unit: 'request',
    run() {
      sink += hash('sha256', requestBody, 'hex').length
    },
  },
  {
    name: 'sign a request, hash included',
    count: 1,
    unit: 'request',
    run() {
      sink += signer.sign(credentials, 'DynamoDB_20120810.BatchWriteItem', requestBody, wallTimeMs).length
    },
  },
  {
    name: 'decode a page',
    count: ITEMS,
    unit: 'item',
    run() {
      decoder.open(pageText, '{"Items":['.length)
      decoder.readItems((item) => {
        sink += item['tags'].length
      })
      decoder.close()
    },
  },
  {
    name: '  JSON.parse + decodeItem',
    count: ITEMS,
    unit: 'item',
    run() {
      for (const item of JSON.parse(pageText).Items) sink += decodeItem(item)['tags'].length
    },
  },
  {
    name: '  JSON.parse alone',
    count: ITEMS,
    unit: 'item',
    run() {
      sink += JSON.parse(pageText).Items.length
    },
  },
  {
    name: 'text of a page from its bytes',
    count: ITEMS,
    unit: 'item',
    run() {
      sink += page.toString('utf8').length
    },
  },
  {
    name: 'checksum of a page (CRC-32)',
    count: ITEMS,
    unit: 'item',
    run() {
      sink += crc32(page) & 1
    },
  },
]

const bench = new Bench({ time: Number(values['time-ms']), warmupTime: 200 })
for (const part of parts) bench.add(part.name, part.run)
await bench.run()

console.log(
  `${Math.round(page.length / ITEMS)} bytes an item as DynamoDB JSON, ${ENTRIES_PER_REQUEST} items a request\n`,
)
const nameWidth = Math.max(...parts.map((part) => part.name.length))
for (const [index, part] of parts.entries()) {
  const result = bench.tasks[index]?.result
  if (result === undefined || !('latency' in result)) throw new Error(`${part.name} did not finish`)
  // The median, since the mean carries the pauses of other programs.
  const micros = (result.latency.p50 * 1_000) / part.count
  console.log(`${part.name.padEnd(nameWidth)}  ${micros.toFixed(3).padStart(8)} µs/${part.unit}`)
}
if (sink === 0) throw new Error('nothing was measured')
