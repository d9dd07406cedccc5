import assert from 'node:assert/strict'
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { type ConnectOptions, connect, HeadraceError, NumberValue, type PlainItem } from '../../src/index.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { headrace, scratchDirectory } from '../e2e/command.ts'
import { type ScriptedAnswer, serviceError, startScriptedServer } from '../support/scriptedServer.ts'
import { newTable, store } from '../support/store.ts'

const BOUNDED = { timeout: 40_000 }
const TABLE = {
  TableName: 'things',
  TableStatus: 'ACTIVE',
  KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
  AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
}
const STORED = { body: { UnprocessedItems: {}, ConsumedCapacity: [{ TableName: 'things', CapacityUnits: 1 }] } }

async function put(endpoint: string, options: ConnectOptions = {}, patienceMs = 4_000): Promise<void> {
  await using database = connect({ endpoint, ...options })
  const publisher = database.table('things').publisher({ patienceMs })
  publisher.put({ pk: 'a' })
  await publisher.close()
}

function page(status: number, title: string): ScriptedAnswer {
  const body = `<!doctype html><html><head><title>\n ${title} </title></head><body>no</body></html>`
  return { status, headers: { 'content-type': 'text/html' }, body }
}

for (const status of [302, 401, 403, 407, 451]) {
  test(
    `C5: ${status} with a page names a proxy or gateway, quotes its title, and is not asked again`,
    BOUNDED,
    async () => {
      await using server = await startScriptedServer(({ operation }) =>
        operation === 'DescribeTable' ? { body: { Table: TABLE } } : page(status, 'Zscaler: not allowed'),
      )
      await assert.rejects(put(server.endpoint), (error: unknown) => {
        assert.ok(error instanceof HeadraceError)
        assert.equal(error.code, 'UNREACHABLE')
        assert.match(
          error.message,
          new RegExp(`a proxy or gateway answered .* status ${status}: "Zscaler: not allowed"`),
        )
        return true
      })
      assert.equal(server.requests.length, 2)
    },
  )
}

for (const status of [200, 502, 503, 504]) {
  test(`C5: ${status} with a page is asked again, and named when patience ends`, BOUNDED, async () => {
    let isBack = false
    await using server = await startScriptedServer(({ operation, number }) => {
      if (operation === 'DescribeTable') return { body: { Table: TABLE } }
      return isBack && number > 4 ? STORED : page(status, '502 Bad Gateway')
    })
    await assert.rejects(put(server.endpoint, {}, 300), /a proxy or gateway answered .*: "502 Bad Gateway"/)
    isBack = true
    await put(server.endpoint)
  })
}

const WRONG_BY_MS = 3 * 3_600_000
const WRONG_CLOCK: ConnectOptions = {
  clock: { ...systemClock, wallNow: () => Date.now() - WRONG_BY_MS },
  credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
}

function amzTime(ms: number): string {
  return new Date(ms).toISOString().replace(/[-:]|\.\d+/g, '')
}

/** Takes what is signed within five minutes, and has no `Date` header. */
function startStrict(messageOf: (signed: string, now: number) => string) {
  return startScriptedServer(({ operation, headers }) => {
    const signed = String(headers['x-amz-date'])
    const now = Date.now()
    const isInTime = signed >= amzTime(now - 300_000)
    if (isInTime && operation === 'DescribeTable') return { headers: { date: '' }, body: { Table: TABLE } }
    if (isInTime) return { headers: { date: '' }, ...STORED }
    const answer = serviceError('InvalidSignatureException', messageOf(signed, now)) as object
    return { ...answer, headers: { date: '' } }
  })
}

test('C6: without a Date header a wrong clock is corrected by what the service says', BOUNDED, async () => {
  await using server = await startStrict(
    (signed, now) =>
      `Signature expired: ${signed} is now earlier than ${amzTime(now - 300_000)} (${amzTime(now)} - 5 min.)`,
  )
  await put(server.endpoint, WRONG_CLOCK)
})

test('C6: where nothing says the time, the wrong clock is named', BOUNDED, async () => {
  await using server = await startStrict((signed) => `Signature expired: ${signed} is too old`)
  await assert.rejects(put(server.endpoint, WRONG_CLOCK), (error: unknown) => {
    assert.ok(error instanceof HeadraceError)
    assert.equal(error.code, 'CONFIGURATION')
    assert.match(error.message, /rejects this machine's time, .*Signature expired.*Set this machine's clock/)
    return true
  })
})

test('C7: a table that is being made is waited for, and that is said', BOUNDED, async () => {
  using directory = scratchDirectory()
  writeFileSync(join(directory.path, 'items.jsonl'), '{"pk":"a"}\n')
  let described = 0
  await using server = await startScriptedServer(({ operation }) => {
    if (operation === 'DescribeTable') {
      described += 1
      return { body: { Table: { ...TABLE, TableStatus: described < 3 ? 'CREATING' : 'ACTIVE' } } }
    }
    return described < 3 ? serviceError('ResourceNotFoundException', 'Requested resource not found') : STORED
  })
  const args = ['load', 'things', 'items.jsonl', '--endpoint-url', server.endpoint]
  const end = await headrace(args, { directory: directory.path })
  assert.equal(end.code, 0, end.stderr)
  assert.match(end.stderr, /table things is CREATING: waiting until it is ACTIVE/)
})

for (const status of ['UPDATING', 'DELETING', 'INACCESSIBLE_ENCRYPTION_CREDENTIALS', 'ARCHIVING', 'ARCHIVED']) {
  test(`C7: a table that is ${status}`, BOUNDED, async () => {
    await using server = await startScriptedServer(({ operation }) =>
      operation === 'DescribeTable' ? { body: { Table: { ...TABLE, TableStatus: status } } } : STORED,
    )
    if (status === 'UPDATING') {
      await put(server.endpoint)
      return
    }
    await assert.rejects(put(server.endpoint), (error: unknown) => {
      assert.ok(error instanceof HeadraceError)
      assert.equal(error.code, 'TABLE')
      assert.match(error.message, new RegExp(`table things is ${status} and cannot be used`))
      return true
    })
  })
}

test('C8: a NumberValue and an error of another copy of the package are taken as our own', BOUNDED, async () => {
  using directory = scratchDirectory()
  // The whole package as it is built, where its dependencies are found, too.
  const root = fileURLToPath(new URL('../../../', import.meta.url))
  const copy = join(directory.path, 'node_modules', 'headrace')
  mkdirSync(copy, { recursive: true })
  cpSync(join(root, 'dist'), join(copy, 'dist'), { recursive: true })
  cpSync(join(root, 'package.json'), join(copy, 'package.json'))
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  const other = (await import(pathToFileURL(join(copy, 'dist', 'index.js')).href)) as {
    NumberValue: typeof NumberValue
    HeadraceError: typeof HeadraceError
  }
  assert.notEqual(other.NumberValue, NumberValue)
  const exact = '0.12345678901234567890123456789'
  const table = await newTable()
  const publisher = table.publisher()
  publisher.put({ id: 'a', n: new other.NumberValue(exact), list: [new other.NumberValue(exact)] } as PlainItem)
  await publisher.close()
  const item = await table.get({ id: 'a' })
  assert.equal(`${item?.['n']}`, exact)
  assert.ok(item!['n'] instanceof other.NumberValue)
  assert.ok(new other.HeadraceError('CLOSED', 'over') instanceof HeadraceError)
  const forged = Object.assign(Object.create(other.NumberValue.prototype as object), { text: '1"},"x":{"S":"y' })
  assert.ok(!(forged instanceof NumberValue))
})

const nested = `${'['.repeat(40)}1${']'.repeat(40)}`
for (const [name, args, environment, codes] of [
  ['AWS_ACCOUNT_ID', [], { AWS_ACCOUNT_ID: 'bad id!', AWS_ENDPOINT_URL_DYNAMODB: undefined }, [4]],
  ['--set with a lone surrogate', ['--set', 'v="\\ud800"'], {}, [2, 4]],
  ['--set with an empty attribute name', ['--set', 'v={"":1}'], {}, [2, 4]],
  ['--set with a value nested too deep', ['--set', `v=${nested}`], {}, [2, 4]],
  ['--set of a number that is too long', ['--set', `v=${'9'.repeat(60)}`], {}, [2, 4]],
  ['--set of the key', ['--set', 'id="x"'], {}, [2, 4, 3]],
  ['AWS_REGION', [], { AWS_REGION: 'no region!' }, [2, 4]],
  ['an endpoint that is no address', [], { AWS_ENDPOINT_URL_DYNAMODB: 'nonsense' }, [2, 4]],
] as const) {
  test(`C9: ${name} that makes no sense is a sentence`, BOUNDED, async () => {
    using directory = scratchDirectory()
    const table = await newTable()
    const publisher = table.publisher()
    publisher.put({ id: 'a' })
    await publisher.close()
    const end = await headrace(['update', table.name, ...(args.length === 0 ? ['--set', 'v=1'] : args)], {
      directory: directory.path,
      environment: {
        AWS_ENDPOINT_URL_DYNAMODB: store.endpoint,
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: 'a',
        AWS_SECRET_ACCESS_KEY: 'b',
        ...environment,
      },
    })
    assert.doesNotMatch(end.stderr, /\n\s+at |node:internal/)
    assert.ok((codes as readonly (number | null)[]).includes(end.code), `${end.code}: ${end.stderr}`)
  })
}
