import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { serviceError, startScriptedServer } from '../support/scriptedServer.ts'
import { headrace, scratchDirectory } from './command.ts'

const TABLE = {
  TableName: 'things',
  TableStatus: 'ACTIVE',
  KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
  AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
}

test('a static session token in the profile expires: the file is read again, and nothing is lost', async () => {
  using directory = scratchDirectory()
  const file = join(directory.path, 'credentials')
  const sign = (token: string): void =>
    writeFileSync(
      file,
      `[nightly]\naws_access_key_id = key\naws_secret_access_key = secret\naws_session_token = ${token}\nregion = us-east-1\n`,
    )
  sign('first')
  writeFileSync(
    join(directory.path, 'things.jsonl'),
    Array.from({ length: 500 }, (_, index) => `{"pk":"k${index}"}\n`).join(''),
  )
  let batches = 0
  let refused = 0
  const written = new Set<string>()
  await using server = await startScriptedServer(({ operation, headers, body }) => {
    if (operation === 'BatchWriteItem') batches += 1
    if (batches > 3 && headers['x-amz-security-token'] === 'first') {
      // Whoever keeps the session alive has written the new one by now.
      if (refused === 0) sign('second')
      refused += 1
      return serviceError('ExpiredTokenException', 'The security token included in the request is expired')
    }
    if (operation === 'DescribeTable') return { body: { Table: TABLE } }
    for (const { PutRequest } of body.RequestItems.things) written.add(PutRequest.Item.pk.S)
    return { body: { UnprocessedItems: {} } }
  })
  const { code, stderr } = await headrace(
    ['load', 'things', 'things.jsonl', '--profile', 'nightly', '--endpoint-url', server.endpoint],
    {
      directory: directory.path,
      environment: { AWS_SHARED_CREDENTIALS_FILE: file, AWS_CONFIG_FILE: join(directory.path, 'config') },
    },
  )
  assert.equal(code, 0, stderr)
  assert.equal(written.size, 500)
  assert.ok(refused >= 1 && refused <= 40, `${refused} refused`)
})
