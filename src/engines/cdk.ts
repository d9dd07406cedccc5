import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ArnFormat, Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib'
import { AttributeType, BillingMode, type ITable, Table } from 'aws-cdk-lib/aws-dynamodb'
import { type IGrantable, Policy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Architecture, Code, Function as LambdaFunction, LoggingFormat, Runtime } from 'aws-cdk-lib/aws-lambda'
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources'
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs'
import { BlockPublicAccess, Bucket, BucketEncryption, type IBucket } from 'aws-cdk-lib/aws-s3'
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs'
import { DefinitionBody, LogLevel, StateMachine } from 'aws-cdk-lib/aws-stepfunctions'
import { Construct, type IConstruct } from 'constructs'
import { type Policy as HeadracePolicy, policyFor } from '../operations/policy.ts'
import { checkSlicedOperation, packLambda } from './lambdaPackage.ts'
import { stateMachineDefinition } from './stateMachine.ts'

/** Objects below a prefix of a bucket. */
export interface ObjectsBelow {
  readonly bucket: IBucket
  /** With what their keys begin. */
  readonly prefix: string
}

interface FunctionProps {
  /** What the functions are made of. Default: this package and `modules`, as `packLambda` puts them together. */
  readonly code?: Code | undefined
  /** Visitors and what they import: files and folders below the working directory; each keeps its path. */
  readonly modules?: readonly string[] | undefined
  /** Default 1,769, with which a function has a whole processor. */
  readonly memoryMiB?: number | undefined
}

export interface HeadraceJobProps extends FunctionProps {
  /** What its jobs do: `update`, `delete`, `copy`, `load`, `run` or `export`. */
  readonly operation: string
  /** The job's table. */
  readonly table: ITable
  /** Of a copy, the table that is written; of a job of one's own that reads a table, too. */
  readonly otherTable?: ITable | undefined
  /** Optional rights, as of `policyFor`: of an update `['PartiQLDelete', 'DeleteItem']` where the visitor deletes. Default none. */
  readonly optionalActions?: readonly string[] | undefined
  /** Where the files of a `load` lie. */
  readonly sources?: ObjectsBelow | undefined
  /** Where an `export` writes: the key of its object begins so. */
  readonly target?: ObjectsBelow | undefined
  /** Slices that are worked on at once, 1 to 10,000. Each gets such a part of the job's rates. Default 40. */
  readonly maxConcurrency?: number | undefined
  /** One call for a slice takes no longer; a slice takes as many calls as it needs. Default 15 minutes. */
  readonly timeout?: Duration | undefined
  /** For jobs, results and rejects. Default: a bucket of its own, which stays when the stack goes. */
  readonly bucket?: IBucket | undefined
}

/**
 * A state machine that does jobs of one operation in slices, with its functions, a bucket, a table for rates that are shared, and
 * roles that may do that and nothing else. Start an execution with `{"job": "s3://BUCKET/jobs/NAME.json"}`.
 */
export class HeadraceJob extends Construct {
  readonly stateMachine: StateMachine
  readonly prepare: LambdaFunction
  readonly slice: LambdaFunction
  readonly finish: LambdaFunction
  /** Jobs are to lie below `jobs/`; results are below `runs/`. */
  readonly bucket: IBucket
  readonly controlTable: Table

  constructor(scope: Construct, id: string, props: HeadraceJobProps) {
    super(scope, id)
    checkSlicedOperation(props.operation)
    const { operation, table, sources, target, maxConcurrency = 40, timeout = Duration.minutes(15) } = props
    this.bucket = props.bucket ?? newBucket(this)
    this.controlTable = new Table(this, 'Control', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      timeToLiveAttribute: 'expiresAt',
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      removalPolicy: RemovalPolicy.DESTROY,
    })
    const code = codeOf(props)
    const environment = { HEADRACE_STORE: `s3://${this.bucket.bucketName}/runs` }
    const make = (name: string, more: { [name: string]: string } = {}): LambdaFunction =>
      newFunction(this, name, { ...props, code, timeout, environment: { ...environment, ...more } })
    this.prepare = make('Prepare')
    this.slice = make('Slice', { HEADRACE_CONTROL_TABLE: this.controlTable.tableName })
    this.finish = make('Finish')

    allowTables(this.slice, operation, props)
    allow(this.prepare, ['dynamodb:DescribeTable'], [table.tableArn])
    // A rate that is shared is a counter for each second.
    allow(this.slice, ['dynamodb:UpdateItem'], [this.controlTable.tableArn])
    const own = { bucket: this.bucket, prefix: 'runs/' }
    for (const one of [this.prepare, this.slice, this.finish]) {
      allowObjects(one, ['s3:GetObject'], { bucket: this.bucket, prefix: 'jobs/' })
      allowList(one, { bucket: this.bucket, prefix: 'runs/' })
    }
    allowObjects(this.slice, ['s3:GetObject', 's3:PutObject'], own)
    allowObjects(this.finish, ['s3:GetObject'], own)
    if (sources !== undefined) {
      allowObjects(this.slice, ['s3:GetObject'], sources)
      allowList(this.slice, sources)
    }
    if (target !== undefined) {
      const write = ['s3:PutObject', 's3:AbortMultipartUpload', 's3:GetObject']
      allowObjects(this.prepare, ['s3:GetObject'], target)
      allowObjects(this.slice, write, target)
      allowObjects(this.finish, [...write, 's3:DeleteObject'], target)
      for (const one of [this.prepare, this.slice, this.finish]) allowList(one, target)
    }
    this.stateMachine = this.#newStateMachine(maxConcurrency)
  }

  #newStateMachine(maxConcurrency: number): StateMachine {
    const functions = [this.prepare, this.slice, this.finish]
    const [prepare, slice, finish] = functions.map(({ functionArn }) => functionArn)
    const definition = stateMachineDefinition({ prepare: prepare!, slice: slice!, finish: finish!, maxConcurrency })
    const machine = new StateMachine(this, 'Run', {
      definitionBody: DefinitionBody.fromString(Stack.of(this).toJsonString(definition)),
      tracingEnabled: true,
      logs: { destination: new LogGroup(this, 'RunLog', { retention: RetentionDays.ONE_MONTH }), level: LogLevel.ALL },
    })
    for (const one of functions) allow(machine, ['lambda:InvokeFunction'], [one.functionArn])
    // A Distributed Map starts executions of its own machine, which a policy names that is made when the machine is there.
    const { stateMachineArn, stateMachineName } = machine
    const executions = [':', '/'].map((separator) =>
      Stack.of(this).formatArn({
        service: 'states',
        resource: 'execution',
        resourceName: `${stateMachineName}${separator}*`,
        arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      }),
    )
    new Policy(this, 'MapPolicy', {
      roles: [machine.role as Role],
      statements: [
        new PolicyStatement({ actions: ['states:StartExecution'], resources: [stateMachineArn] }),
        new PolicyStatement({
          actions: ['states:DescribeExecution', 'states:StopExecution', 'states:RedriveExecution'],
          resources: executions,
        }),
      ],
    })
    for (const one of executions) acknowledge(this, one, 'executions are named when they are started')
    acknowledge(machine.role, '*', 'traces and log deliveries have no ARNs')
    return machine
  }
}

export interface HeadraceQueueProps extends FunctionProps {
  /** Where the records of messages are written. */
  readonly table: ITable
  /** Write units a second of all of its functions together. Default: 80 % of what the table is provisioned with, or what it gives. */
  readonly writeUnitsPerSecond?: number | undefined
  /** Functions at once, 2 to 1,000. Default 10. */
  readonly maxConcurrency?: number | undefined
  /** Messages that one call takes, 1 to 10,000. Default 10. */
  readonly batchSize?: number | undefined
  /** A call takes no longer. Default 1 minute. */
  readonly timeout?: Duration | undefined
  /** Times that a message is tried before it goes to the dead-letter queue, 1 to 1,000. Default 5. */
  readonly receivesMax?: number | undefined
  /** For rejected records of messages of which others were written. Default: the whole message fails. */
  readonly rejects?: ObjectsBelow | undefined
}

/** A queue whose messages are written into a table, and the queue for those that can not be. */
export class HeadraceQueue extends Construct {
  readonly queue: Queue
  readonly deadLetterQueue: Queue
  readonly function: LambdaFunction

  constructor(scope: Construct, id: string, props: HeadraceQueueProps) {
    super(scope, id)
    const { table, rejects, maxConcurrency = 10, batchSize = 10, receivesMax = 5, writeUnitsPerSecond } = props
    const timeout = props.timeout ?? Duration.minutes(1)
    this.deadLetterQueue = new Queue(this, 'Dead', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    })
    this.queue = new Queue(this, 'Queue', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      // As the Lambda developer guide has it ("Using Lambda with Amazon SQS").
      visibilityTimeout: Duration.seconds(timeout.toSeconds() * 6),
      deadLetterQueue: { queue: this.deadLetterQueue, maxReceiveCount: receivesMax },
    })
    const share =
      writeUnitsPerSecond === undefined ? {} : { HEADRACE_WRITE_RATE: `${writeUnitsPerSecond / maxConcurrency}` }
    this.function = newFunction(this, 'Work', {
      ...props,
      name: 'queue',
      code: codeOf(props),
      timeout,
      environment: {
        HEADRACE_TABLE: table.tableName,
        HEADRACE_QUEUE_URL: this.queue.queueUrl,
        ...share,
        ...(rejects === undefined ? {} : { HEADRACE_REJECTS: `s3://${rejects.bucket.bucketName}/${rejects.prefix}` }),
      },
    })
    allowTables(this.function, 'load', { table })
    if (rejects !== undefined) allowObjects(this.function, ['s3:PutObject'], rejects)
    this.function.addEventSource(
      new SqsEventSource(this.queue, {
        batchSize,
        maxConcurrency,
        reportBatchItemFailures: true,
        // From ten on a batch has to have some time to gather.
        ...(batchSize > 10 ? { maxBatchingWindow: Duration.seconds(1) } : {}),
      }),
    )
  }
}

function newBucket(scope: Construct): IBucket {
  const bucket = new Bucket(scope, 'Store', {
    encryption: BucketEncryption.S3_MANAGED,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    enforceSSL: true,
    serverAccessLogsPrefix: 'access-logs/',
    lifecycleRules: [
      { prefix: 'access-logs/', expiration: Duration.days(90) },
      { abortIncompleteMultipartUploadAfter: Duration.days(7) },
    ],
  })
  // Its optional members may be undefined, which this compiler tells from missing.
  return bucket as IBucket
}

function codeOf({ code, modules = [] }: FunctionProps): Code {
  if (code !== undefined) return code
  const folder = mkdtempSync(join(tmpdir(), 'headrace-lambda-'))
  packLambda(folder, { modules })
  return Code.fromAsset(folder)
}

/** With a role and a log of its own, and no rights but to write there. */
function newFunction(
  scope: Construct,
  id: string,
  props: FunctionProps & { code: Code; timeout: Duration; environment: { [name: string]: string }; name?: string },
): LambdaFunction {
  const { code, timeout, environment, memoryMiB = 1_769, name = id.toLowerCase() } = props
  const logGroup = new LogGroup(scope, `${id}Log`, { retention: RetentionDays.ONE_MONTH })
  const role = new Role(scope, `${id}Role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') })
  logGroup.grantWrite(role)
  return new LambdaFunction(scope, id, {
    runtime: Runtime.NODEJS_24_X,
    architecture: Architecture.ARM_64,
    handler: `index.${name}`,
    code,
    role,
    timeout,
    memorySize: memoryMiB,
    environment,
    logGroup,
    loggingFormat: LoggingFormat.JSON,
  })
}

/** The rights of the command line's verb, see docs on `headrace iam`. */
function allowTables(
  grantee: IGrantable,
  operation: string,
  { table, otherTable, optionalActions = [] }: Pick<HeadraceJobProps, 'table' | 'otherTable' | 'optionalActions'>,
): void {
  const stand = (name: string): string => `arn:aws:dynamodb:us-east-1:123456789012:table/${name}`
  const policy: HeadracePolicy = policyFor(operation, {
    tableArn: stand('table'),
    optional: optionalActions,
    ...(otherTable === undefined ? {} : { otherTableArn: stand('other') }),
  })
  for (const { Action, Resource } of policy.Statement) {
    // Names of what is not made yet are no ARNs.
    const resources = Resource.map((arn) => (arn === stand('table') ? table.tableArn : otherTable!.tableArn))
    allow(grantee, Action, resources)
  }
  for (const one of [table, otherTable]) one?.encryptionKey?.grantEncryptDecrypt(grantee)
}

function allowObjects(grantee: LambdaFunction, actions: readonly string[], { bucket, prefix }: ObjectsBelow): void {
  const objects = bucket.arnForObjects(`${prefix}*`)
  allow(grantee, actions, [objects])
  acknowledge(
    grantee.role!,
    objects,
    'the objects of all runs lie below this prefix, and their names are not known before',
  )
  const writes = actions.includes('s3:PutObject')
  if (writes) bucket.encryptionKey?.grantEncryptDecrypt(grantee)
  else bucket.encryptionKey?.grantDecrypt(grantee)
}

/** Without it, what is not there is denied. */
function allowList(grantee: IGrantable, { bucket, prefix }: ObjectsBelow): void {
  grantee.grantPrincipal.addToPrincipalPolicy(
    new PolicyStatement({
      actions: ['s3:ListBucket'],
      resources: [bucket.bucketArn],
      conditions: { StringLike: { 's3:prefix': `${prefix}*` } },
    }),
  )
}

function allow(grantee: IGrantable, actions: readonly string[], resources: readonly string[]): void {
  grantee.grantPrincipal.addToPrincipalPolicy(new PolicyStatement({ actions: [...actions], resources: [...resources] }))
}

/** To cdk-nag, which asks why there is a wildcard. */
function acknowledge(construct: IConstruct, resource: string, reason: string): void {
  const name = flatten(Stack.of(construct).resolve(resource))
  Validations.of(construct).acknowledge({ id: `AwsSolutions-IAM5[Resource::${name}]`, reason })
}

/** A resource as cdk-nag names it. */
function flatten(value: unknown): string {
  if (typeof value === 'string') return value
  const { Ref, ...functions } = value as { readonly Ref?: string | undefined; readonly [name: string]: unknown }
  if (Ref !== undefined) return `<${Ref}>`
  const { 'Fn::Join': joined, 'Fn::GetAtt': attribute, 'Fn::ImportValue': imported } = functions
  if (Array.isArray(joined)) return (joined[1] as unknown[]).map(flatten).join(joined[0] as string)
  if (Array.isArray(attribute)) return `<${attribute.join('.')}>`
  return flatten(imported)
}
