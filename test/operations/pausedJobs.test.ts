import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Table } from '../../src/database/table.ts'
import { inThreads } from '../../src/engines/inThreads.ts'
import { copy } from '../../src/operations/copy.ts'
import { exportTable } from '../../src/operations/exportTable.ts'
import { file } from '../../src/operations/file.ts'
import { generate } from '../../src/operations/generate.ts'
import type { Job } from '../../src/operations/job.ts'
import { load } from '../../src/operations/load.ts'
import { undo } from '../../src/operations/undo.ts'
import { updateAll } from '../../src/operations/updateAll.ts'
import { database, newTable } from '../support/store.ts'

const ITEMS = 600
/** Any of these jobs is done in less. */
const LOOK_AFTER_MS = 1_500
const folder = mkdtempSync(join(tmpdir(), 'headrace-paused-'))
after(() => rmSync(folder, { recursive: true }))

async function filledTable(): Promise<Table> {
  const table = await newTable()
  await using publisher = table.publisher()
  await publisher.publish(Array.from({ length: ITEMS }, (_, index) => ({ id: `item${index}` })))
  return table
}

const jobs: { readonly [name: string]: () => Promise<Job> } = {
  generate: async () => generate(await newTable(), { items: ITEMS, seed: 1, template: { id: 'item{{index}}' } }),
  load: async () => {
    const path = join(folder, 'in.jsonl')
    writeFileSync(path, Array.from({ length: ITEMS }, (_, index) => `{"id":"item${index}"}\n`).join(''))
    return load(file(path), await newTable())
  },
  update: async () => updateAll(await filledTable(), { set: { seen: true } }),
  copy: async () => copy(await filledTable(), await newTable()),
  export: async () => exportTable(await filledTable(), join(folder, 'out.jsonl')),
  undo: async () => {
    const directory = join(folder, 'undone')
    await updateAll(await filledTable(), { set: { seen: true } }, { keepOld: true }).run({ directory })
    return undo(directory, { database })
  },
  'update in threads': async () => {
    const described = await updateAll(await filledTable(), { set: { seen: true } }).describe({ slices: 4 })
    return inThreads(described, { threads: 2, database })
  },
}

for (const [name, make] of Object.entries(jobs)) {
  test(`${name}: paused it writes nothing, and then everything`, async () => {
    const job = await make()
    job.setRates({ paused: true })
    const running = job.run({ directory: join(folder, name) })
    await new Promise((resolve) => setTimeout(resolve, LOOK_AFTER_MS))
    assert.equal(job.progress.written, 0)
    job.setRates({ paused: false })
    const { complete, written, rejected } = await running
    assert.deepEqual([complete, written, rejected], [true, ITEMS, 0])
  })
}

test('a job that is stopped while it is paused ends at once, and goes on later', async () => {
  const table = await filledTable()
  const directory = join(folder, 'stopped')
  const job = updateAll(table, { set: { seen: true } })
  job.setRates({ paused: true })
  const controller = new AbortController()
  const running = job.run({ directory, signal: controller.signal })
  await new Promise((resolve) => setTimeout(resolve, 300))
  const stoppedAt = performance.now()
  controller.abort()
  assert.equal((await running).complete, false)
  assert.ok(performance.now() - stoppedAt < 2_000)
  assert.equal((await updateAll(table, { set: { seen: true } }).run({ directory })).written, ITEMS)
})
