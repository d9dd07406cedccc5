// Tortures a visitor: the real engine, a simulated DynamoDB that throttles, loses answers and fails, an application that
// writes to the same items meanwhile, hours in virtual time. `node .build/examples/torture.js 20` runs twenty seeds.
import { argv } from 'node:process'
import { fileURLToPath } from 'node:url'
import { connect, type Edit, type PlainItem, updateAll } from 'headrace'
import { SimulatedService, seededRandom, VirtualClock } from 'headrace/simulator'

const ITEMS = 2_000

/** The visitor that is tried. It must bear being asked twice for one item, and being asked for an item that is done. */
function addTier(user: PlainItem): Edit {
  return user['tier'] === undefined ? { set: { tier: user['orders'] > 50 ? 'gold' : 'basic' } } : undefined
}

/** What came of one seed. */
export interface Outcome {
  /** Items that did not get what the visitor asked for, or lost what the application wrote. */
  readonly lost: readonly string[]
  readonly conflicts: number
  readonly requests: number
  readonly faults: number
  readonly virtualSeconds: number
}

export async function torture(seed: number): Promise<Outcome> {
  const clock = new VirtualClock()
  const random = seededRandom(seed)
  const service = new SimulatedService({
    clock,
    random: seededRandom(seed + 1),
    faults: {
      shares: { 'reset after': 0.03, 'reset before': 0.03, 'error after': 0.03, 'stall after': 0.01, throttle: 0.1 },
      partFailureShare: 0.05,
    },
  })
  const table = service.addTable({
    name: 'users',
    key: { partition: { name: 'id', type: 'S' } },
    capacity: { billing: 'provisioned', readUnitsPerSecond: 50, writeUnitsPerSecond: 100, burstSeconds: 0 },
  })
  table.fill(
    Array.from({ length: ITEMS }, (_, index) => ({ id: { S: `user${index}` }, orders: { N: `${index % 100}` } })),
  )
  const database = connect({ endpoint: 'http://localhost:1', transport: service, clock, random })

  // The application counts orders, twenty times a second, and promotes some users by itself.
  const ordered = new Map<string, number>()
  let over = false
  const order = (): void => {
    if (over) return
    const id = `user${Math.floor(random() * ITEMS)}`
    ordered.set(id, (ordered.get(id) ?? 0) + 1)
    service.writeFromBeside('users', { id: { S: id } }, (user) => {
      const promoted = random() < 0.2 ? { tier: { S: 'gold' } } : {}
      return { ...user, orders: { N: `${Number(user?.['orders']?.['N']) + 1}` }, ...promoted }
    })
    clock.setTimer(order, 50)
  }
  order()
  const job = updateAll(database.table('users'), addTier).run()
  const summary = await clock.run(job.finally(() => (over = true)))
  await clock.run(database.close())

  const lost: string[] = []
  for (const [, user] of table.entries()) {
    const id = `${user['id']?.['S']}`
    const orders = (Number(id.slice('user'.length)) % 100) + (ordered.get(id) ?? 0)
    if (user['tier'] === undefined || user['orders']?.['N'] !== `${orders}`) lost.push(id)
  }
  if (table.size !== ITEMS) lost.push(`${ITEMS - table.size} items`)
  const faults = service.log.requests.filter(({ fault }) => fault !== '').length
  return {
    lost,
    conflicts: summary.conflicts,
    requests: service.log.requests.length,
    faults,
    virtualSeconds: clock.now() / 1_000,
  }
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const seeds = Number(argv[2] ?? 5)
  for (let seed = 1; seed <= seeds; seed += 1) {
    const { lost, conflicts, requests, faults, virtualSeconds } = await torture(seed)
    console.log(
      `seed ${seed}: ${lost.length} lost of ${ITEMS} items, ${conflicts} conflicts, ${faults} faults in ${requests} requests, ` +
        `${virtualSeconds.toFixed(0)} s of virtual time`,
    )
    if (lost.length > 0) process.exitCode = 1
  }
}
