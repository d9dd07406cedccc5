import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { connect, updateAll } from '../index.ts'
import { formatCount, formatDuration } from '../report/figures.ts'
import { tableText } from '../report/tableText.ts'
import { type ThroughputPanel, throughputChart } from '../report/throughputChart.ts'
import { counted } from '../runtime/counted.ts'
import { formatUnitRate } from '../runtime/units.ts'
import { type Drive, runScenario, type Scenario } from '../simulator/scenario.ts'
import { percent } from './scenarioPanel.ts'
import { Talk, type TalkOptions } from './talk.ts'

export interface CapacityFlags extends TalkOptions {
  readonly items: number
  readonly itemBytes: number
  readonly units: readonly number[]
  readonly rate: `${number}%` | number
  readonly seed: number
  readonly out: string
}

/** One job ends long before. */
const VIRTUAL_MS_MAX = 30 * 24 * 3_600_000
/** Points of a picture, however long a job is. */
const STEPS = 200

/** The same job on tables that are provisioned with more and more, in virtual time. */
export async function benchCapacity(flags: CapacityFlags): Promise<void> {
  const { items, itemBytes, units, rate, seed, out } = flags
  const talk = new Talk(flags)
  const series = []
  for (const unitsPerSecond of units) {
    const scenario: Scenario = {
      name: `${unitsPerSecond}`,
      title: '',
      capacity: { billing: 'provisioned', readUnitsPerSecond: unitsPerSecond, writeUnitsPerSecond: unitsPerSecond },
      items: { order: { kind: 'shuffled' }, itemBytes },
      itemsThere: items,
      durationMs: VIRTUAL_MS_MAX,
      phases: [],
    }
    // About as many steps whatever the units: an item of up to a kilobyte is one.
    const perItem = Math.ceil(itemBytes / 1_024)
    const stepMs = Math.max(1_000, Math.round((items * perItem) / unitsPerSecond / STEPS) * 1_000)
    const beganAt = performance.now()
    const { series: seen, counts, client, endedAtMs } = await runScenario(scenario, update(rate), { seed, stepMs })
    const throttled = (counts.throttledRequests + counts.partlyThrottledRequests) / counts.requests
    const one = {
      unitsPerSecond,
      durationMs: endedAtMs,
      itemsPerSecond: (client.stored / endedAtMs) * 1_000,
      requests: counts.requests,
      throttledShare: throttled,
    }
    series.push({ ...one, seen })
    talk.event('capacity', one)
    talk.say(
      `${formatUnitRate(unitsPerSecond, 'write')}: ${formatDuration(endedAtMs)} of virtual time in ${formatDuration(performance.now() - beganAt)}`,
    )
  }
  const durationMs = Math.max(...series.map((one) => one.durationMs))
  const panels = series.map(
    (one): ThroughputPanel => ({
      name: formatUnitRate(one.unitsPerSecond, 'write'),
      note: `${formatDuration(one.durationMs)} · throttled ${percent(one.throttledShare)}`,
      ...one.seen,
      allowed: one.seen.used.map(() => undefined),
    }),
  )
  const limit = typeof rate === 'number' ? formatUnitRate(rate, 'write') : `${rate} of a provisioned table`
  const title = `Adding an attribute to ${counted(items, 'item')}, at most ${limit}`
  await mkdir(out, { recursive: true })
  await writeFile(join(out, 'capacity.svg'), throughputChart({ title, events: [], durationMs, panels }))
  const figures = series.map(({ seen, ...one }) => ({ ...one, stepMs: seen.stepMs, used: seen.used }))
  await writeFile(join(out, 'capacity.json'), `${JSON.stringify({ items, itemBytes, rate, series: figures })}\n`)
  if (flags.json !== true) {
    const rows = series.map((one) => [
      formatCount(one.unitsPerSecond),
      formatDuration(one.durationMs),
      formatCount(one.itemsPerSecond),
      percent(one.throttledShare),
    ])
    process.stdout.write(`${tableText([['WCU/s', 'time', 'items/s', 'throttled'], ...rows])}\n`)
  }
  talk.say(`\nFigures: ${join(out, 'capacity.json')}, chart: ${join(out, 'capacity.svg')}`)
}

/** The first story's job, as `headrace update --set` does it. */
function update(rate: `${number}%` | number): Drive {
  return async ({ service, clock, random }) => {
    const database = connect({
      endpoint: 'https://dynamodb.us-east-1.amazonaws.com',
      region: 'us-east-1',
      credentials: { accessKeyId: 'simulated', secretAccessKey: 'simulated' },
      transport: service,
      clock,
      random,
    })
    try {
      const job = updateAll(
        database.table('things'),
        { set: { tier: 'basic' } },
        {
          readUnitsPerSecond: rate,
          writeUnitsPerSecond: rate,
        },
      )
      const { read, written, rejected } = await job.run()
      return { taken: read, stored: written, lost: rejected }
    } finally {
      await database.close()
    }
  }
}
