import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect, type Publisher, sharedRate } from '../../src/index.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import type { SimulatedService } from '../../src/simulator/simulatedService.ts'
import type { VirtualClock } from '../../src/simulator/virtualClock.ts'
import { start } from './start.ts'

const BUDGET = 1_000
const WORKERS_MAX = 10

interface Worker {
  readonly publisher: Publisher
  readonly number: number
  readonly notices: string[]
}

interface World {
  readonly clock: VirtualClock
  readonly service: SimulatedService
  /** As a process of its own has it: its own connections, and nothing in common with others but the tables. */
  join(options?: { readonly name?: string; readonly workersMax?: number }): Worker
  /** Writes to `things` in each second from one to another. */
  writes(from: number, to: number): number[]
  /** Of one of the workers alone. */
  writesOf(worker: Worker, from: number, to: number): number[]
  until(second: number): Promise<void>
}

async function startWorld(unitsPerSecond = BUDGET): Promise<World> {
  const capacity = { billing: 'provisioned', writeUnitsPerSecond: 2 * unitsPerSecond, burstSeconds: 0 } as const
  const { clock, service } = await start({}, { table: { capacity } })
  service.addTable({
    name: 'control',
    key: { partition: { name: 'pk', type: 'S' } },
    capacity: { billing: 'on demand' },
  })
  const offsetMs = clock.wallNow() - clock.now()
  const first = Math.ceil(clock.wallNow() / 1_000) * 1_000 - offsetMs
  let joined = 0
  const bySecond = (from: number, to: number, isWanted: (pk: string) => boolean): number[] => {
    const counts = Array.from({ length: to - from }, () => 0)
    for (const { table, key, atMs } of service.log.writes) {
      const second = Math.floor((atMs - first) / 1_000)
      if (table === 'things' && second >= from && second < to && isWanted(`${key}`)) counts[second - from]! += 1
    }
    return counts
  }
  return {
    clock,
    service,
    join({ name = 'job', workersMax = WORKERS_MAX } = {}) {
      const number = joined
      joined += 1
      const database = connect({
        endpoint: 'http://localhost:1',
        transport: service,
        clock,
        random: seededRandom(100 + number),
      })
      const notices: string[] = []
      const publisher = database.table('things').publisher({
        sharedWriteRate: sharedRate(database.table('control'), {
          name,
          unitsPerSecond,
          workersMax,
          onNotice: (text) => notices.push(text),
        }),
      })
      putSome(publisher, `w${number}-`).catch(() => undefined)
      return { publisher, number, notices }
    },
    writes: (from, to) => bySecond(from, to, () => true),
    writesOf: ({ number }, from, to) => bySecond(from, to, (key) => key.includes(`w${number}-`)),
    until: (second) =>
      clock.run(
        new Promise<void>((resolve) => {
          clock.setTimer(resolve, first + second * 1_000 - clock.now())
        }),
      ),
  }
}

/** For ever, as producers should. */
async function putSome(publisher: Publisher, prefix: string): Promise<void> {
  for (let index = 0; ; index += 1) {
    if (!publisher.put({ pk: `${prefix}${index}` })) await publisher.ready
  }
}

function checkSeconds(counts: readonly number[], least = 950): void {
  for (const [second, count] of counts.entries()) {
    assert.ok(count <= BUDGET && count >= least, `${count} units in second ${second} of ${counts.join(' ')}`)
  }
}

test('workers that come, go and die spend 1,000 units a second together, and no second more', async () => {
  const world = await startWorld()
  const workers = Array.from({ length: 6 }, () => world.join())
  await world.until(5)
  const late = Array.from({ length: 4 }, () => world.join())
  await world.until(9)
  // At once, as processes that are killed.
  for (const { publisher } of late) publisher.destroy()
  await world.until(14)
  // One is left: it gets what the others leave.
  for (const { publisher } of workers.slice(1)) publisher.destroy()
  await world.until(20)
  const counts = world.writes(1, 20)
  // What those who went had got, a batch each, is lost in that second.
  checkSeconds(counts.slice(8, 9), 950 - 4 * 25)
  checkSeconds(counts.slice(13, 14), 950 - 5 * 25)
  checkSeconds([...counts.slice(0, 8), ...counts.slice(9, 13), ...counts.slice(14)])
  const shares = workers.map((worker) => world.writesOf(worker, 6, 9).reduce((sum, count) => sum + count, 0))
  assert.ok(Math.min(...shares) > 150 && Math.max(...shares) < 600, `of 3,000 units: ${shares.join(' ')}`)
  checkSeconds(world.writesOf(workers[0]!, 15, 20))
})

test('without the control table each spends its share, says so, and shares again when it is back', async () => {
  const world = await startWorld()
  const workers = [world.join(), world.join()]
  await world.until(4)
  world.service.tables.get('control')!.status = 'DELETING'
  await world.until(10)
  const control = world.service.tables.get('control')!
  control.status = 'ACTIVE'
  await world.until(20)
  checkSeconds(world.writes(1, 4))
  // Two of at most ten.
  for (const count of world.writes(7, 10)) assert.ok(count >= 150 && count <= 200, `${world.writes(4, 10)}`)
  checkSeconds(world.writes(16, 20))
  assert.deepEqual(
    workers.map(({ notices }) => notices.map((text) => text.replace(/\(.*\)/, ''))),
    Array.from({ length: 2 }, () => [
      'the control table control does not answer ; until it does, this process uses its share of 100 units/s',
      'the control table control answers again: the rate is shared',
    ]),
  )
})

/** Of counters of five seconds, which begin a second before one that divides by five: the rate in all of them, and at most half as much again in one. */
function checkWindow(counts: readonly number[], unitsPerSecond: number, least = 0.92): void {
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length
  assert.ok(mean <= unitsPerSecond && mean >= least * unitsPerSecond, `${mean} units a second: ${counts.join(' ')}`)
  for (const count of counts) assert.ok(count <= 1.5 * unitsPerSecond, `${counts.join(' ')} units`)
}

test('of many workers each asks little more than once a second, and one that is left spends all counters', async () => {
  const world = await startWorld(1_500)
  const workers = Array.from({ length: 60 }, () => world.join({ workersMax: 900 }))
  await world.until(3)
  const requests = (): number => world.service.log.requests.filter(({ operation }) => operation === 'UpdateItem').length
  const before = requests()
  await world.until(5)
  const asked = (requests() - before) / 2
  assert.ok(asked < 150, `${asked} requests a second to the control table`)
  await world.until(9)
  checkWindow(world.writes(4, 9), 1_500)
  // Nor do all ask when a window begins: a control table that is new on demand would throttle two thousand that do.
  const perTenth = new Map<number, number>()
  for (const { operation, sentAtMs } of world.service.log.requests) {
    if (operation !== 'UpdateItem' || sentAtMs < 3_000) continue
    const tenth = Math.floor(sentAtMs / 100)
    perTenth.set(tenth, (perTenth.get(tenth) ?? 0) + 1)
  }
  const most = Math.max(...perTenth.values())
  assert.ok(most <= 25, `${most} of ${workers.length} workers asked within a tenth of a second`)
  for (const { publisher } of workers.slice(1)) publisher.destroy()
  // Its own limiter has to find out first that there is more.
  await world.until(19)
  checkWindow(world.writesOf(workers[0]!, 14, 19), 1_500, 0.8)
})

test('many workers spread over several counters, and two rates of other names have nothing in common', async () => {
  const world = await startWorld()
  for (let count = 0; count < 20; count += 1) world.join({ workersMax: 1_000 })
  await world.until(9)
  checkWindow(world.writes(4, 9), BUDGET, 0.9)
  world.join({ name: 'another' })
  await world.until(14)
  checkWindow(world.writes(9, 14), 2 * BUDGET, 0.9)
})
