import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { examineNode, NODE_FROM } from '../../src/doctor/examineProgram.ts'
import { EXPECTATIONS } from '../../src/doctor/expectations.ts'
import { policyFor } from '../../src/operations/policy.ts'
import { createTable } from '../../src/operations/tables.ts'
import { startGateway } from '../../src/simulator/gateway.ts'
import { startConnectProxy } from '../support/connectProxy.ts'
import { makePrivateCa, type PrivateCa, startTlsFront } from '../support/privateCa.ts'
import { type ScriptedAnswer, serviceError, startScriptedServer } from '../support/scriptedServer.ts'
import { database, newTable, store } from '../support/store.ts'
import { type CommandEnd, type CommandOptions, headrace, scratchDirectory } from './command.ts'

interface Event {
  readonly event: string
  readonly check: string
  readonly state: 'ok' | 'unknown' | 'warning' | 'failure'
  readonly message: string
  readonly advice?: string
}

const directory = scratchDirectory()
let authority: PrivateCa

before(async () => {
  authority = await makePrivateCa()
})
after(() => directory[Symbol.dispose]())

const KEYS = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_REGION: 'us-east-1' }
/** A session that can expire. */
const SESSION = { ...KEYS, AWS_SESSION_TOKEN: 'once' }
/** Whatever proxies this machine has. */
const DIRECT = { HTTPS_PROXY: undefined, https_proxy: undefined, HTTP_PROXY: undefined, http_proxy: undefined }
const TABLE = {
  TableName: 'things',
  TableStatus: 'ACTIVE',
  TableArn: 'arn:aws:dynamodb:us-east-1:123456789012:table/things',
  KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
  AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
  BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
}

function run(args: readonly string[], options: Partial<CommandOptions> = {}): Promise<CommandEnd> {
  const environment = { ...DIRECT, ...options.environment }
  return headrace(['doctor', ...args], { directory: directory.path, ...options, environment })
}

/** What was found, by check; and nothing that is not a finding of known shape. */
async function diagnose(
  args: readonly string[],
  environment: { readonly [name: string]: string | undefined } = {},
): Promise<{ code: number | null; found: Map<string, Event>; findings: readonly Event[]; events: readonly Event[] }> {
  const { code, stdout, stderr } = await run([...args, '--json'], { environment })
  assert.equal(stderr, '')
  const events = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Event)
  const findings = events.filter(({ event }) => event === 'finding')
  for (const { check, state, message, advice } of findings) {
    assert.match(state, /^(?:ok|unknown|warning|failure)$/)
    assert.ok(message.length > 0, check)
    if (state === 'warning' || state === 'failure')
      assert.ok(advice !== undefined && advice.length > 10, `${check} says what to do next`)
  }
  const done = events.at(-1)! as unknown as { [name: string]: unknown }
  const count = (state: string): number => findings.filter((finding) => finding.state === state).length
  assert.equal(done['event'], 'done')
  assert.deepEqual(
    [done['ok'], done['unknown'], done['warnings'], done['failures']],
    [count('ok'), count('unknown'), count('warning'), count('failure')],
    'the counts add up',
  )
  return { code, found: new Map(findings.map((finding) => [finding.check, finding])), findings, events }
}

function failuresOf(findings: readonly Event[]): string[] {
  return findings.flatMap(({ check, state }) => (state === 'failure' ? [check] : []))
}

async function closedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function tableNames(): Promise<string[]> {
  const { service } = await database.open()
  return ((await service.call('ListTables', {})) as { TableNames: string[] }).TableNames
}

async function probeTables(): Promise<string[]> {
  return (await tableNames()).filter((name) => name.startsWith('headrace-doctor-'))
}

test('a sound setup: each part is named, nothing is changed, exit status 0', async () => {
  const table = await newTable({ partition: { name: 'id', type: 'S' }, sort: { name: 'n', type: 'N' } })
  const { code, stdout } = await run([table.name, '--endpoint-url', store.endpoint])
  assert.equal(code, 0, stdout)
  const lines = stdout.trimEnd().split('\n')
  const checks = lines.slice(0, -1).map((line) => /^(?:ok|unknown|warning) +(.+?) {2,}/.exec(line)?.[1])
  assert.deepEqual(checks, [
    'headrace',
    'node',
    'packages',
    'certificates',
    'region',
    'credentials',
    'proxy',
    'endpoint',
    'clock',
    'access',
    'table',
    'capacity',
    'indexes',
    'time to live',
    'streams',
    'point-in-time recovery',
    'deletion protection',
    'permissions',
    'probe tables',
  ])
  assert.match(stdout, /region +us-east-1 \(the default for an endpoint on this machine\)/)
  assert.match(stdout, /credentials +made up/)
  assert.match(stdout, /endpoint .*over plain HTTP; latency p50 [\d.]+ ms of 5 requests/)
  assert.match(stdout, /permissions +this identity may run load, generate, update, delete/)
  assert.match(stdout, /table +things\d+ is ACTIVE; key id:S, n:N/)
  assert.match(lines.at(-1)!, /^19 checks: 17 ok, 2 unknown, 0 warnings, 0 failures$/)
  for await (const item of table.scan()) assert.fail(`an item was written: ${JSON.stringify(item)}`)
  const quiet = await run([table.name, '--endpoint-url', store.endpoint, '--quiet'])
  assert.deepEqual([quiet.code, quiet.stdout], [0, ''])
})

test('where region, endpoint and credentials come from is told', async () => {
  writeFileSync(
    join(directory.path, 'config'),
    '[profile nightly]\nregion = eu-west-1\naws_access_key_id = key\naws_secret_access_key = secret\n',
  )
  const files = { AWS_CONFIG_FILE: join(directory.path, 'config'), AWS_ENDPOINT_URL: store.endpoint }
  const profile = await diagnose(['--profile', 'nightly'], files)
  assert.equal(profile.code, 0)
  assert.equal(profile.found.get('region')!.message, 'eu-west-1 (the profile)')
  assert.match(profile.found.get('credentials')!.message, /^from the profile; took \d+ ms; they do not expire$/)
  assert.match(profile.found.get('endpoint')!.message, /\(AWS_ENDPOINT_URL\)/)
  const variables = await diagnose([], { ...KEYS, AWS_ENDPOINT_URL_DYNAMODB: store.endpoint })
  assert.equal(variables.found.get('region')!.message, 'us-east-1 (AWS_REGION)')
  assert.match(variables.found.get('credentials')!.message, /^from the environment \(AWS_ACCESS_KEY_ID\)/)
  assert.match(variables.found.get('endpoint')!.message, /\(AWS_ENDPOINT_URL_DYNAMODB\)/)
  const option = await diagnose(['--region', 'us-west-2', '--endpoint-url', store.endpoint], KEYS)
  assert.equal(option.found.get('region')!.message, 'us-west-2 (--region)')
})

test('no region and no credentials: both are found in one run, exit status 4', async () => {
  const { code, found, findings } = await diagnose(['things'])
  assert.equal(code, 4)
  assert.deepEqual(failuresOf(findings), ['region', 'credentials'])
  assert.match(found.get('region')!.advice!, /--region, set AWS_REGION/)
  assert.match(found.get('credentials')!.advice!, /aws sso login/)
  for (const check of ['endpoint', 'clock', 'access', 'table'])
    assert.match(found.get(check)!.message, /^not checked: /, check)
})

test('no credentials, but a region: the endpoint and the clock are looked at all the same', async () => {
  await using server = await startScriptedServer(({ headers }) => {
    assert.equal(headers.authorization, undefined)
    return serviceError('MissingAuthenticationTokenException')
  })
  const front = await startTlsFront(await authority.issue('dynamodb.corp.example'), server.endpoint)
  await using proxy = await startConnectProxy({ hosts: { 'dynamodb.corp.example:443': front.port } })
  const bundle = join(directory.path, 'ca.pem')
  writeFileSync(bundle, authority.certificate)
  const { code, found, findings } = await diagnose(['--endpoint-url', 'https://dynamodb.corp.example'], {
    AWS_REGION: 'us-east-1',
    HTTPS_PROXY: `http://user:secret@127.0.0.1:${proxy.port}`,
    AWS_CA_BUNDLE: bundle,
  })
  await front[Symbol.asyncDispose]()
  assert.equal(code, 4)
  assert.deepEqual(failuresOf(findings), ['credentials'])
  assert.match(found.get('endpoint')!.message, /over TLS; latency p50/)
  assert.equal(found.get('clock')!.state, 'ok')
  assert.match(found.get('access')!.message, /^not checked: there are no credentials/)
  // Its password is nobody's business.
  assert.equal(found.get('proxy')!.message.includes('secret'), false)
  assert.match(found.get('proxy')!.message, new RegExp(`^http://127.0.0.1:${proxy.port}, as HTTPS_PROXY`))
  assert.match(found.get('certificates')!.message, /AWS_CA_BUNDLE \(.*ca\.pem, 1 certificate\)/)
})

test('a certificate that nobody trusts: the endpoint fails, and the variables are named', async () => {
  const front = await startTlsFront(await authority.issue('localhost'), store.endpoint)
  const endpoint = `https://localhost:${front.port}`
  const { code, found, findings } = await diagnose(['--endpoint-url', endpoint], KEYS)
  await front[Symbol.asyncDispose]()
  assert.equal(code, 1)
  assert.deepEqual(failuresOf(findings), ['endpoint'])
  assert.match(found.get('endpoint')!.message, /certificate is not trusted/)
  assert.match(found.get('endpoint')!.advice!, /AWS_CA_BUNDLE or NODE_EXTRA_CA_CERTS/)
})

test('an AWS_CA_BUNDLE that cannot be used is a failure of its own, and the rest is looked at', async () => {
  writeFileSync(join(directory.path, 'empty.pem'), 'nothing\n')
  for (const bundle of [join(directory.path, 'empty.pem'), '/not/there.pem']) {
    const { code, found, findings } = await diagnose(['--endpoint-url', store.endpoint], {
      ...KEYS,
      AWS_CA_BUNDLE: bundle,
    })
    assert.equal(code, 4)
    assert.deepEqual(failuresOf(findings), ['certificates'])
    assert.match(found.get('certificates')!.message, new RegExp(`AWS_CA_BUNDLE names ${bundle}`))
    assert.equal(found.get('access')!.state, 'ok', 'plain HTTP needs none')
  }
  const secure = await diagnose([], { ...KEYS, AWS_CA_BUNDLE: '/not/there.pem' })
  assert.deepEqual(failuresOf(secure.findings), ['certificates'])
  assert.match(secure.found.get('endpoint')!.message, /^not checked: the certificate authorities/)
})

test('settings that cannot be used are named: profile, endpoint, proxy', async () => {
  const profile = await diagnose(['--profile', 'missing'], { AWS_REGION: 'us-east-1' })
  assert.deepEqual([profile.code, failuresOf(profile.findings)], [4, ['profile']])
  const endpoint = await diagnose(['--endpoint-url', 'localhost-8000'], KEYS)
  assert.deepEqual([endpoint.code, failuresOf(endpoint.findings)], [4, ['endpoint']])
  const proxy = await diagnose([], { ...KEYS, HTTPS_PROXY: 'socks5://127.0.0.1:1' })
  assert.deepEqual([proxy.code, failuresOf(proxy.findings)], [4, ['proxy']])
  for (const { found } of [profile, endpoint, proxy]) assert.match(found.get('access')!.message, /^not checked/)
})

test('no network: a closed port, and a name that does not resolve', async () => {
  const closed = await diagnose(['things', '--endpoint-url', `http://127.0.0.1:${await closedPort()}`])
  assert.deepEqual([closed.code, failuresOf(closed.findings)], [1, ['endpoint']])
  assert.match(closed.found.get('endpoint')!.message, /ECONNREFUSED/)
  assert.match(closed.found.get('table')!.message, /^not checked/)
  const unknown = await diagnose(['--endpoint-url', 'https://dynamodb.nowhere.invalid'], KEYS)
  assert.deepEqual([unknown.code, failuresOf(unknown.findings)], [1, ['endpoint']])
  assert.match(unknown.found.get('endpoint')!.message, /ENOTFOUND|EAI_AGAIN/)
  assert.match(unknown.found.get('endpoint')!.advice!, /Check the name, the region, the network/)
})

test('a host that accepts and never answers: found in time, and the command ends', async () => {
  await using server = await startScriptedServer(() => 'stall')
  const startedAt = performance.now()
  const { code, found, findings } = await diagnose(['things', '--endpoint-url', server.endpoint], KEYS)
  const seconds = (performance.now() - startedAt) / 1_000
  assert.ok(seconds < 12, `${seconds} s`)
  assert.deepEqual([code, failuresOf(findings)], [1, ['endpoint']])
  assert.match(found.get('endpoint')!.advice!, /firewalls and proxies/)
  assert.equal(server.requests.length, 1, 'what cannot be reached is not asked for more')
})

test('a service that stops answering in the middle: each check ends in time', async () => {
  let asked = 0
  await using server = await startScriptedServer(({ operation }) => {
    asked += 1
    return operation === 'ListTables' && asked <= 5 ? { body: { TableNames: [] } } : 'stall'
  })
  const startedAt = performance.now()
  const { code, found, findings } = await diagnose(['things', '--endpoint-url', server.endpoint], KEYS)
  const seconds = (performance.now() - startedAt) / 1_000
  assert.ok(seconds < 30, `${seconds} s`)
  assert.deepEqual([code, failuresOf(findings)], [1, ['table']])
  assert.equal(found.get('endpoint')!.state, 'ok')
  assert.match(found.get('probe tables')!.message, /^not checked: /)
})

test('a sign-in page in the place of DynamoDB', async () => {
  await using server = await startScriptedServer(() => ({ body: '<html><title>Sign in</title></html>' }))
  const { code, found, findings } = await diagnose(['--endpoint-url', server.endpoint], KEYS)
  assert.deepEqual([code, failuresOf(findings)], [1, ['endpoint']])
  assert.match(found.get('endpoint')!.message, /not as DynamoDB does/)
})

test('a clock that is wrong: a warning above one minute, a failure above four', async () => {
  const cases = [
    { skewMs: 30_000, state: 'ok', said: /30 s behind/, code: 0 },
    { skewMs: -90_000, state: 'warning', said: /(?:89|90|91) s ahead of the service/, code: 0 },
    { skewMs: 280_000, state: 'failure', said: /(?:279|280|281) s behind the service/, code: 4 },
    { skewMs: -3_600_000, state: 'failure', said: /36\d\d s|3599 s/, code: 4 },
  ] as const
  for (const { skewMs, state, said, code } of cases) {
    await using server = await startScriptedServer(({ headers }): ScriptedAnswer => {
      const serverMs = Date.now() + skewMs
      const date = { date: new Date(serverMs).toUTCString() }
      const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(
        `${headers['x-amz-date']}`,
      )!
      const signedMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
      // As the service does.
      if (Math.abs(signedMs - serverMs) > 300_000) {
        const refused = serviceError('InvalidSignatureException', 'Signature expired: it is now earlier than')
        return { ...(refused as object), headers: date }
      }
      return { body: { TableNames: [] }, headers: date }
    })
    const end = await diagnose(['--endpoint-url', server.endpoint], KEYS)
    assert.equal(end.found.get('clock')!.state, state, `${skewMs} ms`)
    assert.match(end.found.get('clock')!.message, said)
    assert.equal(end.code, code)
    assert.equal(end.found.get('access')!.state, 'ok', 'the time of the service is used, as jobs do')
  }
})

test('credentials that the service does not accept: exit status 4, and what to do', async () => {
  const cases = [
    ['ExpiredTokenException', /sign in again/],
    ['UnrecognizedClientException', /access key exists/],
    ['InvalidSignatureException', /secret access key/],
  ] as const
  for (const [name, advice] of cases) {
    await using server = await startScriptedServer(() => serviceError(name, 'no'))
    const { code, found, findings } = await diagnose(['things', '--endpoint-url', server.endpoint], SESSION)
    assert.deepEqual([code, failuresOf(findings)], [4, ['access']], name)
    assert.match(found.get('access')!.message, new RegExp(`${name}: no`))
    assert.match(found.get('access')!.advice!, advice)
  }
})

test('a provider: how long it took and when its credentials expire, or that they have', async () => {
  const script = join(directory.path, 'provide.cjs')
  const config = join(directory.path, 'process-config')
  writeFileSync(config, `[default]\nregion = us-east-1\ncredential_process = ${process.execPath} ${script}\n`)
  const provide = (leftMs: number): void =>
    writeFileSync(
      script,
      `console.log(JSON.stringify({ Version: 1, AccessKeyId: 'key', SecretAccessKey: 'secret', SessionToken: 'token', Expiration: ${JSON.stringify(new Date(Date.now() + leftMs).toISOString())} }))`,
    )
  const environment = { AWS_CONFIG_FILE: config, AWS_PROFILE: 'default' }
  const args = ['--endpoint-url', store.endpoint]
  provide(3 * 3_600_000)
  const long = await diagnose(args, environment)
  assert.equal(long.found.get('credentials')!.state, 'ok')
  assert.match(long.found.get('credentials')!.message, /credential_process.*took \d+ ms; expire at .*in 3 hours/)
  provide(6 * 60_000)
  const soon = await diagnose(args, environment)
  assert.equal(soon.found.get('credentials')!.state, 'warning')
  assert.match(soon.found.get('credentials')!.message, /in 6 minutes/)
  provide(-60_000)
  const expired = await diagnose(args, environment)
  assert.equal(expired.code, 4)
  assert.equal(expired.found.get('credentials')!.state, 'failure')
  writeFileSync(script, 'setInterval(() => undefined, 1000)')
  const startedAt = performance.now()
  const hangs = await diagnose(args, environment)
  const seconds = (performance.now() - startedAt) / 1_000
  assert.equal(hangs.code, 4)
  assert.match(hangs.found.get('credentials')!.message, /has not answered for 10 s/)
  assert.ok(seconds < 20, `${seconds} s`)
})

test('rights: what is lacking is named for each command, and --for makes it a failure', async () => {
  const denied = new Set(['BatchWriteItem', 'DescribeTimeToLive', 'DescribeContinuousBackups', 'ListTables'])
  await using server = await startScriptedServer(({ operation, body }) => {
    if (denied.has(operation)) {
      const message = `User: arn:aws:iam::123456789012:user/me is not authorized to perform: dynamodb:${operation}`
      return serviceError('AccessDeniedException', message)
    }
    if (operation === 'DescribeTable') return { body: { Table: TABLE } }
    if (operation === 'BatchExecuteStatement')
      return { body: { Responses: body.Statements.map(() => ({ Error: { Code: 'ConditionalCheckFailed' } })) } }
    if (/^(?:Put|Update|Delete)Item$/.test(operation)) return serviceError('ConditionalCheckFailedException')
    return { body: {} }
  })
  const args = ['things', '--endpoint-url', server.endpoint]
  const { code, found, findings } = await diagnose(args, KEYS)
  assert.equal(code, 0)
  const permissions = findings.filter(({ check }) => check === 'permissions')
  assert.match(permissions[0]!.message, /^this identity may run update, copy from, run from, export, count, scan/)
  const load = permissions.find(({ message }) => message.startsWith('load:'))!
  assert.equal(load.message, 'load: this identity lacks dynamodb:BatchWriteItem')
  assert.equal(load.advice, `headrace iam load --table ${TABLE.TableArn} prints the policy`)
  assert.ok(permissions.some(({ message }) => message.startsWith('copy to: this identity lacks')))
  // Rights of their own: named, and the rest is there.
  assert.equal(found.get('time to live')!.message, 'not checked: this identity lacks dynamodb:DescribeTimeToLive')
  assert.match(found.get('point-in-time recovery')!.message, /lacks dynamodb:DescribeContinuousBackups$/)
  assert.equal(found.get('table')!.state, 'ok')
  assert.match(found.get('probe tables')!.message, /lacks dynamodb:ListTables/)
  assert.equal(found.get('access')!.state, 'ok', 'a denial is an answer to credentials that are accepted')
  // Nothing that was asked could change anything.
  for (const { operation, body } of server.requests) {
    if (/^(?:Put|Update|Delete)Item$/.test(operation)) assert.equal(body.ConditionExpression, 'attribute_exists(#p)')
    assert.doesNotMatch(operation, /^(?:CreateTable|DeleteTable|ExportTableToPointInTime)$/)
    for (const { Statement } of body?.Statements ?? []) assert.doesNotMatch(Statement, /^INSERT/)
  }

  const failing = await diagnose([...args, '--for', 'load', '--for', 'count'], KEYS)
  assert.deepEqual([failing.code, failuresOf(failing.findings)], [5, ['permissions']])
  const fine = await diagnose([...args, '--for', 'update'], KEYS)
  assert.equal(fine.code, 0)
  assert.equal(fine.found.get('permissions')!.message, 'this identity may run update')
})

test('a table that is missing, denied, or not ACTIVE: exit status 5', async () => {
  const missing = await diagnose(['nothing', '--endpoint-url', store.endpoint])
  assert.deepEqual([missing.code, failuresOf(missing.findings)], [5, ['table']])
  assert.match(missing.found.get('table')!.message, /there is no table "nothing"/)
  await using denying = await startScriptedServer(({ operation }) =>
    operation === 'ListTables' ? { body: { TableNames: [] } } : serviceError('AccessDeniedException', 'not authorized'),
  )
  const denied = await diagnose(['things', '--endpoint-url', denying.endpoint], KEYS)
  assert.equal(denied.code, 5)
  assert.match(denied.found.get('table')!.message, /AccessDeniedException/)
  await using making = await startScriptedServer(({ operation }) => {
    if (operation !== 'DescribeTable') return { body: {} }
    return { body: { Table: { ...TABLE, TableStatus: 'CREATING' } } }
  })
  const creating = await diagnose(['things', '--endpoint-url', making.endpoint], KEYS)
  assert.equal(creating.code, 5)
  assert.match(creating.found.get('table')!.advice!, /headrace table wait things/)
})

test('a service that throttles everything is reachable, and says so', async () => {
  await using server = await startScriptedServer(() => serviceError('ThrottlingException', 'Rate exceeded'))
  const { code, found } = await diagnose(['things', '--endpoint-url', server.endpoint], KEYS)
  assert.equal(code, 1)
  assert.equal(found.get('endpoint')!.state, 'ok')
  assert.equal(found.get('access')!.state, 'warning')
  assert.match(found.get('access')!.message, /throttles the first requests \(ThrottlingException: Rate exceeded\)/)
  assert.match(found.get('table')!.message, /ThrottlingException/)
})

test('facts of a table: capacity, indexes that are built, streams, recovery, expiry, protection', async () => {
  const index = (IndexName: string, IndexStatus: string): object => ({
    IndexName,
    IndexStatus,
    KeySchema: [{ AttributeName: 'mail', KeyType: 'HASH' }],
    Projection: { ProjectionType: 'ALL' },
  })
  await using server = await startScriptedServer(({ operation }) => {
    switch (operation) {
      case 'DescribeTable':
        return {
          body: {
            Table: {
              ...TABLE,
              BillingModeSummary: undefined,
              ProvisionedThroughput: { ReadCapacityUnits: 100, WriteCapacityUnits: 50 },
              GlobalSecondaryIndexes: [index('byMail', 'ACTIVE'), index('byName', 'CREATING')],
              StreamSpecification: { StreamEnabled: true },
              DeletionProtectionEnabled: true,
            },
          },
        }
      case 'DescribeTimeToLive':
        return { body: { TimeToLiveDescription: { TimeToLiveStatus: 'ENABLED', AttributeName: 'expires' } } }
      case 'DescribeContinuousBackups':
        return {
          body: {
            ContinuousBackupsDescription: {
              PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: 'DISABLED' },
            },
          },
        }
      case 'DescribeKinesisStreamingDestination':
        return { body: { KinesisDataStreamDestinations: [{ DestinationStatus: 'ACTIVE' }] } }
      default:
        return { body: {} }
    }
  })
  const { code, found } = await diagnose(['things', '--endpoint-url', server.endpoint], KEYS)
  assert.equal(code, 0)
  assert.equal(found.get('capacity')!.message, 'provisioned: 100 RCU/s, 50 WCU/s')
  assert.equal(found.get('indexes')!.message, 'byMail (ACTIVE), byName (CREATING)')
  assert.equal(found.get('indexes')!.state, 'warning')
  assert.equal(found.get('time to live')!.message, 'on: items expire at expires')
  assert.equal(found.get('streams')!.message, 'each change goes to a DynamoDB stream and 1 Kinesis stream')
  assert.equal(found.get('point-in-time recovery')!.state, 'warning')
  assert.equal(found.get('deletion protection')!.message, 'on')

  const described = await headrace(['table', 'describe', 'things', '--endpoint-url', server.endpoint, '--json'], {
    directory: directory.path,
  })
  const event = JSON.parse(described.stdout) as { [name: string]: unknown }
  assert.deepEqual(
    [event['timeToLiveAttribute'], event['hasPointInTimeRecovery'], event['kinesisStreams'], event['missingActions']],
    ['expires', false, 1, []],
  )
  const words = await headrace(['table', 'describe', 'things', '--endpoint-url', server.endpoint], {
    directory: directory.path,
  })
  assert.match(
    words.stdout,
    /time to live +attribute expires\n +point-in-time recovery +off\n +deletion protection +on/,
  )
  assert.match(words.stdout, /indexes +byMail \(ACTIVE\), byName \(CREATING\)/)
})

test('--probe compares the store to what Headrace expects, says where it differs, and drops its tables', async () => {
  const { code, stdout } = await run(['--probe', '--yes', '--endpoint-url', store.endpoint])
  assert.equal(code, 0, stdout)
  assert.deepEqual(await probeTables(), [])
  assert.match(stdout, /^ok +probe tables +dropped$/m)
  assert.match(stdout, /^ok +probe +BatchWriteItem with the same key twice: refused: ValidationException$/m)
  assert.match(stdout, /^ok +probe +INSERT of an existing key: DuplicateItem, stored$/m)
  // dynoxide has them otherwise than the service.
  const differs =
    /^warning +probe +UPDATE with several clauses .*: differs from what Headrace expects: expected "stored", got "ValidationError"/m
  assert.match(stdout, differs)
  const report = stdout.slice(stdout.indexOf('### headrace doctor --probe'))
  assert.match(report, /^- Headrace \d+\.\d+\.\d+, Node \d+\.\d+\.\d+$/m)
  assert.match(report, /^- region us-east-1, another endpoint$/m)
  assert.match(report, /^- \d{4}-\d\d-\d\dT/m)
  assert.equal([...report.matchAll(/^\| .* \| (?:ok|differs|not checked) \| /gm)].length, EXPECTATIONS.length)
})

test('--probe in front of a table that throttles sees UnprocessedItems and the reason, and keeps accounts out of its report', async () => {
  await using gateway = await startGateway({ upstream: store.endpoint })
  const { code, found, events, findings } = await diagnose(['--probe', '--yes', '--endpoint-url', gateway.url])
  assert.equal(code, 0)
  const probes = findings.filter(({ check }) => check === 'probe').map(({ message }) => message)
  assert.equal(probes.length, EXPECTATIONS.length)
  assert.ok(
    probes.includes(
      'a throttled batch returns UnprocessedItems in the shape of the request: put requests of this table',
    ),
  )
  assert.ok(
    probes.some((text) => text.endsWith(': TableWriteProvisionedThroughputExceeded')),
    probes.join('\n'),
  )
  assert.equal(found.get('probe tables')!.message, 'dropped')
  const { markdown } = events.find(({ event }) => event === 'probe') as unknown as { markdown: string }
  assert.doesNotMatch(markdown, /\d{12}|arn:/)
  assert.deepEqual(await probeTables(), [])
})

test('--probe is refused where nobody can be asked', async () => {
  const { code, stdout, stderr } = await run(['--probe', '--endpoint-url', store.endpoint])
  assert.deepEqual([code, stdout], [2, ''])
  assert.match(stderr, /--probe creates two tables.*--yes/)
  const unknown = await run(['things', '--for', 'fly'])
  assert.equal(unknown.code, 2)
  assert.match(unknown.stderr, /--for fly: not a command that needs permissions/)
})

test('a probe whose rights end after the tables are created drops them', async () => {
  const tables = new Set<string>()
  await using server = await startScriptedServer(({ operation, body }) => {
    if (operation === 'ListTables') return { body: { TableNames: [] } }
    if (operation === 'CreateTable') tables.add(body.TableName)
    else if (operation === 'DescribeTable') {
      if (!tables.has(body.TableName)) return serviceError('ResourceNotFoundException')
    } else if (operation === 'DeleteTable') tables.delete(body.TableName)
    else return serviceError('AccessDeniedException', 'not authorized')
    return { body: { Table: { ...TABLE, TableName: body.TableName } } }
  })
  const { code, findings } = await diagnose(['--probe', '--yes', '--endpoint-url', server.endpoint], KEYS)
  assert.equal(code, 0)
  assert.ok(findings.some(({ message }) => message.includes('got "refused: AccessDeniedException"')))
  assert.equal(server.requests.filter(({ operation }) => operation === 'CreateTable').length, 2)
  assert.deepEqual([...tables], [])
})

for (const [signal, exit] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`${signal} during a probe: the tables are dropped, exit status ${exit}`, async () => {
    await using gateway = await startGateway({ upstream: store.endpoint, latency: { medianMs: 60 } })
    const end = await run(['--probe', '--yes', '--endpoint-url', gateway.url], {
      onStart: (child) => whenProbing(child, () => child.kill(signal)),
    })
    assert.equal(end.code, exit, end.stderr)
    assert.match(end.stdout, /warning +probe +stopped after \d+ of \d+ checks/)
    assert.deepEqual(await probeTables(), [])
  })
}

test('kill -9 during a probe: the next doctor finds the tables, and drops them with --yes, and no other table', async () => {
  await using gateway = await startGateway({ upstream: store.endpoint, latency: { medianMs: 60 } })
  const killed = await run(['--probe', '--yes', '--endpoint-url', gateway.url], {
    onStart: (child) => whenProbing(child, () => child.kill('SIGKILL')),
  })
  assert.equal(killed.signal, 'SIGKILL')
  const left = await probeTables()
  assert.equal(left.length, 2)
  // Names like ours, of tables that are not.
  const others = ['headrace-doctor-users', 'headrace-doctor-000000000000', 'headrace-doctor', 'headrace-doctos']
  for (const name of others) await createTable(database, name, { key: { partition: { name: 'id', type: 'S' } } })

  const told = await diagnose(['--endpoint-url', store.endpoint])
  assert.equal(told.code, 0)
  const finding = told.found.get('probe tables')!
  assert.equal(finding.state, 'warning')
  for (const name of left) assert.ok(finding.advice!.includes(`headrace table drop ${name}`))
  for (const name of others) assert.ok(!`${finding.advice} `.includes(`${name} `), name)
  assert.deepEqual(
    (await probeTables()).filter((name) => left.includes(name)),
    left,
  )

  const dropped = await diagnose(['--yes', '--endpoint-url', store.endpoint])
  assert.match(dropped.found.get('probe tables')!.message, /^dropped .*left by an earlier --probe$/)
  const names = await tableNames()
  assert.deepEqual(
    left.filter((name) => names.includes(name)),
    [],
  )
  assert.deepEqual(
    others.filter((name) => !names.includes(name)),
    [],
  )
})

test('Node: the supported range is the package’s own, and an older one is a failure', () => {
  const root = fileURLToPath(new URL('../../..', import.meta.url))
  const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { engines: { node: string } }
  assert.equal(engines.node, `>=${NODE_FROM.join('.')}`)
  assert.equal(examineNode('20.18.9').state, 'failure')
  assert.equal(examineNode('18.20.0').state, 'failure')
  assert.equal(examineNode('20.19.0').state, 'ok')
  assert.equal(examineNode('24.0.0').state, 'ok')
})

test('headrace iam doctor: rights to read, and with --optional those of the probe on its own tables', () => {
  const tableArn = 'arn:aws:dynamodb:eu-west-1:123456789012:table/users'
  assert.deepEqual(
    policyFor('doctor', { tableArn }).Statement.map(({ Action, Resource }) => [Action, Resource]),
    [
      [
        [
          'dynamodb:DescribeTable',
          'dynamodb:DescribeTimeToLive',
          'dynamodb:DescribeContinuousBackups',
          'dynamodb:DescribeKinesisStreamingDestination',
        ],
        [tableArn],
      ],
      [['dynamodb:ListTables'], ['*']],
    ],
  )
  const probe = policyFor('doctor', { tableArn, optional: 'all' }).Statement.at(-1)!
  assert.deepEqual(probe.Resource, ['arn:aws:dynamodb:eu-west-1:123456789012:table/headrace-doctor-*'])
  assert.ok(probe.Action.includes('dynamodb:DeleteTable'))
})

/** Once the tables are there and the first comparison was made. */
function whenProbing(child: Parameters<NonNullable<CommandOptions['onStart']>>[0], act: () => void): void {
  let said = ''
  child.stdout!.on('data', function hear(text: string) {
    said += text
    if (!/^(?:ok|warning) +probe {2,}\S/m.test(said)) return
    child.stdout!.off('data', hear)
    act()
  })
}
