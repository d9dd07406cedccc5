import { FAULTS } from '../../src/simulator/faults.ts'
import { describe } from './checkers.ts'
import { type Result, runSeed, TROUBLES, TROUBLES_OF_LIVES } from './run.ts'
import { rangesOf, runSeeds, type SeedReport } from './runSeeds.ts'

// node .build/test/simulation/simulate.js --seeds 10000 [--from 1]   many worlds, on all processors
// node .build/test/simulation/simulate.js --seed 17                  one of them again, with all that happened
// --lives: jobs with a directory, whose process or machine goes down again and again
// --stop ends a run with its first failure

const argument = (name: string): number | undefined => {
  const index = process.argv.indexOf(name)
  if (index === -1) return undefined
  const text = process.argv[index + 1] ?? ''
  if (!/^\d+$/.test(text)) throw new TypeError(`${name} takes a whole number, not "${text}"`)
  return Number(text)
}

function trace({ service, world }: Result): void {
  console.log(JSON.stringify(world, undefined, 2))
  const lines = [
    ...service.log.requests.map((request) => [request.sentAtMs, JSON.stringify(request)] as const),
    ...service.log.writes.map((write) => [write.atMs, `  ${describe(write)}`] as const),
  ]
  for (const [, line] of lines.sort((left, right) => left[0] - right[0])) console.log(line)
}

async function replay(seed: number): Promise<SeedReport> {
  const result = await runSeed(seed, suite)
  trace(result)
  const { world, virtualMs, failures } = result
  const failed = failures.length === 0 ? [] : [{ seed, job: world.job, failures }]
  return { ran: 1, virtualMs, faults: Object.fromEntries(result.faults), failed }
}

const one = argument('--seed')
const suite = process.argv.includes('--lives') ? 'lives' : 'worlds'
const ranges = rangesOf(argument('--from') ?? 1, argument('--seeds') ?? 1_000, suite)
const startedAt = performance.now()
const stop = process.argv.includes('--stop')
const { ran, virtualMs, faults, failed } = one === undefined ? await runSeeds({ ranges, stop }) : await replay(one)
for (const { seed, job, failures } of failed) {
  console.log(`seed ${seed} (${job}):`)
  for (const failure of failures) console.log(`  ${failure}`)
  console.log(
    `  replay: node --enable-source-maps .build/test/simulation/simulate.js ${suite === 'lives' ? '--lives ' : ''}--seed ${seed}`,
  )
}
const names = [...FAULTS, ...TROUBLES, ...(suite === 'lives' ? TROUBLES_OF_LIVES : [])]
const kinds = names.map((fault) => `${fault} ${faults[fault] ?? 0}`).join(', ')
const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1)
const hours = (virtualMs / 3_600_000).toFixed(1)
console.log(`${ran} seeds, ${hours} virtual hours in ${seconds} s; faults: ${kinds}; ${failed.length} failures`)
process.exitCode = failed.length === 0 ? 0 : 1
