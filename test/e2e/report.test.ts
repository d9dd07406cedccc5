import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { newTable, store } from '../support/store.ts'
import { type CommandEnd, headrace, scratchDirectory } from './command.ts'

async function filledTable(items = 400): Promise<string> {
  const table = await newTable()
  const publisher = table.publisher()
  await publisher.publish(Array.from({ length: items }, (_, index) => ({ id: `item${index}` })))
  await publisher.close()
  return table.name
}

function update(directory: string, table: string, ...more: string[]): Promise<CommandEnd> {
  const args = ['update', table, '--set', 'seen=true', '--job', 'job', '--report', '--endpoint-url', store.endpoint]
  return headrace([...args, ...more], { directory })
}

test('--report: the page is there when the job has ended, and the summary says where', async () => {
  using directory = scratchDirectory()
  const end = await update(directory.path, await filledTable())
  assert.equal(end.code, 0, end.stderr)
  assert.match(end.stderr, /^ {2}report +job\/report\.html$/m)
  const page = join(directory.path, 'job', 'report.html')
  assert.match(readFileSync(page, 'utf8'), /<p class="state done">done<\/p>/)
  assert.equal(statSync(page).mode & 0o777, 0o600)
})

test('--report of a job that was stopped says so, and of one that failed, how', async () => {
  using directory = scratchDirectory()
  const table = await filledTable()
  const stopped = await update(directory.path, table, '--max-duration', '1s', '--write-rate', '20', '--json')
  assert.equal(stopped.code, 6, stopped.stderr)
  const done = JSON.parse(stopped.stdout.trimEnd().split('\n').at(-1)!)
  assert.deepEqual([done.event, done.report], ['done', 'job/report.html'])
  const page = join(directory.path, 'job', 'report.html')
  assert.match(readFileSync(page, 'utf8'), /class="state stopped">stopped; to resume it: headrace resume job</)

  const lines = Array.from(
    { length: 20_000 },
    (_, index) => `{"id":"line${index}","text":"${Math.sin(index)}"}\n`,
  ).join('')
  const packed = gzipSync(lines)
  writeFileSync(join(directory.path, 'cut.jsonl.gz'), packed.subarray(0, packed.length - 20_000))
  const args = ['load', table, 'cut.jsonl.gz', '--job', 'load', '--report', '--endpoint-url', store.endpoint]
  const failed = await headrace(args, { directory: directory.path })
  assert.equal(failed.code, 1, failed.stderr)
  assert.match(failed.stderr, /^ {2}report +load\/report\.html$/m)
  assert.match(readFileSync(join(directory.path, 'load', 'report.html'), 'utf8'), /<td>failed: .*cut\.jsonl\.gz/)
})

test('a report that cannot be written takes nothing from what the job has come to', async () => {
  using directory = scratchDirectory()
  const table = await filledTable(10)
  const args = ['update', table, '--set', 'seen=true', '--job', 'job', '--max-duration', '1s', '--write-rate', '1']
  assert.equal((await headrace([...args, '--endpoint-url', store.endpoint], { directory: directory.path })).code, 6)
  const page = join(directory.path, 'job', 'report.html')
  // A directory of that name stands in the way also of the superuser.
  mkdirSync(page)
  const resumed = await headrace(
    ['resume', 'job', '--report', '--write-rate', '500', '--endpoint-url', store.endpoint],
    {
      directory: directory.path,
    },
  )
  assert.equal(resumed.code, 0, resumed.stderr)
  assert.match(resumed.stderr, /no report was written: cannot write the report to job\/report\.html: EISDIR/)
  assert.doesNotMatch(resumed.stderr, /^ {2}report/m)
})

test('a picture as a PNG; where the package that draws is missing, that is said with what to do', async () => {
  using directory = scratchDirectory()
  assert.equal((await update(directory.path, await filledTable())).code, 0)
  const drawn = await headrace(['report', 'job', '--out', 'job.png'], { directory: directory.path })
  assert.equal(drawn.code, 0, drawn.stderr)
  assert.equal(readFileSync(join(directory.path, 'job.png')).subarray(1, 4).toString(), 'PNG')

  const hooks = join(directory.path, 'hide.mjs')
  writeFileSync(
    hooks,
    `import { register } from 'node:module'
    const hide = "export const resolve = (name, context, next) => { if (name === '@resvg/resvg-js') throw new Error('hidden'); return next(name, context) }"
    register('data:text/javascript,' + encodeURIComponent(hide))`,
  )
  const missing = await headrace(['report', 'job', '--out', 'other.png'], {
    directory: directory.path,
    environment: { NODE_OPTIONS: `--import ${pathToFileURL(hooks)}` },
  })
  assert.equal(missing.code, 4, missing.stderr)
  assert.match(
    missing.stderr,
    /needs the package @resvg\/resvg-js, which is not installed: npm install @resvg\/resvg-js/,
  )
  assert.equal(existsSync(join(directory.path, 'other.png')), false)
})
