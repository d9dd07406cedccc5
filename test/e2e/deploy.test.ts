import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { updateAll } from '../../src/index.ts'
import { startS3Server } from '../support/s3Server.ts'
import { newTable, store } from '../support/store.ts'
import { headrace, scratchDirectory } from './command.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const ARN = 'arn:aws:dynamodb:eu-west-1:123456789012:table'

interface Template {
  readonly Resources: {
    readonly [name: string]: { readonly Type: string; readonly Properties: { readonly Code?: unknown } }
  }
  readonly Outputs: object
  readonly Parameters?: object
}

test('deploy --synth writes a template that needs nothing of CDK, and a package that runs by itself', async () => {
  using directory = scratchDirectory()
  writeFileSync(join(directory.path, 'add-tier.mjs'), 'export default () => ({ set: { tier: "basic" } })\n')
  const args = [
    'deploy',
    'update',
    '--table',
    `${ARN}/users`,
    '--module',
    'add-tier.mjs',
    '--synth',
    'out',
    '--concurrency',
    '7',
  ]
  const { code, stderr } = await headrace(args, { directory: directory.path })
  assert.equal(code, 0, stderr)
  assert.match(stderr, /aws cloudformation package --template-file out\/template.json/)
  assert.deepEqual(readdirSync(join(directory.path, 'out')).sort(), ['code', 'template.json'])
  const template = JSON.parse(readFileSync(join(directory.path, 'out', 'template.json'), 'utf8')) as Template
  const functions = Object.values(template.Resources).filter(({ Type }) => Type === 'AWS::Lambda::Function')
  assert.deepEqual(
    functions.map(({ Properties }) => Properties.Code),
    ['./code', './code', './code'],
  )
  assert.deepEqual(Object.keys(template.Outputs).sort(), ['BucketName', 'StateMachineArn'])
  assert.equal(template.Parameters, undefined)
  assert.doesNotMatch(JSON.stringify(template), /cdk-hnb659fds|BootstrapVersion/)
  assert.match(JSON.stringify(template), /\\"MaxConcurrency\\":7/)

  // What a function is made of fits into one (250 MiB), and needs nothing from around it.
  const packed = join(directory.path, 'out', 'code')
  assert.ok(bytesOf(packed) < 120 * 1024 * 1024, `${bytesOf(packed)} bytes`)
  await using s3 = await startS3Server({ conditionalWrites: true })
  const table = await newTable()
  await using publisher = table.publisher()
  await publisher.publish(Array.from({ length: 50 }, (_, index) => ({ id: `user${index}` })))
  await publisher.flush()
  const job = await updateAll(table, new URL(`file://${directory.path}/add-tier.mjs`)).describe({ slices: 2 })
  const visitor = { ...job.what.visitor, module: 'add-tier.mjs' }
  const task = join(packed, 'try.mjs')
  writeFileSync(
    task,
    `import { prepare, slice, finish } from './index.js'
const job = JSON.parse(process.argv[2])
const context = { awsRequestId: 'r', getRemainingTimeInMillis: () => 60_000 }
const state = await prepare({ input: { job, slices: 2 }, execution: 'e1' })
for (const index of state.indices) await slice({ ...state, index }, context)
console.log(JSON.stringify(await finish(state)))
`,
  )
  const run = promisify(execFile)
  const environment = { PATH: process.env['PATH']!, ...s3.environment, HEADRACE_STORE: `s3://${s3.bucket}/runs` }
  const { stdout } = await run(process.execPath, [task, JSON.stringify({ ...job, what: { ...job.what, visitor } })], {
    cwd: packed,
    env: environment,
    timeout: 60_000,
  })
  const logged = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { [name: string]: unknown })
  const { counters } = logged.pop() as { counters: { written: number } }
  assert.equal(counters.written, 50)
  // In front of that each call has logged its metrics.
  const written = logged.map(({ _aws, ItemsWritten }) => (_aws === undefined ? Number.NaN : (ItemsWritten as number)))
  assert.equal(written.length, 2)
  assert.equal(written[0]! + written[1]!, 50)
  assert.ok(store.endpoint.startsWith('http://127.0.0.1'))
})

test('without aws-cdk-lib, and for what cannot be, it is said what to do', async () => {
  using directory = scratchDirectory()
  const deploy = async (...args: string[]): Promise<string> => {
    const { code, stderr } = await headrace(['deploy', ...args, '--synth', 'out'], { directory: directory.path })
    assert.notEqual(code, 0)
    return stderr
  }
  assert.match(await deploy('count', '--table', `${ARN}/users`), /cannot run in slices: use one of load/)
  assert.match(await deploy('update', '--table', `${ARN}/users`, '--module', 'no.mjs'), /there is no module no\.mjs/)
  // The package alone, as where nobody has installed CDK.
  const alone = join(directory.path, 'node_modules')
  mkdirSync(join(alone, 'headrace'), { recursive: true })
  for (const name of ['dist', 'package.json'])
    cpSync(join(ROOT, name), join(alone, 'headrace', name), { recursive: true })
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { dependencies: object }
  mkdirSync(join(alone, '@aws-sdk'))
  mkdirSync(join(alone, '@swc'))
  for (const name of Object.keys(dependencies)) symlinkSync(join(ROOT, 'node_modules', name), join(alone, name), 'dir')
  const main = join(alone, 'headrace', 'dist', 'cli', 'main.js')
  const run = promisify(execFile)
  const failed = run(process.execPath, [main, 'deploy', 'update', '--table', `${ARN}/users`, '--synth', 'out'])
  await assert.rejects(failed, (error: { stderr: string }) =>
    /aws-cdk-lib, which is not installed beside headrace: in your project, run npm install/.test(error.stderr),
  )
})

function bytesOf(folder: string): number {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).reduce((sum, name) => {
    const found = statSync(join(folder, name))
    return sum + (found.isFile() ? found.size : 0)
  }, 0)
}
