import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Sha256 } from '@aws-crypto/sha256-js'
import { SignatureV4 } from '@smithy/signature-v4'
import fc from 'fast-check'
import { Signer } from '../../src/dynamodb/signer.ts'
import type { Credentials } from '../../src/network/credentialSource.ts'

const target = 'DynamoDB_20120810.BatchWriteItem'

/** The headers that the SDK's own signer makes of the same request. */
async function sdkHeaders(
  host: string,
  region: string,
  credentials: Credentials,
  operation: string,
  body: Uint8Array,
  wallTimeMs: number,
): Promise<{ [name: string]: string }> {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials
  const identity = { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) }
  const signer = new SignatureV4({
    service: 'dynamodb',
    region,
    credentials: identity,
    sha256: Sha256,
    applyChecksum: false,
  })
  const request = {
    method: 'POST',
    protocol: 'https:',
    hostname: host,
    path: '/',
    query: {},
    headers: { host, 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': operation },
    body,
  }
  return (await signer.sign(request, { signingDate: new Date(wallTimeMs) })).headers
}

function asObject(headers: readonly string[]): { [name: string]: string } {
  const object: { [name: string]: string } = {}
  for (let index = 0; index < headers.length; index += 2) object[headers[index]!] = headers[index + 1]!
  return object
}

const textArbitrary = (minLength: number) =>
  fc.string({ unit: fc.constantFrom(...'abcXYZ0189/+='), minLength, maxLength: 60 })
const credentialsArbitrary: fc.Arbitrary<Credentials> = fc.record(
  { accessKeyId: textArbitrary(16), secretAccessKey: textArbitrary(1), sessionToken: textArbitrary(1) },
  { requiredKeys: ['accessKeyId', 'secretAccessKey'] },
)

test("every request is signed as the SDK's own signer signs it", async () => {
  // One signer for each host and region, so that what it keeps is put to the test by the next request.
  const signers = new Map<string, Signer>()
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(
        'dynamodb.eu-west-1.amazonaws.com',
        'localhost:8000',
        '123456789012.ddb.us-east-1.amazonaws.com',
        '[::1]:4566',
      ),
      fc.constantFrom('eu-west-1', 'us-east-1', 'cn-north-1'),
      credentialsArbitrary,
      fc.constantFrom(target, 'DynamoDB_20120810.Scan', 'DynamoDB_20120810.BatchExecuteStatement'),
      fc.oneof(
        fc.uint8Array({ maxLength: 300 }),
        fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
      ),
      fc.date({ min: new Date('2001-01-01'), max: new Date('2099-12-31'), noInvalidDate: true }),
      async (host, region, credentials, operation, body, date) => {
        const place = `${host} ${region}`
        const signer = signers.get(place) ?? new Signer(host, region)
        signers.set(place, signer)
        const headers = asObject(signer.sign(credentials, operation, body, date.getTime()))
        const expected = await sdkHeaders(host, region, credentials, operation, body, date.getTime())
        assert.deepStrictEqual(
          { ...headers, authorization: headers['authorization']?.replace(/\s/g, '') },
          { ...expected, authorization: expected['authorization']?.replace(/\s/g, '') },
        )
      },
    ),
    { numRuns: 200 },
  )
})

test('what is kept from the last request is dropped when second, day or credentials change', async () => {
  const host = 'dynamodb.eu-west-1.amazonaws.com'
  const signer = new Signer(host, 'eu-west-1')
  const body = Buffer.from('{}')
  const one = { accessKeyId: 'AKIAONE', secretAccessKey: 'secret' }
  const other = { accessKeyId: 'AKIAOTHER', secretAccessKey: 'secret' }
  const third = { accessKeyId: 'AKIAONE', secretAccessKey: 'other', sessionToken: 'token' }
  const lastSecond = Date.UTC(2026, 0, 1, 23, 59, 59)
  for (const [credentials, at] of [
    [one, lastSecond],
    [one, lastSecond + 999],
    [one, lastSecond + 1_000],
    [other, lastSecond + 1_000],
    [third, lastSecond + 1_000],
    [one, lastSecond + 1_000],
    // The clock was set back.
    [one, lastSecond],
  ] as const) {
    const headers = asObject(signer.sign(credentials, target, body, at))
    const expected = await sdkHeaders(host, 'eu-west-1', credentials, target, body, at)
    assert.strictEqual(headers['authorization'], expected['authorization'])
    assert.strictEqual(headers['x-amz-security-token'], expected['x-amz-security-token'])
  }
})
