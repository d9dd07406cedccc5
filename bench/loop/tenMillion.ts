import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { makeItem, TABLE } from '../items.ts'
import { startNullServer } from '../startNullServer.ts'
import { headraceClient } from './headraceClient.ts'

/**
 * Publishes ten million items with 20,000 in flight and a queue of 10,000, and asks the server how many arrived.
 * Ends with 1 if it was not exactly that many.
 */
const { values } = parseArgs({
  options: {
    items: { type: 'string', default: '10000000' },
    tls: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})
const items = Number(values.items.replaceAll('_', ''))
if (!Number.isSafeInteger(items) || items < 1) throw new TypeError(`--items ${values.items}: say a whole number from 1`)

const server = await startNullServer({ tls: values.tls })
try {
  const db = headraceClient({
    endpoint: server.endpoint,
    certificateAuthority: server.caFile === undefined ? undefined : readFileSync(server.caFile, 'utf8'),
  })
  const publisher = await db.table(TABLE).publisher({ maxInFlight: 20_000, maxQueueSize: 10_000 })
  const startMs = performance.now()
  for (let index = 0; index < items; index += 1) {
    if (!publisher.put(makeItem(index))) await publisher.ready
  }
  await publisher.close()
  const seconds = (performance.now() - startMs) / 1_000
  await db.close()

  const counted = (await server.counts()).puts
  const { user, system } = process.cpuUsage()
  const result = {
    items,
    counted,
    seconds,
    itemsPerSecond: items / seconds,
    cpuMicrosPerItem: (user + system) / items,
    peakRssMegabytes: process.resourceUsage().maxRSS / 1_024,
  }
  if (values.json) {
    console.log(JSON.stringify(result))
  } else {
    console.log(
      `${items.toLocaleString('en')} items in ${seconds.toFixed(1)} s ` +
        `(${Math.round(result.itemsPerSecond).toLocaleString('en')} items/s), ` +
        `peak RSS ${Math.round(result.peakRssMegabytes)} MB, the server counted ${counted.toLocaleString('en')}`,
    )
  }
  if (counted !== items) {
    console.error(`${items} items were published, but the server counted ${counted}`)
    process.exitCode = 1
  }
} finally {
  await server.stop()
}
