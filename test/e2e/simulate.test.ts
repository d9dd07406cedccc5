import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { headrace, scratchDirectory } from './command.ts'

test('a simulated DynamoDB throttles and fails what is loaded into it, and says at its end what it did', async () => {
  using directory = scratchDirectory()
  let simulator: ChildProcess | undefined
  const options = ['--write-units', '400', '--burst-seconds', '0', '--latency-ms', '1', '--seed', '3']
  const faults = ['--faults', 'throttle=0.05, reset after=0.05, part of batch=0.02']
  const running = headrace(['simulate', '--port', '0', '--json', ...options, ...faults], {
    directory: directory.path,
    onStart: (child) => {
      simulator = child
    },
  })
  try {
    const [line] = await once(simulator!.stdout!, 'data')
    const { event, endpoint } = JSON.parse(line) as { event: string; endpoint: string }
    assert.equal(event, 'ready')
    const run = (...args: string[]) => headrace([...args, '--endpoint-url', endpoint], { directory: directory.path })
    const created = await run('table', 'create', 'orders', '--key', 'id:S')
    assert.equal(created.code, 0, created.stderr)
    const described = await run('table', 'describe', 'orders')
    assert.match(described.stdout, /100 RCU\/s, 400 WCU\/s/)
    const generated = await run('generate', 'orders', '--items', '1500')
    assert.equal(generated.code, 0, generated.stderr)
    assert.equal((await run('count', 'orders')).stdout, '1500\n')
  } finally {
    simulator!.kill('SIGINT')
  }
  const { code, stdout } = await running
  assert.equal(code, 0)
  const done = JSON.parse(stdout.trimEnd().split('\n').at(-1)!)
  assert.equal(done.event, 'done')
  assert.ok(done.throttledItems + done.throttledRequests > 0, stdout)
  assert.ok(done.faults['throttle'] + done.faults['reset after'] > 0, stdout)
  assert.ok(done.acknowledgedWrites >= 1_400 && done.writeUnits >= 1_500, stdout)
})

test('what cannot be meant is named, with what can', async () => {
  using directory = scratchDirectory()
  const { code, stderr } = await headrace(['simulate', '--port', '0', '--faults', 'slo=0.1'], {
    directory: directory.path,
  })
  assert.equal(code, 2)
  assert.match(stderr, /"slo=0.1" is not a fault.*reset after/)
  const both = await headrace(['simulate', '--port', '0', '--on-demand', '--read-units', '5'], {
    directory: directory.path,
  })
  assert.equal(both.code, 2)
  assert.match(both.stderr, /not both/)
  const scenario = await headrace(['simulate', '--latency-ms', '0'], { directory: directory.path })
  assert.equal(scenario.code, 2)
  assert.match(scenario.stderr, /--latency-ms needs --port, such as --port 8000/)
  const served = await headrace(['simulate', '--port', '0', '--list'], { directory: directory.path })
  assert.equal(served.code, 2)
  assert.match(served.stderr, /one or the other/)
})

test('simulate lists its scenarios, plays one of them to the same figures each time, and draws it', async () => {
  using directory = scratchDirectory()
  const options = { directory: directory.path }
  const list = await headrace(['simulate', '--list'], options)
  assert.equal(list.code, 0)
  assert.match(list.stdout, /^limit-1000 +A provisioned limit of 1,000 WCU/m)
  const plot = ['simulate', '--scenario', 'limit-100', '--seed', '3', '--plot', 'out.svg']
  const first = await headrace(plot, options)
  assert.equal(first.code, 0, first.stderr)
  assert.match(first.stdout, /^from above +50 /m)
  assert.match(first.stderr, / 0 lost/)
  const picture = readFileSync(join(directory.path, 'out.svg'), 'utf8')
  assert.match(picture, /^<svg [^>]+>\n<title>A provisioned limit of 100 WCU/)
  assert.equal((await headrace(plot, options)).stdout, first.stdout)
  const events = await headrace([...plot.slice(0, 5), '--json'], options)
  assert.equal(JSON.parse(events.stdout).event, 'simulated')
})

test('a scenario that does not exist is a usage error that says where the names are', async () => {
  using directory = scratchDirectory()
  const { code, stderr } = await headrace(['simulate', '--scenario', 'nothing'], { directory: directory.path })
  assert.equal(code, 2)
  assert.match(stderr, /no scenario "nothing": "headrace simulate --list"/)
})
