import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type ScriptedAnswer,
  type ScriptedRequest,
  serviceError,
  startScriptedServer,
} from '../support/scriptedServer.ts'
import { type CommandEnd, type CommandOptions, headrace, scratchDirectory } from './command.ts'

const TABLE_ARN = 'arn:aws:dynamodb:us-east-1:123456789012:table/things'
const ARN = `${TABLE_ARN}/export/01693685827463-2d8752fd`
const TABLE = {
  TableName: 'things',
  TableArn: TABLE_ARN,
  TableStatus: 'ACTIVE',
  KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
  AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
}
const DONE = {
  ExportStatus: 'COMPLETED',
  ExportManifest: 'nightly/AWSDynamoDB/01693685827463-2d8752fd/manifest-summary.json',
  S3Bucket: 'backups',
  ItemCount: 1_234,
  BilledSizeBytes: 56_789,
}

function described(fields: object): ScriptedAnswer {
  return { body: { ExportDescription: { ExportArn: ARN, ExportStatus: 'IN_PROGRESS', ...fields } } }
}

/** @param look what DescribeExport tells the first, second, … time; the last for ever */
async function serve(
  look: readonly ScriptedAnswer[],
  start: (request: ScriptedRequest) => ScriptedAnswer = () => described({}),
) {
  let looks = 0
  return startScriptedServer((request) => {
    if (request.operation === 'DescribeTable') return { body: { Table: TABLE } }
    if (request.operation === 'ExportTableToPointInTime') return start(request)
    if (request.operation !== 'DescribeExport') return serviceError('UnknownOperationException')
    looks += 1
    return look[Math.min(looks, look.length) - 1]!
  })
}

async function run(endpoint: string, args: readonly string[], more: Partial<CommandOptions> = {}): Promise<CommandEnd> {
  using scratch = scratchDirectory()
  const environment = {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  }
  return headrace(['export', 'things', ...args], { directory: scratch.path, environment, ...more })
}

test("DynamoDB's own export is begun, once although an answer is lost, and waited for", async () => {
  let asked = 0
  await using server = await serve([described({}), described(DONE)], () => {
    asked += 1
    return asked === 1 ? 'reset' : described({})
  })
  const flags = ['--bucket-owner', '123456789012', '--sse', 'aws:kms', '--sse-kms-key', 'key', '--format', 'ion']
  const { code, stdout, stderr } = await run(server.endpoint, ['--native', 's3://backups/nightly/', ...flags])
  assert.equal(code, 0, stderr)
  assert.equal(stdout, `s3://backups/${DONE.ExportManifest}\n`)
  assert.match(stderr, /exported 1,234 items; 56,789 bytes billed/)
  const starts = server.requests.filter(({ operation }) => operation === 'ExportTableToPointInTime')
  assert.equal(starts.length, 2)
  assert.deepEqual(starts[0]!.body, starts[1]!.body, 'with one token')
  const { ClientToken, ...body } = starts[0]!.body
  assert.match(ClientToken, /^headrace-\w{11}$/)
  assert.deepEqual(body, {
    TableArn: TABLE_ARN,
    S3Bucket: 'backups',
    S3Prefix: 'nightly',
    ExportFormat: 'ION',
    S3BucketOwner: '123456789012',
    S3SseAlgorithm: 'KMS',
    S3SseKmsKeyId: 'key',
  })
  assert.ok(
    server.requests
      .filter(({ operation }) => operation === 'DescribeExport')
      .every((one) => one.body.ExportArn === ARN),
  )
})

test('where point-in-time recovery is off, that is said, and who switches it on', async () => {
  await using server = await serve([], () =>
    serviceError(
      'PointInTimeRecoveryUnavailableException',
      'Point in time recovery has not yet been enabled for this source table.',
    ),
  )
  const { code, stderr } = await run(server.endpoint, ['--native', 's3://backups/nightly'])
  assert.equal(code, 4, stderr)
  assert.match(
    stderr,
    /needs point-in-time recovery, which is off for things.*aws dynamodb update-continuous-backups --table-name things/,
  )
  assert.equal(
    server.requests.some(({ operation }) => operation === 'UpdateContinuousBackups'),
    false,
  )
})

test('an export that fails is told with its reason', async () => {
  const failed = { ExportStatus: 'FAILED', FailureCode: 'S3AccessDenied', FailureMessage: 'no PutObject on backups' }
  await using server = await serve([described({}), described(failed)])
  const { code, stderr } = await run(server.endpoint, ['--native', 's3://backups/nightly'])
  assert.equal(code, 5, stderr)
  assert.match(stderr, /the export arn:.* failed: S3AccessDenied: no PutObject on backups/)
})

test('Ctrl-C leaves the export running and says how to wait for it again, which does not begin another', async () => {
  await using server = await serve([described({})])
  const interrupted = await run(server.endpoint, ['--native', 's3://backups/nightly'], {
    onStart: (child) => {
      const timer = setInterval(() => {
        if (!server.requests.some(({ operation }) => operation === 'DescribeExport')) return
        clearInterval(timer)
        child.kill('SIGINT')
      }, 20)
    },
  })
  assert.equal(interrupted.code, 130, interrupted.stderr)
  assert.match(interrupted.stderr, new RegExp(`To wait for it: headrace export things --native ${ARN}`))

  await using later = await serve([described(DONE)])
  const { code, stdout, stderr } = await run(later.endpoint, ['--native', ARN])
  assert.equal(code, 0, stderr)
  assert.equal(stdout, `s3://backups/${DONE.ExportManifest}\n`)
  assert.ok(later.requests.every(({ operation }) => operation === 'DescribeExport'))
})

test('the wait has an end, and then the export is still under way', async () => {
  await using server = await serve([described({})])
  const { code, stderr } = await run(server.endpoint, ['--native', 's3://backups/nightly', '--max-duration', '2s'])
  assert.equal(code, 6, stderr)
  assert.match(stderr, /still under way. To wait for it:/)
})

test('what only a scan can do is refused', async () => {
  for (const [args, pattern] of [
    [['out.jsonl', '--native', 's3://backups/x'], /name a file, or --native, and not both/],
    [['--native', 's3://backups/x', '--where', 'a = 1'], /leave out --where, or --native/],
    [['--native', 's3://backups/x', '--format', 'xml'], /as ddb-json or ion, not "xml"/],
    [['--native', 'backups/x'], /not a valid S3 address/],
    [[], /pass the file to write, or --native/],
  ] as const) {
    const { code, stderr } = await run('http://127.0.0.1:9', args)
    assert.equal(code, 2, stderr)
    assert.match(stderr, pattern)
  }
})
