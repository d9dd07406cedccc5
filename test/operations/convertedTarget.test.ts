import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ItemConversion } from '../../src/formats/itemConversion.ts'
import { JobDirectory } from '../../src/job/jobDirectory.ts'
import { ConvertedTarget } from '../../src/operations/convertedTarget.ts'
import { FileTarget } from '../../src/operations/exportTarget.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { systemDisk } from '../../src/storage/disk.ts'
import { scratchDirectory } from '../e2e/command.ts'

const table = { name: 'things', arn: 'arn:aws:dynamodb:x:1:table/things', key: 'id:S', connection: {} }
const what = { operation: 'export', table }
const CONTENT = {
  tally: { read: 0, written: 0, overwritten: 0, skipped: 0, rejected: 0, filtered: 0 },
  positions: { kind: 'segments', segments: 1, done: '0', cursors: {} },
  spent: { durationMs: 0, readUnits: 0, writeUnits: 0, unitsAtStake: 0, requests: 0, retried: 0 },
  runs: 1,
  complete: false,
  clean: false,
} as const

const ids: ItemConversion = async (gathered, take) => {
  for await (const { items } of gathered()) for (const { id } of items) await take(`${id}\n`)
}

test('what was made of the items before a process died is made anew, also where a checkpoint speaks of it', async () => {
  using scratch = scratchDirectory()
  const path = join(scratch.path, 'out.txt')
  const job = join(scratch.path, 'job')
  const open = (): Promise<JobDirectory> =>
    JobDirectory.open(job, what, {}, { clock: systemClock, random: seededRandom(1) })
  const options = { packing: undefined, clock: systemClock, isStopped: () => false }

  const first = await open()
  const killed = new ConvertedTarget(new FileTarget(path, systemDisk), systemDisk)
  const gathered = await killed.open(first)
  gathered.write(Buffer.from('{"id":{"S":"a"}}\n{"id":{"S":"b"}}\n'))
  await killed.convert(ids, options)
  await first.save(CONTENT)
  first.close()

  const second = await open()
  const target = new ConvertedTarget(new FileTarget(path, systemDisk), systemDisk)
  assert.equal((await target.open(second)).size, gathered.size)
  const size = await target.convert(ids, options)
  await second.save({ ...CONTENT, complete: true })
  second.close()
  assert.equal(size, 4)
  await target.seal(size)
  await target.close()
  assert.equal(readFileSync(path, 'utf8'), 'a\nb\n')
  assert.deepEqual(readdirSync(scratch.path).sort(), ['job', 'out.txt'])

  // It died between the end and the seal: there is nothing to make any more.
  const third = await open()
  const again = new ConvertedTarget(new FileTarget(path, systemDisk), systemDisk)
  await again.seal(again.sizeOf(third))
  third.close()
  await again.close()
  assert.equal(readFileSync(path, 'utf8'), 'a\nb\n')
  assert.ok(!readdirSync(job).includes('items.jsonl'))
})

test('what was gathered and is no items any more is told of', async () => {
  using scratch = scratchDirectory()
  const target = new ConvertedTarget(new FileTarget(join(scratch.path, 'out'), systemDisk), systemDisk)
  const file = await target.open(undefined)
  file.write(Buffer.from('{"id":{"S":"a"}}\n{"id":{"S":\n'))
  const options = { packing: undefined, clock: systemClock, isStopped: () => false }
  await assert.rejects(target.convert(ids, options), /items\.jsonl:2: .*The collected items were changed/)
  await target.close()
})
