import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'

// npm run growth: time, CPU time and peak memory of publishing more and more items to a null server, each in a process of its own. Ends
// with 1 where the largest takes more memory than a fifth more than that of a million, or where an item of it takes a half more of CPU.
const { values } = parseArgs({
  options: {
    items: { type: 'string', default: '100000,1000000,10000000,100000000' },
    limit: { type: 'string', default: '1.2' },
  },
})
const program = fileURLToPath(new URL('./loop/tenMillion.js', import.meta.url))

interface Run {
  readonly items: number
  readonly seconds: number
  readonly cpuMicrosPerItem: number
  readonly peakRssMegabytes: number
}

async function run(items: number): Promise<Run> {
  const { stdout } = await promisify(execFile)(process.execPath, [program, `--items=${items}`, '--json'])
  const result: Run = JSON.parse(stdout)
  console.log(
    `${items.toLocaleString('en')} items: ${result.seconds.toFixed(1)} s, ${result.cpuMicrosPerItem.toFixed(2)} µs of CPU an item, ` +
      `peak RSS ${result.peakRssMegabytes.toFixed(0)} MB`,
  )
  return result
}

const runs: Run[] = []
for (const text of values.items.split(',')) runs.push(await run(Number(text.replaceAll('_', ''))))
// Below a million the start of the process is most of it.
const [first, last] = [runs.find(({ items }) => items >= 1_000_000), runs.at(-1)]
if (first !== undefined && last !== undefined && last !== first) {
  const memory = last.peakRssMegabytes / first.peakRssMegabytes
  const time = last.cpuMicrosPerItem / first.cpuMicrosPerItem
  console.log(
    `memory ${memory.toFixed(2)} of that of ${first.items.toLocaleString('en')}, CPU an item ${time.toFixed(2)}`,
  )
  if (memory > Number(values.limit) || time > 1.5) process.exitCode = 1
}
