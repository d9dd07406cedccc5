// npm run slices: an update in ten slices, each a process, that share 1,000 write units a second: two begin late, two are killed and begun
// again. Prints what came to the store in each second, and fails where something is not as it should be.
import { parseArgs } from 'node:util'
import { runSlices } from './slicesRun.ts'

const { values } = parseArgs({ options: { items: { type: 'string', default: '30000' } } })
const UNITS = 1_000
const SLICES = 10
/** Seconds until ten processes of Node run on two cores. */
const STARTING = 4

const { seconds, killedIn, lastAlone, faults } = await runSlices({
  items: Number(values.items),
  unitsPerSecond: UNITS,
  slices: SLICES,
  late: 2,
  killed: 2,
})
const found = [...faults]
for (const [second, units] of seconds.entries()) {
  const isEdge = second < STARTING || second === seconds.length - 1
  const note = [
    ...(isEdge ? [second < STARTING ? 'processes start' : 'not all of this second'] : []),
    ...(killedIn.has(second) ? ['a process was killed'] : []),
    ...(lastAlone.has(second) ? ['one slice was left'] : []),
  ]
  console.log(
    `second ${`${second}`.padStart(2)}: ${`${units}`.padStart(4)} units${note.length === 0 ? '' : `  (${note})`}`,
  )
  if (units > UNITS) found.push(`second ${second}: ${units} units, more than ${UNITS}`)
  if (!isEdge && !killedIn.has(second) && units < 0.95 * UNITS)
    found.push(`second ${second}: ${units} units, less than 95 % of ${UNITS}`)
}
for (const fault of found) console.log(fault)
console.log(found.length === 0 ? 'all as it should be' : `${found.length} things are not as they should be`)
process.exitCode = found.length === 0 ? 0 : 1
