import { FAULTS } from '../../src/simulator/faults.ts'
import { describe } from './checkers.ts'
import { type Result, runSeed } from './run.ts'

// node .build/test/simulation/simulate.js --seeds 10000 [--from 1]   many worlds
// node .build/test/simulation/simulate.js --seed 17                  one of them again, with all that happened
// --stop ends a run with its first failure

const argument = (name: string): number | undefined => {
  const index = process.argv.indexOf(name)
  return index === -1 ? undefined : Number(process.argv[index + 1])
}

function trace({ service, world }: Result): void {
  console.log(JSON.stringify(world, undefined, 2))
  const lines = [
    ...service.log.requests.map((request) => [request.sentAtMs, JSON.stringify(request)] as const),
    ...service.log.writes.map((write) => [write.atMs, `  ${describe(write)}`] as const),
  ]
  for (const [, line] of lines.sort((left, right) => left[0] - right[0])) console.log(line)
}

const one = argument('--seed')
const from = one ?? argument('--from') ?? 1
const seeds = one === undefined ? (argument('--seeds') ?? 1_000) : 1
const startedAt = performance.now()
const faults = new Map<string, number>()
let virtualMs = 0
let failed = 0
let ran = 0
for (let seed = from; seed < from + seeds; seed += 1) {
  const result = await runSeed(seed)
  if (one !== undefined) trace(result)
  ran += 1
  virtualMs += result.virtualMs
  for (const [fault, count] of result.faults) faults.set(fault, (faults.get(fault) ?? 0) + count)
  if (result.failures.length > 0) {
    failed += 1
    console.log(`seed ${seed} (${result.world.job}):`)
    for (const failure of result.failures) console.log(`  ${failure}`)
    console.log(`  replay: node --enable-source-maps .build/test/simulation/simulate.js --seed ${seed}`)
    if (process.argv.includes('--stop')) break
  }
}
const kinds = FAULTS.map((fault) => `${fault} ${faults.get(fault) ?? 0}`).join(', ')
const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1)
const hours = (virtualMs / 3_600_000).toFixed(1)
console.log(`${ran} seeds, ${hours} virtual hours in ${seconds} s; faults: ${kinds}; ${failed} failures`)
process.exitCode = failed === 0 ? 0 : 1
