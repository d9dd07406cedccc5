import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { generate } from '../../src/operations/generate.ts'
import { newTable } from '../support/store.ts'

const folder = mkdtempSync(join(tmpdir(), 'headrace-generate-'))
after(() => rmSync(folder, { recursive: true }))

test('a template of which no item can be stored can be stopped, and says meanwhile how far it is', async () => {
  const job = generate(await newTable(), { items: 100_000_000, template: { name: '{{name}}' } })
  const controller = new AbortController()
  const seen: number[] = []
  const timer = setInterval(() => {
    seen.push(job.progress.rejected)
    if (seen.length === 5) controller.abort()
  }, 100)
  // Without it this test would not end.
  const { complete, rejected, written, read } = await job.run({
    directory: join(folder, 'job'),
    signal: controller.signal,
    limits: { rejectsMax: 3_000_000 },
  })
  clearInterval(timer)
  assert.deepEqual([complete, written], [false, 0])
  assert.ok(seen.length >= 5 && seen[4]! > seen[2]!, seen.join())
  assert.ok(rejected > 0 && rejected <= read && rejected < 3_000_000, `${rejected} of ${read}`)
})
