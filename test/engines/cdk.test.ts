import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { App, Duration, Stack, Validations } from 'aws-cdk-lib'
import { Match, Template } from 'aws-cdk-lib/assertions'
import { type ITable, Table } from 'aws-cdk-lib/aws-dynamodb'
import { Code } from 'aws-cdk-lib/aws-lambda'
import { Bucket, type IBucket } from 'aws-cdk-lib/aws-s3'
import { AwsSolutionsChecks } from 'cdk-nag'
import { HeadraceJob, type HeadraceJobProps, HeadraceQueue, type HeadraceQueueProps } from '../../src/engines/cdk.ts'
import { synthesize } from '../../src/engines/synthesize.ts'

const folder = mkdtempSync(join(tmpdir(), 'headrace-cdk-'))
after(() => rmSync(folder, { recursive: true }))
const code = Code.fromInline('export {}')
let apps = 0

interface Made {
  readonly app: App
  readonly stack: Stack
  readonly table: ITable
  readonly files: IBucket
}

function newStack(): Made {
  apps += 1
  const app = new App({ outdir: join(folder, `out${apps}`) })
  const stack = new Stack(app, 'Test', { env: { account: '123456789012', region: 'eu-west-1' } })
  const table = Table.fromTableName(stack, 'Users', 'users')
  return { app, stack, table, files: Bucket.fromBucketName(stack, 'Files', 'files') as IBucket }
}

function jobTemplate(props: (made: Made) => Omit<HeadraceJobProps, 'table' | 'code'>): Template {
  const made = newStack()
  new HeadraceJob(made.stack, 'Job', { table: made.table, code, ...props(made) })
  return Template.fromStack(made.stack)
}

function queueTemplate(props: (made: Made) => Omit<HeadraceQueueProps, 'table' | 'code'>): Template {
  const made = newStack()
  new HeadraceQueue(made.stack, 'Queue', { table: made.table, code, ...props(made) })
  return Template.fromStack(made.stack)
}

interface Statement {
  readonly Action: string | readonly string[]
  readonly Resource: unknown
}

/** Of the roles whose logical names match. */
function actionsOf(template: Template, role: RegExp): string[] {
  const actions = new Set<string>()
  for (const policy of Object.values(template.findResources('AWS::IAM::Policy'))) {
    const { Roles, PolicyDocument } = policy['Properties'] as {
      Roles: { Ref: string }[]
      PolicyDocument: { Statement: Statement[] }
    }
    if (!Roles.some(({ Ref }) => role.test(Ref))) continue
    for (const { Action } of PolicyDocument.Statement) for (const one of [Action].flat()) actions.add(one)
  }
  return [...actions].sort()
}

test('cdk-nag finds nothing in a job of any operation, and nothing in a queue', () => {
  const made = newStack()
  const { app, stack, table, files } = made
  const target = { bucket: files, prefix: 'exports/' }
  new HeadraceJob(stack, 'Export', { operation: 'export', table, code, target })
  new HeadraceJob(stack, 'Load', { operation: 'load', table, code, sources: { bucket: files, prefix: 'in/' } })
  new HeadraceJob(stack, 'Copy', { operation: 'copy', table, otherTable: Table.fromTableName(stack, 'B', 'b'), code })
  new HeadraceQueue(stack, 'Queue', { table, code, rejects: { bucket: files, prefix: 'rejects/' } })
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app))
  // It throws for what is found.
  app.synth()
  const other = newStack()
  new Bucket(other.stack, 'Open')
  Validations.of(other.app).addPlugins(new AwsSolutionsChecks(other.app))
  assert.throws(() => other.app.synth(), /Validation failed/, 'it does look')
})

test('the state machine is the one of the tests, with its functions and its share of the rates', () => {
  const template = jobTemplate(() => ({ operation: 'update', maxConcurrency: 25, timeout: Duration.minutes(10) }))
  template.resourceCountIs('AWS::Lambda::Function', 3)
  template.allResourcesProperties('AWS::Lambda::Function', {
    Runtime: 'nodejs24.x',
    Timeout: 600,
    Architectures: ['arm64'],
    Environment: { Variables: Match.objectLike({ HEADRACE_STORE: Match.anyValue() }) },
  })
  const [machine] = Object.values(template.findResources('AWS::StepFunctions::StateMachine'))
  const { DefinitionString } = machine!['Properties'] as { DefinitionString: { 'Fn::Join': [string, unknown[]] } }
  const text = DefinitionString['Fn::Join'][1].map((part) => (typeof part === 'string' ? part : 'ARN')).join('')
  const { States } = JSON.parse(text) as { States: { [name: string]: { [name: string]: unknown } } }
  assert.deepEqual(Object.keys(States), ['Prepare', 'Slices', 'Finish'])
  const { MaxConcurrency, ItemSelector, ItemProcessor } = States['Slices'] as {
    MaxConcurrency: number
    ItemSelector: object
    ItemProcessor: { ProcessorConfig: object; States: { Work: { Resource: string } } }
  }
  assert.equal(MaxConcurrency, 25)
  assert.equal((ItemSelector as { workersMax: number }).workersMax, 25)
  assert.deepEqual(ItemProcessor.ProcessorConfig, { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' })
  assert.equal(ItemProcessor.States.Work.Resource, 'ARN')
  assert.ok(!('ToleratedFailurePercentage' in States['Slices']!), 'a slice that fails, fails the run')
})

test('each function may do what its part takes, and nothing else', () => {
  const update = jobTemplate(() => ({ operation: 'update' }))
  const own = ['s3:GetObject', 's3:ListBucket']
  const logs = ['logs:CreateLogStream', 'logs:PutLogEvents']
  assert.deepEqual(actionsOf(update, /PrepareRole/), ['dynamodb:DescribeTable', ...logs, ...own])
  assert.deepEqual(actionsOf(update, /FinishRole/), [...logs, ...own])
  assert.deepEqual(actionsOf(update, /SliceRole/), [
    'dynamodb:DescribeTable',
    'dynamodb:PartiQLUpdate',
    'dynamodb:Query',
    'dynamodb:Scan',
    'dynamodb:UpdateItem',
    ...logs,
    's3:GetObject',
    's3:ListBucket',
    's3:PutObject',
  ])
  const deletes = jobTemplate(() => ({ operation: 'update', optionalActions: ['PartiQLDelete', 'DeleteItem'] }))
  assert.ok(actionsOf(deletes, /SliceRole/).includes('dynamodb:PartiQLDelete'))
  const exported = jobTemplate(({ files }) => ({
    operation: 'export',
    target: { bucket: files, prefix: 'exports/' },
  }))
  assert.ok(!actionsOf(exported, /SliceRole/).some((action) => /Write|Delete/.test(action)))
  assert.ok(actionsOf(exported, /FinishRole/).includes('s3:DeleteObject'))
  assert.throws(() => jobTemplate(() => ({ operation: 'copy' })), /copy uses two tables/)
  assert.throws(() => jobTemplate(() => ({ operation: 'count' })), /cannot run in slices/)
  assert.throws(() => jobTemplate(() => ({ operation: 'update', maxConcurrency: 0 })), /maxConcurrency/)
})

test('a queue gives back what failed, keeps messages for six times as long as its function runs, and gives up poison', () => {
  const template = queueTemplate(() => ({
    timeout: Duration.seconds(40),
    receivesMax: 4,
    batchSize: 100,
    maxConcurrency: 20,
    writeUnitsPerSecond: 1_000,
  }))
  template.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    BatchSize: 100,
    MaximumBatchingWindowInSeconds: 1,
    ScalingConfig: { MaximumConcurrency: 20 },
  })
  template.hasResourceProperties('AWS::SQS::Queue', { VisibilityTimeout: 240, RedrivePolicy: { maxReceiveCount: 4 } })
  template.hasResourceProperties('AWS::Lambda::Function', {
    Handler: 'index.queue',
    Environment: { Variables: Match.objectLike({ HEADRACE_TABLE: 'users', HEADRACE_WRITE_RATE: '50' }) },
  })
  assert.ok(!actionsOf(template, /WorkRole/).some((action) => /Scan|Delete(?!Message)|Update/.test(action)))
})

test('a template of a queue comes without CDK too, and what an operation does not have is refused', async () => {
  const tableArn = 'arn:aws:dynamodb:eu-west-1:123456789012:table/users'
  const out = join(folder, 'synthesized')
  const { template } = await synthesize(out, {
    operation: 'queue',
    tableArn,
    rejects: 's3://files/rejects',
    maxConcurrency: 4,
  })
  const made = JSON.parse(readFileSync(template, 'utf8')) as {
    Resources: { [name: string]: { Type: string } }
    Outputs: object
  }
  assert.deepEqual(Object.keys(made.Outputs), ['QueueUrl', 'DeadLetterQueueUrl'])
  const types = Object.values(made.Resources).map(({ Type }) => Type)
  assert.equal(types.filter((type) => type === 'AWS::SQS::Queue').length, 2)
  await assert.rejects(
    synthesize(out, { operation: 'queue', tableArn, target: 's3://files/x' }),
    /queue does not support target/,
  )
  await assert.rejects(
    synthesize(out, { operation: 'update', tableArn, rejects: 's3://files/x' }),
    /update does not support rejects/,
  )
})
