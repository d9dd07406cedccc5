import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { missingActions } from '../../src/operations/missingActions.ts'
import { POLICY_VERBS } from '../../src/operations/policy.ts'
import { serviceError, startScriptedServer } from '../support/scriptedServer.ts'
import { newTable } from '../support/store.ts'
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

test('AccessDenied at the first call: all that the policy lacks is listed, and what it takes', async () => {
  using directory = scratchDirectory()
  await using server = await startScriptedServer(({ operation }) => {
    if (operation === 'DescribeTable') return { body: { Table: TABLE } }
    if (operation === 'Scan' || operation === 'Query') {
      const message = `User: someone is not authorized to perform: dynamodb:${operation}`
      return serviceError('AccessDeniedException', message)
    }
    if (operation === 'UpdateItem') return serviceError('ConditionalCheckFailedException')
    return { body: { Responses: [{ Error: { Code: 'AccessDenied', Message: 'no' } }] } }
  })
  const { code, stderr } = await headrace(
    ['update', 'things', '--set', 'seen=true', '--endpoint-url', server.endpoint, '--region', 'eu-west-1'],
    { directory: directory.path },
  )
  assert.equal(code, 5, stderr)
  assert.match(stderr, /not authorized to perform: dynamodb:Scan/)
  assert.match(stderr, /Missing IAM actions on things: dynamodb:Scan, dynamodb:Query, dynamodb:PartiQLUpdate\n/)
  assert.match(stderr, /For the IAM policy it needs: headrace iam update/)
  // The questions themselves can change nothing.
  for (const { operation, body } of server.requests) {
    if (operation === 'UpdateItem') assert.equal(body.ConditionExpression, 'attribute_exists(#p)')
  }
})

test('whoever has all rights lacks none, and being asked for them changes nothing', async () => {
  const table = await newTable({ partition: { name: 'id', type: 'S' }, sort: { name: 'n', type: 'N' } })
  for (const verb of POLICY_VERBS) {
    if (!verb.startsWith('table ')) assert.deepEqual(await missingActions(verb, table), [], verb)
  }
  for await (const item of table.scan()) assert.fail(JSON.stringify(item))
})
