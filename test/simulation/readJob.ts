import { count, HeadraceError } from '../../src/index.ts'
import { canonicalText } from '../../src/simulator/attributes.ts'
import { checkEnd } from './checkers.ts'
import { startModel } from './publishJob.ts'
import { wireOf } from './records.ts'
import type { Run } from './run.ts'

/** A scan or a count of a table that nobody changes: everything, once. */
export async function runRead(run: Run): Promise<void> {
  const { world, clock, table, failures } = run
  const model = startModel(run)
  const startedAtMs = clock.now()
  const filtered = run.random() < 0.5
  const expected = [...model.values()].filter((item) => !filtered || item['group'] !== undefined)
  const options = {
    segments: world.segments,
    concurrency: world.concurrency,
    ...(filtered ? { filter: 'attribute_exists(group)' } : {}),
  }
  const { patienceMs } = world.options
  const patience = patienceMs === undefined || world.job === 'count' ? {} : { patienceMs }
  try {
    if (world.job === 'count') {
      const { count: found, scannedCount, stats } = await count(table, options)
      failures.same('counted', found, expected.length)
      failures.same('looked at', scannedCount, model.size)
      run.said.push(stats)
      checkStats(run, stats)
    } else {
      const scan = table.scan({ ...options, ...patience, pageItemsMax: world.pageItemsMax })
      const seen = new Map<string, number>()
      for await (const item of scan) {
        const text = canonicalText(wireOf(item))
        seen.set(text, (seen.get(text) ?? 0) + 1)
      }
      for (const item of expected)
        failures.same(`times that ${canonicalText(item).slice(0, 80)} came`, seen.get(canonicalText(item)), 1)
      failures.same('items', seen.size, expected.length)
      checkStats(run, scan.stats)
    }
  } catch (error) {
    run.said.push(error)
    if (world.hopeless === undefined) throw error
    const code = error instanceof HeadraceError ? error.code : `${error}`
    // Faults may wear out its patience before it hears that the table is gone; a stalled request alone takes ten seconds.
    const gone = world.hopeless.why === 'table gone'
    const right = !gone ? ['NO_PROGRESS'] : world.quietAtMs > 0 ? ['TABLE', 'NO_PROGRESS'] : ['TABLE']
    failures.holds(`gave up because of ${code}, not ${right[0]}`, right.includes(code))
    return
  }
  checkEnd(run, startedAtMs, model.size * 10 * (world.latency.medianMs ?? 10))
}

function checkStats({ service, failures, world }: Run, stats: { requests: number; readUnits: number }): void {
  const scans = service.log.requests.filter(({ operation }) => operation === 'Scan')
  if (world.sessionOver === undefined) failures.same('requests', stats.requests, scans.length)
  const answered = scans.filter(({ answeredAtMs, error }) => answeredAtMs !== undefined && error === '')
  failures.same(
    'read units',
    stats.readUnits,
    answered.reduce((sum, { readUnits }) => sum + readUnits, 0),
  )
}
