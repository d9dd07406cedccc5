import { runSeed } from './run.ts'
import type { SeedRange, SeedReport } from './runSeeds.ts'

// One of the processes that `runSeeds` starts: runs the seeds that it is sent, and says what came of them.

process.on('message', (range: SeedRange) => {
  void run(range).then((report) => process.send!(report))
})

async function run({ from, count, suite }: SeedRange): Promise<SeedReport> {
  const faults: { [fault: string]: number } = {}
  const failed: SeedReport['failed'][number][] = []
  let virtualMs = 0
  for (let seed = from; seed < from + count; seed += 1) {
    const result = await runSeed(seed, suite)
    virtualMs += result.virtualMs
    for (const [fault, times] of result.faults) faults[fault] = (faults[fault] ?? 0) + times
    if (result.failures.length > 0) failed.push({ seed, job: result.world.job, failures: result.failures })
  }
  return { ran: count, virtualMs, faults, failed }
}
