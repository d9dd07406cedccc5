import assert from 'node:assert/strict'
import { test } from 'node:test'
import { COMMANDS } from '../../src/cli/commandList.ts'
import { findLeftovers } from '../../src/doctor/leftovers.ts'
import { probeService } from '../../src/doctor/probe.ts'
import { Wire } from '../../src/doctor/wire.ts'
import {
  askTableFacts,
  awaitServiceExport,
  connect,
  copy,
  count,
  createTable,
  type Database,
  deleteAll,
  diff,
  dropTable,
  exportTable,
  generate,
  listTables,
  load,
  openJob,
  optionalActions,
  type PlainItem,
  policyFor,
  type RecordSource,
  startServiceExport,
  type Table,
  type TableChange,
  undo,
  updateAll,
  waitForTable,
} from '../../src/index.ts'
import { ACTIONS_OF_OPERATION, VERB_ACTIONS } from '../../src/operations/actions.ts'
import { POLICY_VERBS } from '../../src/operations/policy.ts'
import { sleep } from '../../src/runtime/clock.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import type { Disk } from '../../src/storage/disk.ts'
import { SimulatedDisk } from '../simulation/simulatedDisk.ts'
import { type Started, start } from '../simulation/start.ts'

const KEY = { partition: { name: 'pk', type: 'S' } } as const
const ARN = 'arn:aws:dynamodb:eu-west-1:123456789012:table/users'

interface World {
  readonly at: Started
  /** Whose requests are noted. */
  readonly database: Database
  readonly table: Table
  /** The answer to the next statements is lost. */
  losesNext: boolean
}

/** A run of each verb in which it does all that it can do. */
const RUNS: { readonly [verb: string]: (world: World) => Promise<unknown> } = {
  // The simulated service makes no exports; what it is asked for is what counts.
  'export native': ({ database, table }) =>
    Promise.allSettled([
      startServiceExport(table, 's3://bucket/prefix'),
      awaitServiceExport(database, `${ARN}/export/01693685827463-2d8752fd`),
    ]),
  load: async (world) => {
    const { at, table } = world
    await load(sourceOf(30), table).plan({ newTableKey: KEY })
    await load(sourceOf(30), table).run()
    await load(oddSource(50), table, { keepOld: true }).run({ disk: diskOf(at), directory: '/job' })
    world.losesNext = true
    await load(oddSource(70), table, { ifExists: 'skip' }).run()
  },
  generate: ({ table }) => generate(table, { items: 30, template: { pk: 'k{{index}}' } }).run(),
  update: async ({ at, table }) => {
    await load(sourceOf(300), at.table).run()
    let changed = false
    let version = 0
    const job = updateAll(table, (item) => {
      // Somebody else changes the item while it is decided on.
      if (!changed) {
        changed = true
        version -= 1
        at.service.writeFromBeside('things', { pk: { S: item['pk'] } }, (now) => ({ ...now, n: { N: `${version}` } }))
      }
      if (item['n'] === 5) return 'delete'
      if (item['n'] === 6) return { set: { 'an odd "name"[1]': 1, n: 100 } }
      return { set: { n: 100, long: item['n'] === 9 ? 'x'.repeat(20) : 'y' } }
    })
    await job.plan()
    changed = false
    await job.run()
    // One long name alone in its batch, and one odd item alone that goes.
    await updateAll(table, () => ({ set: { ['n'.repeat(9_000)]: 1 } }), { filter: "pk = 'k1'" }).run()
    await updateAll(table, () => 'delete', { filter: "pk = 'k1'" }).run()
  },
  delete: async ({ at, table }) => {
    await load(sourceOf(300), at.table).run()
    const job = deleteAll(table, { filter: 'n = 5' })
    await job.plan()
    // Somebody else changes some of them meanwhile.
    const beside = (async () => {
      for (let turn = 0; turn < 60; turn += 1) {
        await sleep(at.clock, 1)
        const key = { pk: { S: 'k295' } }
        at.service.writeFromBeside('things', key, (now) => now && { ...now, turn: { N: `${turn}` } })
      }
    })()
    await Promise.all([job.run(), beside])
    // One odd item that goes alone.
    at.service.writeFromBeside('things', { pk: { S: 'odd' } }, () => ({
      pk: { S: 'odd' },
      'an odd "name"': { N: '7' },
    }))
    await deleteAll(table, { filter: "pk = 'odd'" }).run()
    await deleteAll(table).run()
  },
  copy: async (world) => {
    const { at, database, table } = world
    await load(sourceOf(300), at.table).run()
    at.service.addTable({ name: 'others', key: KEY, capacity: { billing: 'on demand' } })
    const job = copy(table, database.table('others'))
    await job.plan()
    await job.run()
    await load(sourceOf(400, 7), at.table).run()
    const odd = 'an odd "name"'
    at.service.writeFromBeside('things', { pk: { S: 'odd' } }, () => ({ pk: { S: 'odd' }, [odd]: { N: '7' } }))
    at.service.writeFromBeside('others', { pk: { S: 'k2' } }, () => ({ pk: { S: 'k2' }, [odd]: { N: '7' } }))
    await copy(table, database.table('others'), { keepOld: true }).run({ disk: diskOf(at), directory: '/job' })
    world.losesNext = true
    at.service.writeFromBeside('things', { pk: { S: 'last' } }, () => ({ pk: { S: 'last' } }))
    await copy(table, database.table('others'), { ifExists: 'skip' }).run()
  },
  run: async ({ at, database }) => {
    await load(sourceOf(300), at.table).run()
    at.service.addTable({ name: 'others', key: KEY, capacity: { billing: 'on demand' } })
    const changes = ({ pk, n }: PlainItem): TableChange => {
      if (n === 1) return { delete: { pk } }
      // The item of one is not there; the name of another is not for PartiQL.
      if (pk === 'k2') return { update: { pk: 'gone' }, set: { n } }
      return n === 2 ? { update: { pk: 'k0' }, set: { ['n'.repeat(9_000)]: pk } } : { put: { pk, n } }
    }
    const sink = { table: 'others', write: 'changes' } as const
    const options = { database, onReject: () => undefined }
    await (await openJob({ source: { table: 'things' }, sink: { table: 'others' } }, options)).run()
    const inserts = { source: { table: 'things' }, sink: { table: 'others', ifExists: 'reject' } } as const
    at.service.writeFromBeside('things', { pk: { S: 'odd' } }, () => ({
      pk: { S: 'odd' },
      'an odd "name"': { N: '7' },
    }))
    at.service.writeFromBeside('things', { pk: { S: 'last' } }, () => ({ pk: { S: 'last' } }))
    await (await openJob(inserts, options)).run()
    const definition = { source: { table: 'things' }, transform: changes, sink }
    await (await openJob(definition, options)).plan()
    await (await openJob(definition, options)).run()
    const update = ({ pk }: PlainItem): TableChange => ({ update: { pk }, set: { seen: true } })
    await (await openJob({ source: { table: 'things', filter: 'n = 3' }, transform: update, sink }, options)).run()
  },
  export: async ({ at, table }) => {
    await load(sourceOf(300), at.table).run()
    const job = exportTable(table, '/out/things.jsonl')
    await job.plan()
    await job.run({ disk: diskOf(at) })
  },
  diff: async ({ at, database, table }) => {
    await load(sourceOf(300), at.table).run()
    at.service.addTable({ name: 'others', key: KEY, capacity: { billing: 'on demand' } })
    const others = database.table('others')
    const half = { filter: 'n > 4', pauseMs: 1 }
    at.simulated.fill([{ pk: { S: 'odd' }, 'an odd "name"': { N: '7' }, n: { N: '9' } } as never])
    await diff(table, others, { ...half, fix: true })
    at.service.writeFromBeside('others', { pk: { S: 'k5' } }, (now) => ({ ...now, n: { N: '50' } }))
    at.service.writeFromBeside('others', { pk: { S: 'k7' } }, (now) => ({ ...now, 'an odd "name"': { N: '50' } }))
    at.service.writeFromBeside('others', { pk: { S: 'k8' } }, () => undefined)
    at.service.writeFromBeside('others', { pk: { S: 'k6' } }, (now) => ({ ...now, more: { N: '1' }, less: { N: '1' } }))
    at.service.writeFromBeside('others', { pk: { S: 'extra' } }, () => ({ pk: { S: 'extra' }, n: { N: '9' } }))
    at.service.writeFromBeside('others', { pk: { S: 'k1' } }, () => ({ pk: { S: 'k1' }, n: { N: '9' } }))
    await diff(table, others, { ...half, fix: true })
  },
  undo: async ({ at, database }) => {
    await load(sourceOf(300), at.table).run()
    const disk = diskOf(at)
    const visit = ({ n }: PlainItem) => (n === 5 ? 'delete' : { set: { n: 100 } })
    at.service.writeFromBeside('things', { pk: { S: 'strange' } }, () => ({
      pk: { S: 'strange' },
      'an odd "name"': { N: '7' },
    }))
    await updateAll(at.table, visit, { keepOld: true }).run({ disk, directory: '/job' })
    at.service.writeFromBeside('things', { pk: { S: 'k1' } }, (now) => ({ ...now, n: { N: '7' } }))
    await undo('/job', { database, disk, onReject: () => undefined }).run()
    await updateAll(at.table, ({ pk }) => (pk === 'strange' ? { set: { 'an odd "name"': 2 } } : undefined), {
      keepOld: true,
    }).run({ disk, directory: '/odd' })
    await undo('/odd', { database, disk, onReject: () => undefined }).run()
    await updateAll(at.table, ({ pk }) => (pk === 'strange' ? 'delete' : undefined), { keepOld: true }).run({
      disk,
      directory: '/gone',
    })
    await undo('/gone', { database, disk, onReject: () => undefined }).run()
    const replaced = [...sourceItems(400, 8), { pk: 'odd', 'not " for PartiQL': 1 }]
    await load(memory(replaced), at.table, { keepOld: true }).run({ disk, directory: '/load' })
    await undo('/load', { database, disk, onReject: () => undefined }).run()
  },
  count: ({ table }) => count(table),
  scan: async ({ table }) => {
    for await (const _ of table.scan());
  },
  'table create': ({ database }) => createTable(database, 'fresh', { key: KEY, replace: true }),
  'table drop': ({ database }) => dropTable(database, 'things'),
  'table describe': ({ table }) => askTableFacts(table),
  doctor: async ({ at, database, table }) => {
    // Against the rights that it asks for on others' behalf; a test of their own has those.
    const { signal } = new AbortController()
    await askTableFacts(table)
    assert.deepEqual(await findLeftovers(database, signal), [])
    const { connection } = await database.open()
    const transport = database.options.transport!
    const wire = new Wire(connection, undefined, at.clock, transport)
    const credentials = await connection.credentials.get()
    await probeService({ connection, credentials, wire, database }, seededRandom(1), signal, () => undefined)
  },
  'table list': async ({ database }) => {
    const names: string[] = []
    for await (const name of listTables(database)) names.push(name)
    assert.ok(names.includes('things'))
  },
  'table wait': ({ database }) => waitForTable(database, 'things'),
}

function diskOf({ clock }: Started): Disk {
  return new SimulatedDisk(seededRandom(1), (ms) => sleep(clock, ms)).session().disk
}

function sourceItems(records: number, first = 0): PlainItem[] {
  return Array.from({ length: records }, (_, index) => ({ pk: `k${index}`, n: (first + index) % 10 }))
}

function sourceOf(records: number, first = 0): RecordSource {
  return memory(sourceItems(records, first))
}

/** One item of them is new, and one has a name that is not for PartiQL, as what it replaces. */
function oddSource(records: number): RecordSource {
  return memory([
    ...sourceItems(records, 7),
    { pk: `new${records}`, n: 1 },
    { pk: `odd${records}`, 'an odd "name"': 1 },
    { pk: 'k1', 'an odd "name"': 1 },
  ])
}

function memory(items: readonly PlainItem[]): RecordSource {
  async function* read() {
    yield items.map((item, index) => ({ item, place: { file: 'memory', line: index + 1, offset: index * 20 } }))
  }
  const bytes = items.length * 20
  return {
    name: 'memory',
    records: read,
    sample: {
      sizeBytes: async () => bytes,
      seekable: false,
      read: () => ({ records: read(), bytesTaken: () => bytes }),
    },
  }
}

/** The rights that a run asked for. */
async function actionsOf(run: (world: World) => Promise<unknown>): Promise<Set<string>> {
  const at = await start({})
  const actions = new Set<string>()
  const database = connect({
    endpoint: 'https://dynamodb.eu-west-1.amazonaws.com',
    region: 'eu-west-1',
    credentials: { accessKeyId: 'simulated', secretAccessKey: 'simulated' },
    clock: at.clock,
    transport: {
      send: (headers, body, receiver) => {
        const target = headers[headers.indexOf('x-amz-target') + 1]!.replace('DynamoDB_20120810.', '')
        const operation = target as keyof typeof ACTIONS_OF_OPERATION
        if (operation === 'BatchExecuteStatement') {
          for (const { Statement } of JSON.parse(body.toString()).Statements) {
            const [verb] = Statement.split(' ')
            actions.add(`PartiQL${verb[0]}${verb.slice(1).toLowerCase()}`)
          }
        } else {
          for (const action of ACTIONS_OF_OPERATION[operation]) actions.add(action)
        }
        if (!world.losesNext || operation !== 'BatchExecuteStatement') return at.service.send(headers, body, receiver)
        world.losesNext = false
        const lost = { kind: 'reset', message: 'the answer was lost', cause: undefined } as const
        return at.service.send(headers, body, {
          onAnswer: () => receiver.onFailure(lost),
          onFailure: (failure) => receiver.onFailure(failure),
        })
      },
      close: () => at.service.close(),
    },
  })
  const world: World = { at, database, table: database.table('things'), losesNext: false }
  await at.clock.run(run(world))
  return actions
}

for (const [verb, run] of Object.entries(RUNS)) {
  test(`"headrace iam ${verb}" grants what a run of it asks for, and nothing else`, async () => {
    const used = await actionsOf(run)
    const { table, other } = VERB_ACTIONS[verb]!
    const needs = [
      ...new Set([...table.needs, ...(table.exports ?? []), ...(table.account ?? []), ...(other?.needs ?? [])]),
    ]
    const optional = optionalActions(verb).map(({ action }) => action)
    assert.deepEqual(
      [...used].filter((action) => ![...needs, ...optional].some((granted) => granted === action)),
      [],
      'it asks for what is not granted',
    )
    assert.deepEqual(
      needs.filter((action) => !used.has(action)),
      [],
      'it never asks for what is granted',
    )
    // Making a table is the command's own doing.
    const unused = optional.filter(
      (action) => !used.has(action) && action !== 'CreateTable' && action !== 'DeleteTable',
    )
    assert.deepEqual(unused, [])
  })
}

test('every command that talks to DynamoDB has a policy, and a run here once there is such a command', () => {
  // Those that continue or share the job of another command need its rights; the others send nothing to DynamoDB.
  const apart = new Set(['local', 'simulate', 'iam', 'resume', 'slice', 'status', 'report', 'pack-spark', 'deploy'])
  const found = COMMANDS.map(({ name }) => name).filter(
    (name) => !apart.has(name) && !/^(?:bench |completion$)/.test(name),
  )
  assert.ok(found.length >= 14, `found only ${found.join(', ')}`)
  for (const name of found) {
    assert.ok(POLICY_VERBS.includes(name), `${name} has no policy`)
    assert.ok(name in RUNS, `${name} has no run in this test`)
  }
})

test('a policy is least unless more is asked for, and stands on the table alone', () => {
  const policy = policyFor('update', { tableArn: ARN })
  assert.deepEqual(policy.Statement, [
    {
      Sid: 'HeadraceTable',
      Effect: 'Allow',
      Action: ['DescribeTable', 'Scan', 'Query', 'PartiQLUpdate', 'UpdateItem'].map((name) => `dynamodb:${name}`),
      Resource: [ARN],
    },
  ])
  const more = policyFor('update', { tableArn: ARN, optional: ['DeleteItem'] })
  assert.deepEqual(more.Statement[1]!.Action, ['dynamodb:DeleteItem'])
  assert.equal(policyFor('update', { tableArn: ARN, optional: 'all' }).Statement[1]!.Action.length, 4)
  assert.deepEqual(policyFor('scan', { tableArn: ARN, index: 'byMail' }).Statement[0]!.Resource, [
    ARN,
    `${ARN}/index/byMail`,
  ])
  const copy = policyFor('copy', { tableArn: ARN, otherTableArn: `${ARN}2` })
  assert.deepEqual(
    copy.Statement.map(({ Resource }) => Resource[0]),
    [ARN, `${ARN}2`],
  )
})

test('a job that reads no table has one table, which it writes', () => {
  const alone = policyFor('run', { tableArn: ARN })
  assert.deepEqual(
    alone.Statement.map(({ Action, Resource }) => [Action, Resource]),
    [[['dynamodb:DescribeTable', 'dynamodb:BatchWriteItem'], [ARN]]],
  )
  const both = policyFor('run', { tableArn: ARN, otherTableArn: `${ARN}2` })
  assert.deepEqual(both.Statement[0]!.Action, ['dynamodb:DescribeTable', 'dynamodb:Scan'])
})

test('what is no verb, no ARN and no optional right is refused in a sentence', () => {
  assert.throws(
    () => policyFor('fly', { tableArn: ARN }),
    /"fly" is not a command that needs IAM actions: use one of load, /,
  )
  assert.throws(() => policyFor('toString', { tableArn: ARN }), TypeError)
  assert.throws(() => policyFor('resume', { tableArn: ARN }), /pass that command/)
  for (const arn of ['users', `${ARN}/index/x`, 'arn:aws:s3:::bucket', `${ARN} `, `${ARN}"`, `${ARN}*`]) {
    assert.throws(() => policyFor('load', { tableArn: arn }), /is not a table ARN/)
  }
  assert.throws(() => policyFor('copy', { tableArn: ARN }), /two tables/)
  assert.throws(() => policyFor('load', { tableArn: ARN, otherTableArn: ARN }), /one table/)
  assert.throws(
    () => policyFor('load', { tableArn: ARN, optional: ['Scan'] }),
    /"Scan" is not an optional action of load/,
  )
})
