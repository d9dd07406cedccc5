import { existsSync, mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from '../../src/database/database.ts'
import { startLocal } from '../../src/local/startLocal.ts'
import { KINDS } from './generatedFiles.ts'
import { OtherReader, PACKAGES } from './otherReader.ts'
import { findPython } from './python.ts'
import { runUglyFiles, tooRare } from './runUglyFiles.ts'

// npm run ugly-files -- --seeds 20000 [--from 0]   generated files, loaded by the product and read by Python's libraries
// npm run ugly-files -- --seed 17                  one of them again; its files stay
// --stop ends a run with its first difference

const argument = (name: string): number | undefined => {
  const index = process.argv.indexOf(name)
  if (index === -1) return undefined
  const text = process.argv[index + 1] ?? ''
  if (!/^\d+$/.test(text)) throw new TypeError(`${name} takes a whole number, not "${text}"`)
  return Number(text)
}

const python = findPython(PACKAGES)
if (python === undefined) {
  console.error(`no Python with ${PACKAGES.join(', ')}: node scripts/python.mjs makes one`)
  process.exit(2)
}
const one = argument('--seed')
const from = one ?? argument('--from') ?? 0
const seeds = one === undefined ? (argument('--seeds') ?? 1_000) : 1
const startedAt = performance.now()
// A job waits for the disk at each step, and here that tells nothing.
const directory = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'headrace-ugly-'))
await using store = await startLocal({ kind: 'dynoxide' })
await using database = connect({ endpoint: store.endpoint })
const reader = new OtherReader(python)
const report = await runUglyFiles({
  database,
  endpoint: store.endpoint,
  reader,
  directory,
  from,
  seeds,
  stop: process.argv.includes('--stop'),
  onProgress: (ran) => process.stderr.write(`${ran} seeds\n`),
})
reader.close()
const { differences, counts, ran, reasons, rejectsMended, byCommand } = report
for (const difference of differences.slice(0, 20)) {
  console.log(`${difference}\n  replay: npm run ugly-files -- --seed ${/\d+/.exec(difference)![0]}`)
}
if (differences.length === 0) rmdirSync(directory)
if (one === undefined) {
  const layouts = ['lines', 'array', 'sequence', 'scanOutput', 'csv', 'ion', 'rejects', 'parquet']
  for (const kind of [...layouts, ...KINDS]) console.log(`${counts.get(kind) ?? 0}\t${kind}`)
  for (const [reason, times] of reasons) console.log(`${times}\tmay differ: ${reason}`)
}
const rare = one === undefined ? tooRare(report) : []
for (const kind of rare) console.log(`too rare: ${kind}`)
const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1)
console.log(
  `${ran} seeds in ${seconds} s, ${byCommand} of them by the command, ${rejectsMended} rejects mended; ${differences.length} differences`,
)
process.exitCode = differences.length === 0 && rare.length === 0 ? 0 : 1
