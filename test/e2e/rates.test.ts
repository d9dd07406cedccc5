import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { connect } from '../../src/database/database.ts'
import { type CommandEnd, headrace, scratchDirectory } from './command.ts'

/** A simulated DynamoDB in a process of its own, and the command beside it. */
async function simulated(
  options: readonly string[],
  use: (run: (...args: string[]) => Promise<CommandEnd>, endpoint: string) => Promise<void>,
): Promise<{ [name: string]: number }> {
  using directory = scratchDirectory()
  let simulator: ChildProcess | undefined
  const args = ['simulate', '--port', '0', '--json', '--burst-seconds', '0', '--latency-ms', '1', ...options]
  const running = headrace(args, {
    directory: directory.path,
    onStart: (child) => {
      simulator = child
    },
  })
  try {
    const [line] = await once(simulator!.stdout!, 'data')
    const { endpoint } = JSON.parse(line) as { endpoint: string }
    await use((...more) => headrace([...more, '--endpoint-url', endpoint], { directory: directory.path }), endpoint)
  } finally {
    simulator!.kill('SIGINT')
  }
  const { stdout } = await running
  return JSON.parse(stdout.trimEnd().split('\n').at(-1)!)
}

function doneOf({ stdout, stderr, code }: CommandEnd): { [name: string]: number } {
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout.trimEnd().split('\n').at(-1)!)
}

/** A bucket holds one second's units, and is full at the start. */
function assertWithin(done: { [name: string]: number }, units: 'readUnits' | 'writeUnits', perSecond: number): void {
  const seconds = done['durationMs']! / 1_000
  assert.ok(done[units]! <= perSecond * (seconds + 1) * 1.02, `${done[units]} ${units} in ${seconds} s`)
  // It would be no test if it had been slow for another reason.
  assert.ok(done[units]! >= perSecond * seconds * 0.6, `${done[units]} ${units} in ${seconds} s`)
}

test('--rate 50% keeps within half of what the table has, reading and writing, and nothing is throttled', async () => {
  const counts = await simulated(['--write-units', '400', '--read-units', '20'], async (run) => {
    assert.equal((await run('table', 'create', 'orders', '--key', 'id:S')).code, 0)
    const generated = doneOf(await run('generate', 'orders', '--items', '1200', '--rate', '50%', '--json'))
    assertWithin(generated, 'writeUnits', 200)
    assert.equal(generated['writeUnitsPerSecondAllowed'], 200)
    const updated = doneOf(await run('update', 'orders', '--set', 'tier="x"', '--write-rate', '60%', '--json'))
    assertWithin(updated, 'writeUnits', 240)
    const counted = await run('count', 'orders', '--consistent-read', '--rate', '50%', '--where', "tier = 'x'")
    assert.equal(counted.stdout, '1200\n')
    assert.match(counted.stderr, /allowed: 10 RCU\/s at the end/)
    const scanned = await run('scan', 'orders', '--read-rate', '15', '--rate', '100%')
    assert.equal(scanned.stdout.trimEnd().split('\n').length, 1_200)
    assert.match(scanned.stderr, /allowed: 15 RCU\/s at the end/)
    assert.match(scanned.stderr, /--read-rate is now called --rate.*both are given: --read-rate counts/)
  })
  assert.equal(counts['throttledItems'], 0, JSON.stringify(counts))
})

test('units a second are kept to, where the table has more', async () => {
  await simulated(['--write-units', '2000'], async (run) => {
    assert.equal((await run('table', 'create', 'orders', '--key', 'id:S')).code, 0)
    const loaded = doneOf(
      await run('generate', 'orders', '--items', '900', '--rate', '2000', '--write-rate', '250', '--json'),
    )
    assertWithin(loaded, 'writeUnits', 250)
  })
})

test('an index that is slower than its table is named, with what to do about it', async () => {
  await simulated([], async (run, endpoint) => {
    await using database = connect({ endpoint })
    const { service } = await database.open()
    const throughput = (units: number) => ({
      ProvisionedThroughput: { ReadCapacityUnits: 100, WriteCapacityUnits: units },
    })
    await service.call('CreateTable', {
      TableName: 'orders',
      BillingMode: 'PROVISIONED',
      ...throughput(1_000),
      AttributeDefinitions: ['id', 'group'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      GlobalSecondaryIndexes: [
        {
          IndexName: 'byGroup',
          KeySchema: [{ AttributeName: 'group', KeyType: 'HASH' }],
          Projection: { ProjectionType: 'ALL' },
          ...throughput(100),
        },
      ],
    })
    const template = '{"id":"order-{{index}}","group":"g{{whole 0 999}}"}'
    const end = await run('generate', 'orders', '--items', '600', '--template', template)
    assert.equal(end.code, 0, end.stderr)
    assert.match(
      end.stderr,
      /throttled +\d+ requests?: index byGroup has too little provisioned write capacity.* as many WCU as the table/,
    )
    assert.match(end.stderr, /allowed +[\d.,]+ WCU\/s at the end/)
    // With the index known it is kept to from the start.
    const kept = doneOf(
      await run('generate', 'orders', '--items', '300', '--template', template, '--rate', '80%', '--json'),
    )
    assertWithin(kept, 'writeUnits', 160)
  })
})

test('a part of what a table on demand has is said to be no limit, unless it has a maximum', async () => {
  await simulated(['--on-demand'], async (run) => {
    assert.equal((await run('table', 'create', 'orders', '--key', 'id:S')).code, 0)
    const generated = await run('generate', 'orders', '--items', '10', '--rate', '50%')
    assert.match(generated.stderr, /^--rate 50% has no effect: orders is an on-demand table.* --rate 500$/m)
    assert.doesNotMatch(generated.stderr, /reads/)
    const counted = await run('count', 'orders', '--read-rate', '500')
    assert.doesNotMatch(counted.stderr, /no limit/)
  })
})

test('what is no rate is a usage error that says what is one', async () => {
  using directory = scratchDirectory()
  for (const [option, value] of [
    ['--rate', '0'],
    ['--rate', '120%'],
    ['--write-rate', 'fast'],
    ['--rate', '-5'],
    ['--write-rate', '0%'],
    ['--rate', '1e999'],
  ] as const) {
    const { code, stderr } = await headrace(['load', 'users', 'a.jsonl', `${option}=${value}`], {
      directory: directory.path,
    })
    assert.equal(code, 2, stderr)
    assert.match(stderr, /capacity units per second, such as 500, or a share of the capacity from 1% to 100%/)
  }
  const { code, stderr } = await headrace(['count', 'users', '--write-rate', '5'], { directory: directory.path })
  assert.equal(code, 2)
  assert.match(stderr, /unknown option '--write-rate'/)
})

test('help says what the rates are where nothing is asked for', async () => {
  using directory = scratchDirectory()
  for (const verb of ['generate', 'load', 'update', 'count', 'scan']) {
    const { stdout } = await headrace([verb, '--help'], { directory: directory.path })
    assert.match(
      stdout.replace(/\s+/g, ' '),
      /--rate <rate> .*capacity units per second .* \(default: 80%; on-demand: what it sustains/,
      verb,
    )
  }
})
