import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'

/** Peak memory of a short publish and of one ten times as long, each in its own process; ends with 1 over the limit. */
const { values } = parseArgs({
  options: {
    items: { type: 'string', default: '1000000' },
    times: { type: 'string', default: '10' },
    limit: { type: 'string', default: '1.2' },
  },
})
const program = fileURLToPath(new URL('./tenMillion.js', import.meta.url))

async function peakRssMegabytes(items: number): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, [program, `--items=${items}`, '--json'])
  const result: { peakRssMegabytes: number } = JSON.parse(stdout)
  console.log(`${items.toLocaleString('en')} items: peak RSS ${result.peakRssMegabytes.toFixed(0)} MB`)
  return result.peakRssMegabytes
}

const itemsShort = Number(values.items.replaceAll('_', ''))
const peakShort = await peakRssMegabytes(itemsShort)
const peakLong = await peakRssMegabytes(itemsShort * Number(values.times))
const ratio = peakLong / peakShort
console.log(`ratio ${ratio.toFixed(2)}, limit ${values.limit}`)
if (ratio > Number(values.limit)) process.exitCode = 1
