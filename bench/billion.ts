import { execFile } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { SegmentLedger } from '../src/operations/segmentLedger.ts'
import type { RawPage } from '../src/scan/page.ts'
import { chooseSegments, segmentOrder } from '../src/scan/segmentOrder.ts'
import { ITEMS_PER_PAGE, SEGMENTS } from './items.ts'
import { startNullServer } from './startNullServer.ts'

// npm run billion: what a job keeps of a table of a billion items while it reads all of them: which segments it is cut into, what is settled
// of each, the checkpoint that is written four times a second, and the progress that people see. Pages are made and not read.
const { values } = parseArgs({
  options: {
    items: { type: 'string', default: '1000000000' },
    'item-bytes': { type: 'string', default: '1000' },
    'page-items': { type: 'string', default: '1000' },
  },
})

const items = Number(values.items.replaceAll('_', ''))
const pageItems = Number(values['page-items'])
const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const PEAK_MEMORY = new URL('../test/support/peakMemory.js', import.meta.url).href
const PEAK_MEMORY_FILE = join(tmpdir(), `headrace-billion-${process.pid}`)
const CONCURRENCY = 128
const KEY = '{"pk":{"S":"00000000-0000-4000-8000-000000000000"},"sk":{"S":"00000000-0000-4000-8000-000000000000"}}'
const CHECKPOINTS = 1_000

const segments = chooseSegments(items * Number(values['item-bytes']), items, CONCURRENCY)
const passed = { written: 0, overwritten: 0, skipped: 0, rejected: 0, filtered: 0 }
const ledger = new SegmentLedger({
  segments,
  keyNames: ['pk', 'sk'],
  from: undefined,
  survivorsOnly: false,
  passed,
  onReject: () => undefined,
  itemsTold: items,
})
const list = new Array(pageItems).fill({})
const pagesPerSegment = Math.ceil(items / segments / pageItems)
const order = segmentOrder(segments)

/** What the ledger looks at of a page. */
function page(segment: number, isLast: boolean): RawPage {
  return {
    segment,
    items: list,
    cursor: isLast ? undefined : KEY,
    scannedCount: pageItems,
    rawAttribute: () => '"x"',
    rawNames: () => [],
    rawBytes: () => 0,
  } as unknown as RawPage
}

let checkpointBytesMax = 0
let checkpointMsMax = 0
let progressMsMax = 0
let settled = 0
let nextCheckpoint = 0
const shares: number[] = []

function lookAt(): void {
  const beganAt = performance.now()
  const text = JSON.stringify(ledger.positions())
  checkpointMsMax = Math.max(checkpointMsMax, performance.now() - beganAt)
  checkpointBytesMax = Math.max(checkpointBytesMax, text.length)
  const lookedAt = performance.now()
  shares.push(ledger.share)
  void ledger.oldest
  progressMsMax = Math.max(progressMsMax, performance.now() - lookedAt)
}

const startMs = performance.now()
const before = process.cpuUsage()
// As many segments side by side as a job reads, a page of each in turn, and of a page the later items first: gaps in front are the rule.
const open: { segment: number; pages: number }[] = []
let begun = 0
while (begun < segments || open.length > 0) {
  while (open.length < CONCURRENCY && begun < segments) open.push({ segment: order[begun++]!, pages: 0 })
  for (let index = open.length - 1; index >= 0; index -= 1) {
    const one = open[index]!
    one.pages += 1
    const isLast = one.pages === pagesPerSegment
    const opened = ledger.open(page(one.segment, isLast))
    for (let item = pageItems - 1; item >= 0; item -= 1) ledger.settle(opened, item, 'written')
    settled += pageItems
    if (isLast) open.splice(index, 1)
  }
  if (settled >= nextCheckpoint) {
    lookAt()
    nextCheckpoint += items / CHECKPOINTS
  }
}
lookAt()
const { user, system } = process.cpuUsage(before)
const count = (value: number): string => Math.round(value).toLocaleString('en')
console.log(
  `${count(settled)} items in ${count(segments)} segments, ${CONCURRENCY} at once: ${((performance.now() - startMs) / 1_000).toFixed(1)} s`,
)
console.log(`kept of an item: ${(((user + system) * 1_000) / settled).toFixed(1)} ns of CPU`)
console.log(
  `checkpoint: at most ${count(checkpointBytesMax)} bytes, made in at most ${checkpointMsMax.toFixed(1)} ms; ${count(shares.length)} of them`,
)
console.log(
  `progress: at most ${progressMsMax.toFixed(2)} ms; peak RSS ${count(process.resourceUsage().maxRSS / 1_024)} MB`,
)
if (passed.written !== settled) throw new Error(`${settled} items were settled, and ${passed.written} counted`)
if (shares.some((share, index) => index > 0 && share < shares[index - 1]! - 0.01) || shares.at(-1) !== 1)
  throw new Error('the part that is done does not grow to 1')

// The plan, by the built command line: of a table of which the service tells that it has as many items.
const server = await startNullServer()
try {
  const table = `bench-pages-${Math.ceil(items / SEGMENTS / ITEMS_PER_PAGE)}`
  const args = ['update', table, '--set', 'tier=1', '--dry-run', '--json', '--endpoint-url', server.endpoint]
  const beganAt = performance.now()
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', PEAK_MEMORY, MAIN, ...args], {
    env: { ...process.env, AWS_REGION: 'us-east-1', PEAK_MEMORY_FILE },
  })
  const plan: { items: { value: number }; sample: { words: string } } = JSON.parse(stdout)
  const seconds = ((performance.now() - beganAt) / 1_000).toFixed(1)
  console.log(
    `plan of ${count(plan.items.value)} items: ${seconds} s, peak RSS ${readFileSync(PEAK_MEMORY_FILE, 'utf8')} MB; ${plan.sample.words}`,
  )
} finally {
  await server.stop()
  rmSync(PEAK_MEMORY_FILE, { force: true })
}
