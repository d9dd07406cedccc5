import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { headrace, scratchDirectory } from './command.ts'

test('simulate lists its scenarios, plays one of them to the same figures each time, and draws it', async () => {
  using directory = scratchDirectory()
  const options = { directory: directory.path }
  const list = await headrace(['simulate', '--list'], options)
  assert.equal(list.code, 0)
  assert.match(list.stdout, /^limit-1000 +The limit of 1,000 provisioned units/m)
  const plot = ['simulate', '--scenario', 'limit-100', '--seed', '3', '--plot', 'out.svg']
  const first = await headrace(plot, options)
  assert.equal(first.code, 0, first.stderr)
  assert.match(first.stdout, /^from above +50 /m)
  assert.match(first.stderr, / 0 lost/)
  const picture = readFileSync(join(directory.path, 'out.svg'), 'utf8')
  assert.match(picture, /^<svg [^>]+>\n<title>The limit of 100 provisioned units/)
  assert.equal((await headrace(plot, options)).stdout, first.stdout)
  const events = await headrace([...plot.slice(0, 5), '--json'], options)
  assert.equal(JSON.parse(events.stdout).event, 'simulated')
})

test('a scenario that does not exist is a usage error that says where the names are', async () => {
  using directory = scratchDirectory()
  const { code, stderr } = await headrace(['simulate', '--scenario', 'nothing'], { directory: directory.path })
  assert.equal(code, 2)
  assert.match(stderr, /no scenario "nothing"; "headrace simulate --list"/)
})
