// The same as kills.test.ts, as often as wanted: npm run kills -- --kills 300 [--items 20000] [--seed N] [--verb load]
import { parseArgs } from 'node:util'
import { runKills, VERBS, type Verb } from './killsRun.ts'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    items: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    verb: { type: 'string', multiple: true },
  },
})
const beganAt = performance.now()
const jobs = await runKills({
  kills: Number(values.kills),
  items: Number(values.items),
  seed: Number(values.seed),
  ...(values.verb === undefined ? {} : { verbs: values.verb as Verb[] }),
  onJob: ({ verb, kills, redone, faults }) => {
    console.log(
      `${verb.padEnd(7)} ${kills} kills, ${words(redone)}${faults.length === 0 ? '' : `: ${faults.join('; ')}`}`,
    )
  },
})
const kills = jobs.reduce((sum, job) => sum + job.kills, 0)
const faults = jobs.flatMap((job) => job.faults)
for (const verb of VERBS) {
  const redone = jobs.filter((job) => job.verb === verb).flatMap((job) => job.redone)
  if (redone.length > 0) console.log(`${verb}: ${redone.length} kills, ${words(redone)}`)
}
console.log(
  `${kills} kills of ${jobs.length} jobs of ${values.items} records in ${((performance.now() - beganAt) / 1_000).toFixed(0)} s: ${faults.length} faults`,
)
process.exitCode = faults.length === 0 ? 0 : 1

function words(redone: readonly number[]): string {
  if (redone.length === 0) return 'nothing redone'
  const sorted = [...redone].sort((left, right) => left - right)
  return `writes redone: median ${sorted[sorted.length >> 1]}, most ${sorted.at(-1)}`
}
