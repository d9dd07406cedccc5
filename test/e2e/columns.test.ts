import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { S3 } from '../../src/storage/s3.ts'
import { readS3Object } from '../../src/storage/s3Source.ts'
import { startS3Server } from '../support/s3Server.ts'
import { newName, store } from '../support/store.ts'
import { type CommandEnd, type CommandOptions, headrace, scratchDirectory } from './command.ts'

const here = { AWS_ENDPOINT_URL_DYNAMODB: store.endpoint, AWS_REGION: 'us-east-1' }

async function run(args: readonly string[], options: CommandOptions): Promise<CommandEnd> {
  const end = await headrace(args, { ...options, environment: { ...here, ...options.environment } })
  assert.equal(end.code, 0, `headrace ${args.join(' ')}: ${end.stderr}`)
  return end
}

/** A value of each type, of which formats with columns make different things. */
function lines(count: number, textLength = 40): string {
  const all: string[] = []
  for (let index = 0; index < count; index += 1) {
    const item = {
      id: { S: `item${index}` },
      n: { N: `${index}` },
      price: { N: `${index}.${index % 100}5` },
      big: { N: `${2n ** 63n + BigInt(index)}` },
      text: { S: `"${index}",\n=${'é'.repeat(index % textLength)}` },
      data: { B: Buffer.from([index & 255, 0]).toString('base64') },
      ...(index % 2 === 0 ? { open: { BOOL: index % 4 === 0 }, none: { NULL: true } } : { open: { NULL: true } }),
      tags: { SS: ['a', `b${index}`] },
      lines: { L: [{ M: { sku: { S: 'x' }, count: { N: '3' } } }, { NULL: true }] },
      ...(index % 7 === 0 ? { mixed: { S: 'x' } } : { mixed: { N: '1' } }),
    }
    all.push(JSON.stringify({ Item: item }))
  }
  return `${all.join('\n')}\n`
}

/** The table's items, loaded from a file that was exported of it, are the same. */
async function checkSame(table: string, path: string, options: CommandOptions): Promise<void> {
  const back = newName()
  await run(['load', back, path, '--key', 'id:S'], options)
  const { stdout, stderr } = await run(['diff', table, back], options)
  assert.match(stdout + stderr, /changed +0/)
}

test('what is exported as CSV and Parquet loads back as it was', async () => {
  using directory = scratchDirectory()
  const options = { directory: directory.path }
  const table = newName()
  writeFileSync(join(directory.path, 'in.jsonl'), lines(1_000))
  await run(['load', table, 'in.jsonl', '--key', 'id:S'], options)
  const columns = 'id,n:N,price:N,big:N,text,data:B,open:json,none:json,tags:ddb,lines:json,mixed:json'
  for (const [path, ...flags] of [
    ['out.csv', '--typed-header'],
    ['out.tsv.gz', '--typed-header'],
    ['declared.csv', '--columns', columns, '--typed-header'],
    ['out.parquet'],
    ['named', '--format', 'parquet'],
  ] as const) {
    const { stderr } = await run(['export', table, path, ...flags], options)
    assert.doesNotMatch(stderr, /left out|does not load back|loads as/)
    assert.deepEqual(
      readdirSync(directory.path).filter((name) => name.includes('.part')),
      [],
    )
    if (path !== 'named') await checkSame(table, path, options)
  }
  const back = newName()
  await run(['load', back, 'named', '--format', 'parquet', '--key', 'id:S'], options)
  assert.deepEqual(
    jobs(directory.path).filter((job) => existsSync(join(job, 'items.jsonl'))),
    [],
  )
})

test('what declared columns do not hold is told of, and what does not fit them is a reject', async () => {
  using directory = scratchDirectory()
  const options = { directory: directory.path }
  const table = newName()
  writeFileSync(
    join(directory.path, 'in.jsonl'),
    '{"id":"a","n":1,"other":2}\n{"id":"b","n":"x"}\n{"id":"c","n":-1,"text":"=1"}\n',
  )
  await run(['load', table, 'in.jsonl', '--key', 'id:S'], options)
  const end = await headrace(['export', table, 'out.csv', '--columns', 'id,n:N,text', '--csv-safe', '--typed-header'], {
    ...options,
    environment: here,
  })
  assert.equal(end.code, 3, end.stderr)
  assert.match(end.stderr, /other: left out, because the file has no column for it/)
  assert.match(end.stderr, /rejected id="?b.*n: a value of type S, but the column is n:N/)
  assert.deepEqual(readFileSync(join(directory.path, 'out.csv'), 'utf8').trim().split('\n').sort(), [
    'a,1,',
    "c,-1,'=1",
    'id,n:N,text',
  ])

  for (const [flags, message] of [
    [['out.jsonl', '--columns', 'id'], /only csv and parquet have columns, not ddb-json/],
    [['x.csv', '--columns', 'id,id'], /listed twice/],
    [['x.jsonl', '--csv-safe'], /csv: the file format is ddb-json/],
    [['x.csv', '--delimiter', 'ab'], /delimiter/],
    [['x.parquet.gz'], /remove the ending after \.parquet/],
  ] as const) {
    const { code, stderr } = await headrace(['export', table, ...flags], { ...options, environment: here })
    assert.equal(code, 2, stderr)
    assert.match(stderr, message)
  }
})

test('Parquet that is cut is refused before anything is written, and from standard input', async () => {
  using directory = scratchDirectory()
  const options = { directory: directory.path }
  const table = newName()
  writeFileSync(join(directory.path, 'in.jsonl'), lines(500))
  await run(['load', table, 'in.jsonl', '--key', 'id:S'], options)
  await run(['export', table, 'out.parquet'], options)
  const whole = readFileSync(join(directory.path, 'out.parquet'))
  writeFileSync(join(directory.path, 'cut.parquet'), whole.subarray(0, whole.length - 100))
  const back = newName()
  const cut = await headrace(['load', back, 'cut.parquet', '--key', 'id:S'], { ...options, environment: here })
  assert.equal(cut.code, 1, cut.stderr)
  assert.match(cut.stderr, /cut\.parquet: the file does not end with PAR1: it is truncated/)
  // Nor is a table made for it.
  const there = await headrace(['count', back], { ...options, environment: here })
  assert.equal(there.code, 5, there.stderr)
  await run(['table', 'create', back, '--key', 'id:S'], options)
  const piped = await headrace(['load', back, '-'], { ...options, input: whole, environment: here })
  assert.equal(piped.code, 1)
  assert.match(piped.stderr, /the file is Parquet, which cannot be read as a stream/)
})

test('loading Parquet goes on behind what is settled after kill -9', async () => {
  using directory = scratchDirectory()
  const table = newName()
  const options = { directory: directory.path }
  writeFileSync(join(directory.path, 'in.jsonl'), lines(8_000))
  await run(['load', table, 'in.jsonl', '--key', 'id:S'], options)
  await run(['export', table, 'out.parquet'], options)
  const back = newName()
  await headrace(['load', back, 'out.parquet', '--key', 'id:S', '--job', 'back'], {
    ...options,
    environment: here,
    onStart: (child) => killWhen(child, () => (passed(join(directory.path, 'back')) ?? 0) > 500),
  })
  const before = passed(join(directory.path, 'back'))!
  assert.ok(before > 500 && before < 8_000, `${before} were settled when it was killed`)
  await run(['resume', 'back'], options)
  const report = JSON.parse(readFileSync(join(directory.path, 'back', 'report.json'), 'utf8'))
  assert.equal(report.written, 8_000)
  await checkDiff(table, back, options)
})

test('an export that is killed while it makes the columns makes them anew, and does not read the table again', async () => {
  await using server = await startS3Server()
  using directory = scratchDirectory()
  const options = { directory: directory.path, environment: { ...here, ...server.environment } }
  const table = newName()
  const count = 10_000
  writeFileSync(join(directory.path, 'in.jsonl'), lines(count, 4_000))
  await run(['load', table, 'in.jsonl', '--key', 'id:S'], options)
  const s3 = new S3()
  for (const name of ['out.csv', 's3.parquet']) {
    const job = join(directory.path, `job-${name}`)
    const path = name.startsWith('s3') ? `s3://${server.bucket}/${name}` : join(directory.path, name)
    // Something of the file is there, and all that was read is accounted for.
    const part = path.startsWith('s3') ? join(job, 'part-00001') : `${path}.part`
    const isConverting = (): boolean => passed(job) === count && existsSync(part) && statSync(part).size > 0
    let kills = 0
    let unitsRead: unknown
    let args: readonly string[] = [
      'export',
      table,
      path,
      '--job',
      job,
      ...(name === 'out.csv' ? ['--typed-header'] : []),
    ]
    for (let end: CommandEnd | undefined; end?.code !== 0; ) {
      const kill = kills < 1
      end = await headrace(args, { ...options, ...(kill ? { onStart: (child) => killWhen(child, isConverting) } : {}) })
      if (end.signal === 'SIGKILL') unitsRead = readUnits(job)
      if (end.signal === 'SIGKILL') kills += 1
      else assert.equal(end.code, 0, end.stderr)
      const key = { bucket: server.bucket, key: name }
      const isThere = path.startsWith('s3') ? (await s3.find(key)) !== undefined : existsSync(path)
      assert.equal(isThere, end.code === 0, `${name} is there ${isThere ? 'before' : 'not when'} it is whole`)
      args = ['resume', job]
    }
    assert.ok(kills > 0, `${name} was never killed while it was made`)
    const report = JSON.parse(readFileSync(join(job, 'report.json'), 'utf8'))
    assert.equal(report.written, count)
    assert.equal(report.readUnits, unitsRead)
    assert.deepEqual(
      readdirSync(job).filter((file) => /^(?:part|items|upload)/.test(file)),
      [],
    )
    if (path.startsWith('s3')) {
      const pieces: Uint8Array[] = []
      const address = { bucket: server.bucket, key: name }
      for await (const piece of readS3Object(s3, address, await s3.head(address))) pieces.push(piece)
      writeFileSync(join(directory.path, name), Buffer.concat(pieces))
    }
    await checkSame(table, name, options)
    // Done again, it has nothing to do.
    await run(['resume', job], options)
  }
  await s3.close()
})

async function checkDiff(left: string, right: string, options: CommandOptions): Promise<void> {
  const { stdout, stderr } = await run(['diff', left, right], options)
  assert.match(stdout + stderr, /changed +0/)
}

function killWhen(
  child: { kill(signal: 'SIGKILL'): boolean; once(event: 'close', listener: () => void): unknown },
  is: () => boolean,
): void {
  const timer = setInterval(() => {
    if (is()) child.kill('SIGKILL')
  }, 2)
  child.once('close', () => clearInterval(timer))
}

/** Records that the checkpoint counts as written. */
function passed(job: string): number | undefined {
  try {
    return Number(/"written":(\d+)/.exec(readFileSync(join(job, 'checkpoint'), 'utf8'))?.[1])
  } catch {
    return undefined
  }
}

function readUnits(job: string): number {
  return Number(/"readUnits":([\d.]+)/.exec(readFileSync(join(job, 'checkpoint'), 'utf8'))![1])
}

function jobs(directory: string): string[] {
  const home = join(directory, '.headrace')
  return existsSync(home) ? readdirSync(home).map((name) => join(home, name)) : []
}
