import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type ConnectProxy, type ConnectProxyOptions, startConnectProxy } from '../support/connectProxy.ts'
import { closeServer, listen, readBody } from '../support/httpExchange.ts'
import { AUTHORITY_NAME, makePrivateCa, type PrivateCa, startTlsFront } from '../support/privateCa.ts'
import { type S3Server, startS3Server } from '../support/s3Server.ts'
import { newTable, store } from '../support/store.ts'
import { type CommandEnd, headrace, scratchDirectory } from './command.ts'

// No name server knows these: whoever reaches them has asked the proxy.
const HOST = 'dynamodb.corp.example'
const S3_HOST = 's3.corp.example'
const STS_HOST = 'sts.corp.example'
const ITEMS = 10_000

const directory = scratchDirectory()
const bundle = join(directory.path, 'ca.pem')
let authority: PrivateCa
let dynamodb: Awaited<ReturnType<typeof startTlsFront>>
let objects: S3Server

before(async () => {
  authority = await makePrivateCa()
  writeFileSync(bundle, authority.certificate)
  dynamodb = await startTlsFront(await authority.issue(HOST), store.endpoint)
  objects = await startS3Server()
  const records = Array.from({ length: ITEMS }, (_, index) => `{"id":"item-${index}","n":${index}}\n`)
  writeFileSync(join(directory.path, 'items.jsonl'), records.join(''))
  writeFileSync(join(directory.path, 'few.jsonl'), records.slice(0, 30).join(''))
})

after(async () => {
  await dynamodb[Symbol.asyncDispose]()
  await objects[Symbol.asyncDispose]()
  directory[Symbol.dispose]()
})

const KEYS = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_REGION: 'us-east-1' }

function startProxy(more: Partial<ConnectProxyOptions> = {}): Promise<ConnectProxy> {
  return startConnectProxy({ hosts: { [`${HOST}:443`]: dynamodb.port }, ...more })
}

function run(
  args: readonly string[],
  environment: { readonly [name: string]: string | undefined },
): Promise<CommandEnd> {
  return headrace(args, { directory: directory.path, environment: { ...KEYS, ...environment } })
}

test('C11: load through a CONNECT proxy with a private CA stores 10,000 items', async () => {
  const table = await newTable()
  await using proxy = await startProxy()
  const end = await run(['load', table.name, 'items.jsonl', '--endpoint-url', `https://${HOST}`], {
    HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`,
    AWS_CA_BUNDLE: bundle,
  })
  assert.equal(end.code, 0, end.stderr)
  let items = 0
  for await (const _ of table.scan()) items += 1
  assert.equal(items, ITEMS)
  assert.ok(proxy.asked.length > 0)
  assert.deepEqual([...new Set(proxy.asked)], [`CONNECT ${HOST}:443`])
})

test('C11: an authority that is not trusted is named, and how to trust it', async () => {
  const table = await newTable()
  await using proxy = await startProxy()
  const end = await run(['load', table.name, 'few.jsonl', '--endpoint-url', `https://${HOST}`], {
    HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`,
  })
  assert.notEqual(end.code, 0)
  assert.match(end.stderr, new RegExp(`certificate is not trusted.*"${AUTHORITY_NAME}".*AWS_CA_BUNDLE`))
  assert.doesNotMatch(end.stderr, /\n\s+at /)
})

test('C11: NODE_EXTRA_CA_CERTS is trusted as Node does, also beside AWS_CA_BUNDLE', async () => {
  const table = await newTable()
  await using proxy = await startProxy()
  const other = join(directory.path, 'other.pem')
  writeFileSync(other, (await makePrivateCa('Another Authority')).certificate)
  for (const AWS_CA_BUNDLE of [undefined, other]) {
    const end = await run(['load', table.name, 'few.jsonl', '--endpoint-url', `https://${HOST}`], {
      https_proxy: `127.0.0.1:${proxy.port}`,
      NODE_EXTRA_CA_CERTS: bundle,
      AWS_CA_BUNDLE,
    })
    assert.equal(end.code, 0, end.stderr)
  }
})

test('C11: the proxy itself over TLS, with user name and password from its address', async () => {
  const table = await newTable()
  await using proxy = await startProxy({ login: 'ann:p@ss/word', tls: await authority.issue('localhost') })
  const address = `https://ann:p%40ss%2Fword@localhost:${proxy.port}`
  const args = ['load', table.name, 'few.jsonl', '--endpoint-url', `https://${HOST}`]
  const end = await run(args, { HTTPS_PROXY: address, AWS_CA_BUNDLE: bundle })
  assert.equal(end.code, 0, end.stderr)
  assert.ok(proxy.asked.length > 0)
})

test('C11: a proxy that refuses is named with its address and status, and no password', async () => {
  const table = await newTable()
  const args = ['load', table.name, 'few.jsonl', '--endpoint-url', `https://${HOST}`]
  const loginOrStatus: [Partial<ConnectProxyOptions>, RegExp][] = [
    [{ login: 'ann:right' }, /the proxy http:\/\/127\.0\.0\.1:\d+ answered 407 .*user name and password/],
    [{ status: 403 }, /the proxy http:\/\/127\.0\.0\.1:\d+ answered 403 .* asked for dynamodb\.corp\.example:443/],
  ]
  for (const [options, message] of loginOrStatus) {
    await using proxy = await startProxy(options)
    const end = await run(args, { HTTPS_PROXY: `http://ann:secret@127.0.0.1:${proxy.port}`, AWS_CA_BUNDLE: bundle })
    assert.notEqual(end.code, 0)
    assert.match(end.stderr, message)
    assert.doesNotMatch(end.stderr, /secret|\n\s+at /)
  }
})

test('C11: a proxy that cannot reach the host for now is asked again, and then named', async () => {
  await using proxy = await startProxy({ status: 502 })
  const end = await run(['table', 'describe', 'things', '--endpoint-url', `https://${HOST}`], {
    HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`,
    AWS_CA_BUNDLE: bundle,
  })
  assert.notEqual(end.code, 0)
  assert.match(end.stderr, /the proxy http:\/\/127\.0\.0\.1:\d+ answered 502/)
  assert.ok(proxy.asked.length > 1)
})

test('C11: NO_PROXY and this machine are reached directly', async () => {
  const table = await newTable()
  await using proxy = await startProxy()
  const proxies = { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`, HTTP_PROXY: `http://127.0.0.1:${proxy.port}` }
  const local = await run(['load', table.name, 'few.jsonl', '--endpoint-url', store.endpoint], proxies)
  assert.equal(local.code, 0, local.stderr)
  const excluded = await run(['table', 'describe', table.name, '--endpoint-url', `https://${HOST}`], {
    ...proxies,
    NO_PROXY: '.corp.example',
  })
  assert.match(excluded.stderr, /ENOTFOUND|EAI_AGAIN/)
  assert.deepEqual(proxy.asked, [])
})

test('C11: over plain HTTP the proxy is sent the request itself', async () => {
  const table = await newTable()
  await using proxy = await startProxy({ hosts: { [`${HOST}:80`]: Number(new URL(store.endpoint).port) } })
  const end = await run(
    ['load', table.name, 'few.jsonl', '--endpoint-url', `http://${HOST}`, '--allow-insecure-endpoint'],
    { HTTP_PROXY: `http://127.0.0.1:${proxy.port}`, HTTPS_PROXY: 'http://127.0.0.1:1' },
  )
  assert.equal(end.code, 0, end.stderr)
  assert.deepEqual([...new Set(proxy.asked)], [`POST http://${HOST}/`])
})

test('C11: S3 and STS go the same way', async () => {
  const table = await newTable()
  const sts = createServer(async (sent, answer) => {
    const asked = (await readBody(sent)).toString()
    assert.match(asked, /Action=AssumeRoleWithWebIdentity/)
    answer.writeHead(200, { 'content-type': 'text/xml' }).end(`<AssumeRoleWithWebIdentityResponse
      xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials>
      <AccessKeyId>ASIATEST</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken>
      <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult>
      </AssumeRoleWithWebIdentityResponse>`)
  })
  const plainSts = await listen(sts)
  await using stsFront = await startTlsFront(await authority.issue(STS_HOST), plainSts)
  await using s3Front = await startTlsFront(await authority.issue(S3_HOST), objects.endpoint)
  await using proxy = await startProxy({
    hosts: {
      [`${HOST}:443`]: dynamodb.port,
      [`${S3_HOST}:443`]: s3Front.port,
      [`${STS_HOST}:443`]: stsFront.port,
    },
  })
  const tokenFile = join(directory.path, 'token')
  writeFileSync(tokenFile, 'a token')
  try {
    const environment = {
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
      AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile,
      AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/loader',
      AWS_ENDPOINT_URL_S3: `https://${S3_HOST}`,
      AWS_ENDPOINT_URL_STS: `https://${STS_HOST}`,
      HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`,
      AWS_CA_BUNDLE: bundle,
    }
    const there = `s3://${objects.bucket}/few.jsonl`
    const connection = ['--endpoint-url', `https://${HOST}`]
    const loaded = await run(['load', table.name, 'few.jsonl', ...connection], environment)
    assert.equal(loaded.code, 0, loaded.stderr)
    const exported = await run(['export', table.name, there, ...connection], environment)
    assert.equal(exported.code, 0, exported.stderr)
    const again = await run(['load', table.name, there, ...connection], environment)
    assert.equal(again.code, 0, again.stderr)
    assert.match(again.stderr, /written\s+30\b/)
    const hosts = new Set(proxy.asked)
    for (const host of [HOST, S3_HOST, STS_HOST]) assert.ok(hosts.has(`CONNECT ${host}:443`), `${[...hosts]}`)
  } finally {
    await closeServer(sts)
  }
})

test('C11: a proxy or bundle that cannot be used is a sentence that names the variable', async () => {
  const args = ['table', 'describe', 'things', '--endpoint-url', `https://${HOST}`]
  for (const [environment, message] of [
    [{ HTTPS_PROXY: 'socks5://ann:secret@127.0.0.1:1080' }, /HTTPS_PROXY names a socks5:\/\/ proxy/],
    [{ HTTPS_PROXY: 'http://ann:secret@:1' }, /HTTPS_PROXY is not a valid proxy address/],
    [{ AWS_CA_BUNDLE: '/nowhere/ca.pem' }, /AWS_CA_BUNDLE names \/nowhere\/ca\.pem, which cannot be used/],
    [{ AWS_CA_BUNDLE: join(directory.path, 'few.jsonl') }, /does not contain a certificate/],
  ] as const) {
    const end = await run(args, environment)
    assert.equal(end.code, 4, end.stderr)
    assert.match(end.stderr, message)
    assert.doesNotMatch(end.stderr, /secret|\n\s+at /)
  }
})
