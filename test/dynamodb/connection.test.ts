import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ConnectionOptions, resolveConnection } from '../../src/dynamodb/connection.ts'
import { HeadraceError } from '../../src/runtime/headraceError.ts'

type Environment = { readonly [name: string]: string }

const credentials = { accessKeyId: 'AKIA', secretAccessKey: 'secret' }
const given: ConnectionOptions = { region: 'eu-west-1', credentials }

async function endpoint(options: ConnectionOptions, environment: Environment): Promise<string> {
  return (await resolveConnection(options, environment)).endpoint
}

function refuses(options: ConnectionOptions, environment: Environment, message: RegExp): Promise<void> {
  return assert.rejects(
    resolveConnection(options, environment),
    (error: unknown) => error instanceof HeadraceError && error.code === 'CONFIGURATION' && message.test(error.message),
  )
}

test('the endpoint is the option, else the one for DynamoDB, else the one for all services', async () => {
  const environment = { AWS_ENDPOINT_URL_DYNAMODB: 'http://localhost:2', AWS_ENDPOINT_URL: 'http://localhost:3' }
  assert.strictEqual(await endpoint({ ...given, endpoint: 'http://localhost:1' }, environment), 'http://localhost:1')
  assert.strictEqual(await endpoint(given, environment), 'http://localhost:2')
  assert.strictEqual(await endpoint(given, { AWS_ENDPOINT_URL: 'http://localhost:3' }), 'http://localhost:3')
  assert.strictEqual(await endpoint(given, { ...environment, AWS_ENDPOINT_URL_DYNAMODB: '' }), 'http://localhost:3')
})

test("configured endpoints can be ignored, and without any it is the region's own", async () => {
  const environment = { AWS_ENDPOINT_URL: 'http://localhost:3', AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' }
  const options = { ...given, endpoint: 'http://localhost:1' }
  assert.strictEqual(await endpoint(options, environment), 'http://localhost:1')
  const own = await resolveConnection(given, environment)
  assert.strictEqual(own.endpoint, 'https://dynamodb.eu-west-1.amazonaws.com')
  assert.strictEqual(own.host, 'dynamodb.eu-west-1.amazonaws.com')
  assert.strictEqual(own.loopback, false)
  assert.strictEqual(own.region, 'eu-west-1')
})

test('for this machine region and credentials are made up when there are none', async () => {
  for (const url of [
    'http://localhost:8000',
    'http://127.0.0.1:8000',
    'http://127.1.2.3',
    'http://[::1]:8000',
    'http://db.localhost:1',
  ]) {
    const connection = await resolveConnection({ endpoint: url }, {})
    assert.strictEqual(connection.loopback, true, url)
    assert.strictEqual(connection.endpoint, url)
    assert.strictEqual(connection.host, url.slice('http://'.length))
    assert.strictEqual(connection.region, 'us-east-1')
    assert.deepStrictEqual(await connection.credentials.get(), { accessKeyId: 'local', secretAccessKey: 'local' })
  }
})

test('what is given is used also for this machine', async () => {
  const connection = await resolveConnection(
    { ...given, endpoint: 'http://localhost:8000/' },
    { AWS_REGION: 'us-west-2' },
  )
  assert.strictEqual(connection.region, 'eu-west-1')
  assert.strictEqual(connection.endpoint, 'http://localhost:8000')
  assert.deepStrictEqual(await connection.credentials.get(), credentials)
  const provided = await resolveConnection(
    { ...given, credentials: async () => credentials, endpoint: 'http://localhost:1' },
    {},
  )
  assert.strictEqual(await provided.credentials.get(), credentials)
})

test('the region is the option, else AWS_REGION, else AWS_DEFAULT_REGION', async () => {
  const local = { endpoint: 'http://localhost:8000' }
  const region = async (options: ConnectionOptions, environment: Environment) =>
    (await resolveConnection({ ...local, ...options }, environment)).region
  const both = { AWS_REGION: 'us-west-2', AWS_DEFAULT_REGION: 'sa-east-1' }
  assert.strictEqual(await region({ region: 'eu-west-1' }, both), 'eu-west-1')
  assert.strictEqual(await region({}, both), 'us-west-2')
  assert.strictEqual(await region({}, { AWS_DEFAULT_REGION: 'sa-east-1' }), 'sa-east-1')
  assert.strictEqual(
    await region({ credentials, endpoint: 'https://ddb.example.com' }, { AWS_DEFAULT_REGION: 'sa-east-1' }),
    'sa-east-1',
  )
})

test('plain HTTP goes to this machine only, unless it is allowed', async () => {
  const message = /the endpoint http:\/\/ddb\.example\.com is plain HTTP on another machine.*--allow-insecure-endpoint/
  const options = { ...given, endpoint: 'http://ddb.example.com' }
  await refuses(options, {}, message)
  await refuses(given, { AWS_ENDPOINT_URL: 'http://ddb.example.com' }, message)
  // A name that only looks like this machine's.
  await refuses({ ...given, endpoint: 'http://localhost.example.com' }, {}, /plain HTTP/)
  await refuses({ ...given, endpoint: 'http://127.example.com' }, {}, /plain HTTP/)
  assert.strictEqual(await endpoint({ ...options, allowInsecureEndpoint: true }, {}), 'http://ddb.example.com')
  assert.strictEqual(
    await endpoint({ ...given, endpoint: 'https://ddb.example.com:8443' }, {}),
    'https://ddb.example.com:8443',
  )
})

test('what is no address is refused', async () => {
  for (const text of ['localhost:8000', 'ftp://localhost', 'nonsense', 'http://']) {
    await refuses(
      { ...given, endpoint: text },
      {},
      /the endpoint ".*" is not a valid address such as http:\/\/localhost:8000/,
    )
  }
})

test('a region that can be none is refused by what it is', async () => {
  await refuses(
    { ...given, region: 'eu-west-1\n', endpoint: 'https://db.example' },
    {},
    /the region "eu-west-1\\n" is not/,
  )
})
