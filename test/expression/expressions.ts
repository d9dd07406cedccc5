import { connect } from '../../src/database/database.ts'
import { startLocal } from '../../src/local/startLocal.ts'
import { OPERATORS, TYPES } from './generatedFilters.ts'
import { runFilters, tooRare } from './runFilters.ts'

// npm run expressions -- --seeds 200000 [--from 0]   generated filters, asked of the store and of the product
// npm run expressions -- --seed 17                   one of them again
// --stop ends a run with its first difference
//
// Where the embedded store and DynamoDB are known to differ, DynamoDB is followed, and the generator leaves it out:
//
// | what | dynoxide 1.2 | DynamoDB, followed here |
// |---|---|---|
// | an operand that is compared with itself, `a = a` | takes it, but for `contains` | refuses it; so does the parser |
// | `<` and `BETWEEN` with true, false or null | takes it, and holds never | refuses it; so does the parser |
// | names of functions in capitals | takes them | refuses them; they are written small for it |

const argument = (name: string): number | undefined => {
  const index = process.argv.indexOf(name)
  if (index === -1) return undefined
  const text = process.argv[index + 1] ?? ''
  if (!/^\d+$/.test(text)) throw new TypeError(`${name} takes a whole number, not "${text}"`)
  return Number(text)
}

const one = argument('--seed')
const from = one ?? argument('--from') ?? 0
const seeds = one === undefined ? (argument('--seeds') ?? 10_000) : 1
const startedAt = performance.now()
await using store = await startLocal({ kind: 'dynoxide' })
await using database = connect({ endpoint: store.endpoint })
const report = await runFilters({
  database,
  from,
  seeds,
  stop: process.argv.includes('--stop'),
  onProgress: (ran) => process.stderr.write(`${ran} seeds\n`),
})
const { differences, counts, ran, simulated } = report
for (const difference of differences.slice(0, 20)) {
  console.log(`${difference}\n  replay: npm run expressions -- --seed ${/\d+/.exec(difference)![0]}`)
}
if (one === undefined) {
  const columns = [...TYPES, 'missing', 'same type', 'other type', 'missing counterpart']
  console.log(['', ...columns].join('\t'))
  for (const operator of [...OPERATORS, 'size']) {
    console.log([operator, ...columns.map((column) => counts.get(`${operator} ${column}`) ?? 0)].join('\t'))
  }
}
const rare = one === undefined ? tooRare(report) : []
for (const kind of rare) console.log(`too rare: ${kind}`)
const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1)
console.log(
  `${ran} seeds in ${seconds} s, ${simulated} of them asked of the simulator too; ${differences.length} differences`,
)
process.exitCode = differences.length === 0 && rare.length === 0 ? 0 : 1
