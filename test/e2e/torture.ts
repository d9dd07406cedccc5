// The same as torture.test.ts, of any size: npm run torture -- --items 1000000 [--seed N] [--write-units N]
import { parseArgs } from 'node:util'
import { runTorture } from './tortureRun.ts'

const { values } = parseArgs({
  options: {
    items: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    'write-units': { type: 'string', default: '6000' },
  },
})
const items = Number(values.items)
const beganAt = performance.now()
const { steps, lost, wrong, strange, gateway, network, dnsFailures } = await runTorture({
  items,
  seed: Number(values.seed),
  writeUnitsPerSecond: Number(values['write-units']),
  events: 'again and again',
  stallShare: 0.0005,
  onStep: ({ verb, code, seconds, said, stderr }) => {
    const done = said.written ?? said.count
    console.log(
      `${verb.padEnd(10)} exit ${code}, ${seconds.toFixed(1)} s${done === undefined ? '' : `, ${done} items`}`,
    )
    if (code !== 0) console.log(stderr.slice(-2_000), JSON.stringify(said).slice(0, 2_000))
  },
})
const failed = steps.filter(({ code }) => code !== 0).length
console.log(
  [
    `items lost: ${lost} of ${items}; with a wrong value or not visited exactly once: ${wrong}; that nobody asked for: ${strange}`,
    `requests ${gateway.requests}: ${words(gateway.requestsByOperation)}`,
    `throttled ${gateway.throttledRequests} requests and ${gateway.throttledItems} items of others; acknowledged ${gateway.acknowledgedWrites} writes`,
    `faults of the service: ${words(gateway.faults)}`,
    `faults of the network: ${words({ ...network })}; of the name server: ${dnsFailures}`,
    `${((performance.now() - beganAt) / 1_000).toFixed(0)} s in all`,
  ].join('\n'),
)
process.exitCode = lost + wrong + strange + failed === 0 ? 0 : 1

function words(counts: { readonly [name: string]: number }): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ')
}
