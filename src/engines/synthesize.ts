import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CfnResource } from 'aws-cdk-lib'
import { HeadraceError } from '../runtime/headraceError.ts'
import { readS3Address } from '../storage/s3.ts'
import { checkSlicedOperation, packLambda } from './lambdaPackage.ts'

export interface SynthesizeOptions {
  /** What its jobs do: `update`, `delete`, `copy`, `load`, `run` or `export`; or `queue`, for a queue whose records are written. */
  readonly operation: string
  /** `arn:aws:dynamodb:eu-west-1:123456789012:table/users` */
  readonly tableArn: string
  /** Of a copy, the table that is written. */
  readonly otherTableArn?: string | undefined
  readonly optionalActions?: readonly string[] | undefined
  /** Visitors and what they import: files and folders below the working directory; each keeps its path. */
  readonly modules?: readonly string[] | undefined
  /** `s3://BUCKET/PREFIX`, where the files of a load lie. */
  readonly sources?: string | undefined
  /** `s3://BUCKET/PREFIX`, where an export writes. */
  readonly target?: string | undefined
  /** `s3://BUCKET/PREFIX`, of a queue: where rejected records of messages go of which others were written. */
  readonly rejects?: string | undefined
  readonly maxConcurrency?: number | undefined
}

export interface Synthesized {
  /** The file's path. */
  readonly template: string
  /** The folder with what the functions are made of, of which the template speaks. */
  readonly code: string
}

/**
 * Writes the CloudFormation template of what `HeadraceJob` or `HeadraceQueue` of `headrace/cdk` makes, and beside it what its functions are made of:
 * `aws cloudformation package` and `deploy` take it from there.
 *
 * @throws {HeadraceError} `CONFIGURATION` when aws-cdk-lib is not installed
 * @throws {TypeError} for what is no address or no ARN, and for what the operation does not have
 */
export async function synthesize(folder: string, options: SynthesizeOptions): Promise<Synthesized> {
  const { operation, tableArn, otherTableArn, modules, sources, target, rejects, optionalActions, maxConcurrency } =
    options
  checkOptions(options)
  const { App, BootstraplessSynthesizer, CfnOutput, Stack, Validations } = await loadCdk(() => import('aws-cdk-lib'))
  const { Table } = await loadCdk(() => import('aws-cdk-lib/aws-dynamodb'))
  const { Code } = await loadCdk(() => import('aws-cdk-lib/aws-lambda'))
  const { Bucket } = await loadCdk(() => import('aws-cdk-lib/aws-s3'))
  const { HeadraceJob, HeadraceQueue } = await loadCdk(() => import('./cdk.ts'))
  const code = join(folder, 'code')
  packLambda(code, modules === undefined ? {} : { modules })
  const out = join(folder, '.cdk')
  const app = new App({ outdir: out, analyticsReporting: false })
  try {
    const stack = new Stack(app, 'Headrace', { synthesizer: new BootstraplessSynthesizer() as never })
    const below = (name: string, address: string) => {
      const { bucket, key } = readS3Address(address)
      return { bucket: Bucket.fromBucketName(stack, name, bucket) as never, prefix: key }
    }
    const table = Table.fromTableArn(stack, 'Table', tableArn)
    const common = {
      table,
      code: Code.fromInline('// in its place comes what lies beside the template'),
      maxConcurrency,
    }
    const makeQueue = (): Parts => {
      const made = new HeadraceQueue(stack, 'Queue', {
        ...common,
        ...(rejects === undefined ? {} : { rejects: below('Rejects', rejects) }),
      })
      const { queue, deadLetterQueue } = made
      return {
        functions: [made.function],
        outputs: { QueueUrl: queue.queueUrl, DeadLetterQueueUrl: deadLetterQueue.queueUrl },
      }
    }
    const makeJob = (): Parts => {
      const { prepare, slice, finish, stateMachine, bucket } = new HeadraceJob(stack, 'Job', {
        ...common,
        operation,
        ...(otherTableArn === undefined ? {} : { otherTable: Table.fromTableArn(stack, 'OtherTable', otherTableArn) }),
        ...(sources === undefined ? {} : { sources: below('Sources', sources) }),
        ...(target === undefined ? {} : { target: below('Target', target) }),
        optionalActions,
      })
      return {
        functions: [prepare, slice, finish],
        outputs: { StateMachineArn: stateMachine.stateMachineArn, BucketName: bucket.bucketName },
      }
    }
    const { functions, outputs } = operation === 'queue' ? makeQueue() : makeJob()
    for (const one of functions) {
      // As `aws cloudformation package` has it.
      const resource = one.node.defaultChild as CfnResource
      resource.addPropertyOverride('Code', './code')
    }
    Validations.of(stack).acknowledge({
      id: 'CloudFormation-Validate::W3002',
      reason: 'it is packaged before it is deployed',
    })
    for (const [name, value] of Object.entries(outputs)) new CfnOutput(stack, name, { value })
    const template = join(folder, 'template.json')
    const made: unknown = app.synth().getStackByName('Headrace').template
    writeFileSync(template, `${JSON.stringify(made, undefined, 2)}\n`)
    return { template, code }
  } finally {
    rmSync(out, { recursive: true, force: true })
  }
}

interface Parts {
  readonly functions: readonly { readonly node: { readonly defaultChild?: unknown | undefined } }[]
  readonly outputs: { readonly [name: string]: string }
}

/** @throws {TypeError} for what an operation does not have */
function checkOptions({
  operation,
  sources,
  target,
  rejects,
  otherTableArn,
  optionalActions,
}: SynthesizeOptions): void {
  if (operation !== 'queue') checkSlicedOperation(operation)
  const refuse = (what: string): never => {
    throw new TypeError(`${operation} does not support ${what}`)
  }
  if (sources !== undefined && operation !== 'load' && operation !== 'run') refuse('sources')
  if (target !== undefined && operation !== 'export') refuse('target')
  if (rejects !== undefined && operation !== 'queue')
    refuse("rejects: rejected records of its slices go to the stack's bucket")
  if (operation === 'queue' && otherTableArn !== undefined) refuse('otherTableArn (--other-table)')
  if (operation === 'queue' && optionalActions !== undefined) refuse('optionalActions')
}

async function loadCdk<Module>(load: () => Promise<Module>): Promise<Module> {
  try {
    return await load()
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause
    const message =
      'templates need aws-cdk-lib, which is not installed beside headrace: in your project, run npm install --save-dev headrace ' +
      'aws-cdk-lib constructs, then npx headrace deploy'
    throw new HeadraceError('CONFIGURATION', message, { cause })
  }
}
