import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { connect } from '../../src/database/database.ts'
import { startLocal } from '../../src/local/startLocal.ts'
import { createTable } from '../../src/operations/tables.ts'
import { startGateway } from '../../src/simulator/gateway.ts'
import { Browser, type BrowserPage } from '../support/browser.ts'

// Makes docs/images/live.png and docs/images/report.png of a real job, in Chromium: npm run screenshots. With a directory behind it, both
// also as narrow and dark pages, there.

const MAIN = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))
const IMAGES = fileURLToPath(new URL('../../../docs/images/', import.meta.url))
const ITEMS = 45_000
const WRITE_UNITS = 1_500
/** That many items are written when the live page is taken. */
const WRITTEN = 30_000
const EVERYWHERE = process.argv[2]

const browser = await Browser.start()
if (browser === undefined) {
  console.error('pictures of pages take a Chromium, and there is no chromium here')
  process.exit(1)
}
const folder = mkdtempSync(join(tmpdir(), 'headrace-screenshots-'))
const store = await startLocal({ kind: 'dynoxide' })
const gateway = await startGateway({
  upstream: store.endpoint,
  seed: 3,
  capacity: { billing: 'provisioned', readUnitsPerSecond: 2_000, writeUnitsPerSecond: WRITE_UNITS, burstSeconds: 4 },
  latency: { medianMs: 12 },
  faults: { shares: { 'reset after': 0.004 } },
})
try {
  await fill()
  writeFileSync(
    join(folder, 'add-tier.mjs'),
    `export default ({ id, orders }) => {
      if (orders === 199) throw new Error('there is no tier for 199 orders')
      return orders < 3 ? undefined : { set: { tier: orders > 100 ? 'gold' : 'basic' } }
    }\n`,
  )
  const update = ['update', 'users', 'add-tier.mjs', '--segments', '96', '--job', 'touch-users']
  await ended(start([...update, '--max-duration', '9s']))
  const job = start(['resume', 'touch-users', '--ui-control', '--report'])
  const url = await addressOf(job)
  const live = await browser.open(url)
  await live.until(
    `Number(/([\\d,]+) written/.exec(document.getElementById('account').textContent)?.[1].replaceAll(',', '') ?? 0) > ${WRITTEN}`,
    120_000,
  )
  await take(live, 'live')
  await ended(job)
  await take(await browser.open(`file://${join(folder, 'touch-users', 'report.html')}`), 'report')
} finally {
  await browser.close()
  await gateway.close()
  await store.stop()
  rmSync(folder, { recursive: true, force: true })
}

async function fill(): Promise<void> {
  await using database = connect({ endpoint: store.endpoint })
  await createTable(database, 'users', { key: { partition: { name: 'id', type: 'S' } } })
  await using publisher = database.table('users').publisher()
  for (let index = 0; index < ITEMS; index += 1) {
    const user = { id: `user-${index}`, orders: (index * 7_919) % 200, email: `user-${index}@example.org` }
    if (!publisher.put(user)) await publisher.ready
  }
}

function start(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [MAIN, ...args, '--endpoint-url', gateway.url], {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'pipe'],
  })
}

function addressOf(job: ChildProcess): Promise<string> {
  let said = ''
  return new Promise((resolve, reject) => {
    job.stderr!.setEncoding('utf8').on('data', (text: string) => {
      said += text
      const address = /http:\/\/127\.0\.0\.1:\d+\/[\w-]+\/$/m.exec(said)
      if (address !== null) resolve(address[0])
    })
    job.on('exit', () => reject(new Error(`it ended without a page: ${said}`)))
  })
}

function ended(job: ChildProcess): Promise<void> {
  job.stderr!.resume()
  return new Promise((resolve) => job.on('exit', () => resolve()))
}

async function take(page: BrowserPage, name: string): Promise<void> {
  writeFileSync(join(IMAGES, `${name}.png`), await page.screenshot({ width: 1_400 }))
  if (EVERYWHERE === undefined) return
  writeFileSync(join(EVERYWHERE, `${name}-dark.png`), await page.screenshot({ width: 1_400, scheme: 'dark' }))
  writeFileSync(join(EVERYWHERE, `${name}-narrow.png`), await page.screenshot({ width: 400 }))
}
