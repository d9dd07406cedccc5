import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { CreateTableCommand, DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb'
import { findStore } from '../../src/local/findStore.ts'
import { LocalError } from '../../src/local/localError.ts'
import { startLocal } from '../../src/local/startLocal.ts'
import { sleep, systemClock } from '../../src/runtime/clock.ts'
import { deferred } from '../../src/runtime/deferred.ts'

const installed = (['dynoxide', 'dynalite'] as const).filter((kind) => {
  try {
    return findStore(kind).kind === kind
  } catch {
    return false
  }
})

function client(endpoint: string): DynamoDBClient {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' }
  return new DynamoDBClient({ endpoint, region: 'us-east-1', credentials, maxAttempts: 1 })
}

async function createTable(endpoint: string, TableName: string): Promise<void> {
  await client(endpoint).send(
    new CreateTableCommand({
      TableName,
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  )
}

async function tables(endpoint: string): Promise<readonly string[] | undefined> {
  return (await client(endpoint).send(new ListTablesCommand({}))).TableNames
}

async function isGone(endpoint: string): Promise<boolean> {
  try {
    await fetch(endpoint)
    return false
  } catch {
    return true
  }
}

for (const kind of installed) {
  test(`${kind}: answers when started, is empty, and is gone when stopped`, async () => {
    const store = await startLocal({ kind })
    assert.strictEqual(store.kind, kind)
    assert.strictEqual(store.endpoint, `http://127.0.0.1:${store.port}`)
    assert.deepStrictEqual(await tables(store.endpoint), [])
    await store.stop()
    assert.ok(await isGone(store.endpoint))
    await store.stop()
  })

  test(`${kind}: keeps its data in a directory for the next start`, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'headrace-local-'))
    try {
      const dataDirectory = join(directory, 'deep', 'data')
      {
        await using store = await startLocal({ kind, dataDirectory })
        await createTable(store.endpoint, 'kept')
      }
      await using store = await startLocal({ kind, dataDirectory })
      assert.deepStrictEqual(await tables(store.endpoint), ['kept'])
    } finally {
      rmSync(directory, { recursive: true })
    }
  })

  test(`${kind}: is gone within two seconds after its parent was killed with SIGKILL`, async () => {
    const url = new URL('../../src/local/startLocal.js', import.meta.url).href
    const program = `
      const { startLocal } = await import(${JSON.stringify(url)})
      process.stdout.write((await startLocal({ kind: ${JSON.stringify(kind)} })).endpoint)
    `
    const parent = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [endpoint] = (await once(parent.stdout.setEncoding('utf8'), 'data')) as [string]
    assert.strictEqual(await isGone(endpoint), false)
    parent.kill('SIGKILL')
    const deadline = systemClock.now() + 2000
    while (!(await isGone(endpoint))) {
      assert.ok(systemClock.now() < deadline, 'the store outlived its parent')
      await sleep(systemClock, 20)
    }
  })
}

test('two stores at once do not know of each other', async () => {
  await using one = await startLocal()
  await using two = await startLocal()
  await createTable(one.endpoint, 'only-one')
  assert.deepStrictEqual(await tables(two.endpoint), [])
})

test('a port in use is told, whoever uses it', async () => {
  await using store = await startLocal()
  const taken = (error: unknown) =>
    error instanceof LocalError && /^Port \d+ is in use\. Choose another/.test(error.message)
  await assert.rejects(startLocal({ port: store.port }), taken)
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const address = other.address()
  assert.ok(typeof address === 'object' && address !== null)
  await assert.rejects(startLocal({ port: address.port }), taken)
  other.close()
})

test('a port that is none is a TypeError', async () => {
  await assert.rejects(
    startLocal({ port: 70_000 }),
    (error) => error instanceof TypeError && /port must be .* not 70000/.test(error.message),
  )
})

test('a program that is no store is told with what it said', async () => {
  process.env['HEADRACE_DYNOXIDE'] = process.execPath
  try {
    await assert.rejects(
      startLocal({ kind: 'dynoxide' }),
      (error) =>
        error instanceof LocalError &&
        /ended while starting \(exit code \d+\)\. Its last output:\n[\s\S]*serve/.test(error.message),
    )
  } finally {
    delete process.env['HEADRACE_DYNOXIDE']
  }
})

test('a store that is stopped does not trouble onExit', async () => {
  const reasons: LocalError[] = []
  const store = await startLocal({ onExit: (reason) => reasons.push(reason) })
  await store.stop()
  assert.deepStrictEqual(reasons, [])
})

test('a store that ends by itself is told to onExit, with what it said last', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'headrace-local-'))
  const program = join(directory, 'short-lived')
  // Answers once, as a store would, and then gives up.
  const script = `#!${process.execPath}
    const server = require('node:http').createServer((request, response) => {
      response.setHeader('x-amzn-requestid', '1').end(() => {
        console.error('out of breath')
        process.exitCode = 7
        server.close()
      })
    })
    server.listen(process.argv[process.argv.indexOf('--port') + 1], '127.0.0.1')
  `
  writeFileSync(program, script, { mode: 0o755 })
  process.env['HEADRACE_DYNOXIDE'] = program
  try {
    const exited = deferred<LocalError>()
    const store = await startLocal({ onExit: (reason) => exited.resolve(reason) })
    assert.match((await exited.promise).message, /has ended \(exit code 7\)\. Its last output:\nout of breath$/)
    await store.stop()
  } finally {
    delete process.env['HEADRACE_DYNOXIDE']
    rmSync(directory, { recursive: true })
  }
})
