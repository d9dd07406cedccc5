import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
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
    assert.match(described.stdout, /100 read and 400 write units/)
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

test('what can not be meant is named, with what can', async () => {
  using directory = scratchDirectory()
  const { code, stderr } = await headrace(['simulate', '--faults', 'slo=0.1'], { directory: directory.path })
  assert.equal(code, 2)
  assert.match(stderr, /"slo=0.1" is no fault.*reset after/)
  const both = await headrace(['simulate', '--on-demand', '--read-units', '5'], { directory: directory.path })
  assert.equal(both.code, 2)
  assert.match(both.stderr, /not both/)
})
