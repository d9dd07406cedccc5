import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { newTable, store } from '../support/store.ts'
import { headrace, scratchDirectory } from './command.ts'

test('--metrics-port serves the figures of a job while it runs, and goes with it', async () => {
  using directory = scratchDirectory()
  const table = await newTable()
  const lines = Array.from({ length: 900 }, (_, index) => `{"id":"user-${index}"}\n`)
  writeFileSync(join(directory.path, 'users.jsonl'), lines.join(''))
  let said = ''
  let scraped: Promise<{ type: string | null; text: string; elsewhere: number }> | undefined
  const { code, stderr } = await headrace(
    [
      ...['load', table.name, 'users.jsonl', '--write-rate', '300', '--metrics-port', '0'],
      ...['--endpoint-url', store.endpoint],
    ],
    {
      directory: directory.path,
      onStart: (child) => {
        child.stderr!.on('data', (text: string) => {
          said += text
          const url = /^metrics at (http:\/\/127\.0\.0\.1:\d+\/metrics)$/m.exec(said)?.[1]
          if (url !== undefined) scraped ??= scrape(url)
        })
      },
    },
  )
  assert.equal(code, 0, stderr)
  const { type, text, elsewhere } = await scraped!
  assert.equal(type, 'text/plain; version=0.0.4; charset=utf-8')
  assert.match(
    text,
    new RegExp(`^headrace_items_total\\{operation="load",table="${table.name}",ending="written"\\} \\d+$`, 'm'),
  )
  assert.equal(elsewhere, 404)
  const url = /metrics at (\S+)/.exec(stderr)![1]!
  await assert.rejects(fetch(url), /fetch failed/)
})

test('a port that cannot be had is said before anything is done', async () => {
  using directory = scratchDirectory()
  const { port } = new URL(store.endpoint)
  const table = await newTable()
  const update = ['update', table.name, '--set', 'a=1', '--endpoint-url', store.endpoint, '--metrics-port']
  const taken = await headrace([...update, port], { directory: directory.path })
  assert.equal(taken.code, 4, taken.stderr)
  assert.match(taken.stderr, /cannot serve metrics at \d+: .*EADDRINUSE.*Choose another port/)
  const wrong = await headrace([...update, 'here'], { directory: directory.path })
  assert.equal(wrong.code, 2, wrong.stderr)
})

async function scrape(url: string): Promise<{ type: string | null; text: string; elsewhere: number }> {
  const answer = await fetch(url)
  const text = await answer.text()
  const other = await fetch(new URL('/', url))
  return { type: answer.headers.get('content-type'), text, elsewhere: other.status }
}
