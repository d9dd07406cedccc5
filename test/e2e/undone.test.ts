import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { newTable, store } from '../support/store.ts'
import { headrace, scratchDirectory } from './command.ts'

test('B5: a job that was undone says so, and does not resume', async () => {
  using directory = scratchDirectory()
  const table = await newTable()
  const publisher = table.publisher()
  for (let index = 0; index < 400; index += 1) publisher.put({ id: `item${index}` })
  await publisher.close()
  const run = (...args: readonly string[]) =>
    headrace(args, { directory: directory.path, environment: { AWS_ENDPOINT_URL: store.endpoint } })
  // Ends at its first reject, so that it is stopped half-way however quick the machine is.
  const visitor = "export default ({ id }) => (id === 'item7' ? { set: { id: 'x' } } : { set: { touched: true } })\n"
  writeFileSync(join(directory.path, 'touch.mjs'), visitor)
  const stopped = await run('update', table.name, 'touch.mjs', '--keep-old', '--job', 'j', '--max-errors', '0')
  assert.equal(stopped.code, 6, stopped.stderr)
  const undone = await run('undo', 'j', '--job', 'u')
  assert.equal(undone.code, 0, undone.stderr)

  const status = await run('status', 'j')
  assert.match(status.stdout, /state +undone at \d{4}-/)
  assert.doesNotMatch(status.stdout, /to resume it/)
  const events = JSON.parse((await run('status', 'j', '--json')).stdout)
  assert.equal(events.state, 'undone')
  assert.equal(events.undone.complete, true)

  for (const again of [
    ['resume', 'j'],
    ['update', table.name, 'touch.mjs', '--keep-old', '--job', 'j'],
  ]) {
    const { code, stderr } = await run(...again)
    assert.equal(code, 1, stderr)
    assert.match(stderr, /the job in j was undone at .*cannot be resumed.*start a new job in another directory/)
    assert.doesNotMatch(stderr, /To resume/)
  }
  for await (const item of table.scan({ consistentRead: true })) assert.deepEqual(Object.keys(item), ['id'])
  // What undid it is a job like any other.
  assert.match((await run('status', 'u')).stdout, /state +done/)
  const elsewhere = await run('update', table.name, '--set', 'touched=true', '--keep-old', '--job', 'k')
  assert.equal(elsewhere.code, 0, elsewhere.stderr)
})
