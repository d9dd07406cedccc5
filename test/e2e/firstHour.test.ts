// What people stumbled over in their first hour with the command line.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type FilteredJob, updateAll } from '../../src/index.ts'
import { newTable, store } from '../support/store.ts'
import { type CommandEnd, headrace, scratchDirectory } from './command.ts'

function run(directory: string, ...args: string[]): Promise<CommandEnd> {
  return headrace(args, { directory, environment: { AWS_ENDPOINT_URL: store.endpoint } })
}

test('a job that is done is not done again in its directory, and the command says so', async () => {
  using scratch = scratchDirectory()
  const { name } = await newTable()
  writeFileSync(join(scratch.path, 'a.jsonl'), '{"id":"a"}\n')
  const command = ['load', name, 'a.jsonl', '--job', 'nightly']
  const first = await run(scratch.path, ...command)
  assert.equal(first.code, 0, first.stderr)
  assert.doesNotMatch(first.stderr, /already done/)
  for (const again of [command, [...command, '--quiet'], ['resume', 'nightly']]) {
    const end = await run(scratch.path, ...again)
    assert.equal(end.code, 0, end.stderr)
    assert.match(end.stderr, /the job in nightly was already done at 20\S+, so this run changed nothing/)
  }
})

test('a job that uses "add" without --once warns, and its status does not promise what resume refuses', async () => {
  using scratch = scratchDirectory()
  const table = await newTable()
  await using publisher = table.publisher()
  for (let index = 0; index < 3_000; index += 1) publisher.put({ id: `${index}`, visits: 0 })
  await publisher.flush()
  writeFileSync(join(scratch.path, 'add.mjs'), 'export default () => ({ add: { visits: 1 } })\n')
  const killed = await headrace(['update', table.name, 'add.mjs', '--job', 'j', '--write-rate', '200'], {
    directory: scratch.path,
    environment: { AWS_ENDPOINT_URL: store.endpoint },
    onStart: (child) => child.stderr!.on('data', (text: string) => /uses "add"/.test(text) && child.kill('SIGKILL')),
  })
  assert.equal(killed.signal, 'SIGKILL', killed.stderr)
  assert.match(killed.stderr, /this job uses "add": after a crash it cannot be resumed.*start it with once \(--once\)/)
  assert.match((await run(scratch.path, 'status', 'j')).stdout, /stopped; it cannot be resumed, because it uses "add"/)
  assert.equal((await run(scratch.path, 'resume', 'j')).code, 1)
})

test('a job that adds is stopped by Ctrl-C at any moment, and resumed without adding twice', async () => {
  using scratch = scratchDirectory()
  const table = await newTable()
  await using publisher = table.publisher()
  for (let index = 0; index < 20_000; index += 1) {
    if (!publisher.put({ id: `user-${index}`, name: 'somebody' })) await publisher.ready
  }
  await publisher.flush()
  writeFileSync(join(scratch.path, 'add.mjs'), 'export default () => ({ add: { n: 1 } })\n')
  // Whether pages lie open that are half visited is a matter of the moment.
  for (let round = 1; round <= 4; round += 1) {
    const job = `job ${round}`
    const stopped = await headrace(['update', table.name, 'add.mjs', '--job', job, '--write-rate', '5000'], {
      directory: scratch.path,
      environment: { AWS_ENDPOINT_URL: store.endpoint },
      onStart: (child) => {
        const written = (): boolean => /"written":[1-9]/.test(checkpointOf(scratch.path, job))
        const timer = setInterval(() => {
          if (!written()) return
          clearInterval(timer)
          // Once: a second one does not wait for what is in flight.
          setTimeout(() => child.kill('SIGINT'), 100 * round)
        }, 20)
        child.on('exit', () => clearInterval(timer))
      },
    })
    assert.equal(stopped.code, 130, stopped.stderr)
    assert.doesNotMatch(stopped.stderr, /not reached/)
    const resumed = await run(scratch.path, 'resume', job)
    assert.equal(resumed.code, 0, resumed.stderr)
    const counts = new Map<unknown, number>()
    for await (const { n } of table.scan({ segments: 1 })) counts.set(n, (counts.get(n) ?? 0) + 1)
    assert.deepEqual([...counts], [[round, 20_000]])
  }
})

function checkpointOf(directory: string, job: string): string {
  try {
    return readFileSync(join(directory, job, 'checkpoint'), 'utf8')
  } catch {
    return ''
  }
}

test('a CSV file is compared with the types that it is given', async () => {
  using scratch = scratchDirectory()
  const { name } = await newTable()
  writeFileSync(join(scratch.path, 'a.csv'), 'id,age\na,7\n')
  assert.equal((await run(scratch.path, 'load', name, 'a.csv', '--types', 'age=N')).code, 0)
  assert.equal((await run(scratch.path, 'diff', name, 'a.csv', '--types', 'age=N')).code, 0)
  assert.equal((await run(scratch.path, 'diff', name, 'a.csv')).code, 7)
})

test('rejects that are loaded as if they were records are recognised', async () => {
  using scratch = scratchDirectory()
  const { name } = await newTable()
  writeFileSync(join(scratch.path, 'a.jsonl'), '{"id":"a"}\n{"name":"b"}\n')
  assert.equal((await run(scratch.path, 'load', name, 'a.jsonl', '--job', 'j')).code, 3)
  const end = await run(scratch.path, 'load', name, 'j/rejects.jsonl')
  assert.match(end.stderr, /looks like a rejected record of a job: load such files with --from-rejects/)
})

test('a store that knows one spelling of a change is not reported as retries', async () => {
  using scratch = scratchDirectory()
  const table = await newTable()
  await using publisher = table.publisher()
  for (let index = 0; index < 200; index += 1) publisher.put({ id: `${index}`, old: 1 })
  await publisher.flush()
  const end = await run(scratch.path, 'update', table.name, '--set', 'a=1', '--set', 'b=2', '--remove', 'old')
  assert.equal(end.code, 0, end.stderr)
  assert.match(end.stderr, /written +200\n/)
  assert.match(end.stderr, /retried +0\n/)
  assert.doesNotMatch(end.stderr, /consumed capacity/)
})

test('numbers in a CSV file without types are said to be read as strings, and how to change that', async () => {
  using scratch = scratchDirectory()
  const { name } = await newTable({ partition: { name: 'id', type: 'N' } })
  writeFileSync(join(scratch.path, 'a.csv'), 'id,age,active,zip,name\n1,7,true,01234,Ada\n2,8.5,false,55555,Bo\n')
  const loaded = await run(scratch.path, 'load', name, 'a.csv')
  assert.match(
    loaded.stderr,
    /^numbers and booleans in the columns age, active of a\.csv are read as strings\. .* --types age=N,active=BOOL$/m,
  )
  const partly = await run(scratch.path, 'load', name, 'a.csv', '--types', 'age=N')
  assert.match(partly.stderr, /^booleans in the column active of a\.csv .* --types age=N,active=BOOL$/m)
  const typed = await run(scratch.path, 'load', name, 'a.csv', '--types', 'age=N,active=BOOL')
  assert.doesNotMatch(typed.stderr, /read as strings/)
  writeFileSync(join(scratch.path, 'typed.csv'), 'id:N,age:N,zip,name\n1,7,1234,Ada\n')
  assert.doesNotMatch((await run(scratch.path, 'load', name, 'typed.csv')).stderr, /read as strings/)
})

test('a CSV file is compared with the types of the table’s key', async () => {
  using scratch = scratchDirectory()
  const { name } = await newTable({ partition: { name: 'id', type: 'N' } })
  writeFileSync(join(scratch.path, 'a.csv'), 'id,name\n1,Ada\n')
  assert.equal((await run(scratch.path, 'load', name, 'a.csv')).code, 0)
  const end = await run(scratch.path, 'diff', name, 'a.csv')
  assert.equal(end.code, 0, end.stderr)
})

test('status lists the jobs of any directory, and says where to look for others', async () => {
  using scratch = scratchDirectory()
  const { name } = await newTable()
  assert.match((await run(scratch.path, 'status')).stdout, /^no jobs in \.headrace\. .*headrace status DIRECTORY$/m)
  mkdirSync(join(scratch.path, 'jobs'))
  writeFileSync(join(scratch.path, 'a.jsonl'), '{"id":"a"}\n')
  assert.equal((await run(scratch.path, 'load', name, 'a.jsonl', '--job', 'jobs/nightly')).code, 0)
  assert.match((await run(scratch.path, 'status', 'jobs')).stdout, /nightly/)
  assert.match((await run(scratch.path, 'status', 'jobs/nightly')).stdout, /state +done/)
  assert.notEqual((await run(scratch.path, 'status', 'nowhere')).code, 0)
})

test('tables are listed in their order', async () => {
  using scratch = scratchDirectory()
  const names = [(await newTable()).name, (await newTable()).name]
  const listed = (await run(scratch.path, 'table', 'list')).stdout.trimEnd().split('\n')
  assert.deepEqual(
    listed.filter((name) => names.includes(name)),
    names.toSorted(),
  )
  assert.deepEqual(listed, listed.toSorted())
})

test('a module that cannot be loaded is told with its line, and what to do', async () => {
  using scratch = scratchDirectory()
  const { name } = await newTable()
  writeFileSync(join(scratch.path, 'package.json'), '{"type":"commonjs"}')
  writeFileSync(join(scratch.path, 'a.js'), 'export default () => undefined\n')
  writeFileSync(join(scratch.path, 'b.ts'), 'enum Kind { A }\nexport default () => ({ set: { a: Kind.A } })\n')
  writeFileSync(join(scratch.path, 'c.ts'), 'export default () => {{ \n')
  const fault = async (file: string): Promise<string> => {
    const end = await run(scratch.path, 'update', name, file)
    assert.equal(end.code, 2)
    return end.stderr
  }
  assert.match(
    await fault('a.js'),
    /Node reads it as CommonJS: call it a\.mjs, or set "type": "module" in package\.json/,
  )
  assert.match(
    await fault('b.ts'),
    /enum is not supported in strip-only mode.*enum, namespace and parameter properties/,
  )
  assert.doesNotMatch(await fault('c.ts'), /\[object Object\]/)
})

test('a file that has changed since its job began needs a new job, and resume says so', async () => {
  using scratch = scratchDirectory()
  const { name } = await newTable()
  writeFileSync(join(scratch.path, 'a.csv'), 'id,n\na,1\nb,"2\n')
  const broken = await run(scratch.path, 'load', name, 'a.csv', '--job', 'j')
  assert.equal(broken.code, 1)
  assert.match(broken.stderr, /To go on: correct the file, and load it as a new job/)
  writeFileSync(join(scratch.path, 'a.csv'), 'id,n\na,1\nb,2\n')
  const resumed = await run(scratch.path, 'resume', 'j')
  assert.match(resumed.stderr, /a\.csv has changed since the job in j began.*Start a new job, in another directory/)
})

test('a job that is done keeps its report as it is, however often it is resumed', async () => {
  using scratch = scratchDirectory()
  const { name } = await newTable()
  writeFileSync(join(scratch.path, 'a.jsonl'), '{"id":"a"}\n{"id":"b"}\n')
  const first = await run(scratch.path, 'load', name, 'a.jsonl', '--job', 'j')
  const files = ['report.json', 'checkpoint', 'events.jsonl']
  const read = (): string[] => files.map((file) => readFileSync(join(scratch.path, 'j', file), 'utf8'))
  const before = read()
  const again = await run(scratch.path, 'resume', 'j')
  assert.equal(again.code, 0, again.stderr)
  assert.deepEqual(read(), before)
  const figures = (text: string): string[] =>
    text.split('\n').filter((line) => /^ {2}(?:read|written|time) /.test(line))
  assert.deepEqual(figures(again.stderr), figures(first.stderr))
})

test('an export whose name says no format says which it has', async () => {
  using scratch = scratchDirectory()
  const { name } = await newTable()
  const notice = /out\.json will have DynamoDB JSON, one item a line/
  assert.match((await run(scratch.path, 'export', name, 'out.json')).stderr, notice)
  assert.doesNotMatch((await run(scratch.path, 'export', name, 'out.jsonl')).stderr, /will have DynamoDB JSON/)
})

test('--set refuses a path into a map, and takes a name with a dot in quotes', async () => {
  using scratch = scratchDirectory()
  const { name } = await newTable()
  writeFileSync(join(scratch.path, 'a.jsonl'), '{"id":"a"}\n')
  await run(scratch.path, 'load', name, 'a.jsonl')
  const refused = await run(scratch.path, 'update', name, '--set', 'a.b=1')
  assert.equal(refused.code, 2)
  assert.match(refused.stderr, /--set a\.b names a member of a map, which needs a module/)
  assert.equal((await run(scratch.path, 'update', name, '--set', '"a.b"=1')).code, 0)
  assert.match((await run(scratch.path, 'scan', name, '--format', 'jsonl')).stdout, /"a\.b":1/)
})

test('a look at one item reads about one', async () => {
  using scratch = scratchDirectory()
  const table = await newTable()
  await using publisher = table.publisher()
  for (let index = 0; index < 500; index += 1) publisher.put({ id: `${index}`, text: 'x'.repeat(4_000) })
  await publisher.flush()
  const end = await run(scratch.path, 'scan', table.name, '--limit', '1')
  assert.match(end.stderr, /^1 item in .*, 1 read unit$/m)
})

test('rejects are loaded with the types that their file needs', async () => {
  using scratch = scratchDirectory()
  const { name } = await newTable({ partition: { name: 'id', type: 'N' } })
  writeFileSync(join(scratch.path, 'a.jsonl'), '{"id":"9","age":"7"}\n')
  const first = await run(scratch.path, 'load', name, 'a.jsonl', '--job', 'j')
  assert.match(first.stderr, /--types id=N/)
  const again = await run(scratch.path, 'load', name, 'j/rejects.jsonl', '--from-rejects', '--types', 'id=N')
  assert.equal(again.code, 0, again.stderr)
  assert.match((await run(scratch.path, 'scan', name, '--format', 'jsonl')).stdout, /"id":9/)
})

test('a comparison says which types a CSV file may lack only where something differs', async () => {
  using scratch = scratchDirectory()
  const { name } = await newTable()
  writeFileSync(join(scratch.path, 'a.csv'), 'id,age\na,7\n')
  await run(scratch.path, 'load', name, 'a.csv')
  assert.doesNotMatch((await run(scratch.path, 'diff', name, 'a.csv')).stderr, /read as strings/)
  await run(scratch.path, 'load', name, 'a.csv', '--types', 'age=N')
  const other = await run(scratch.path, 'diff', name, 'a.csv')
  assert.equal(other.code, 7)
  assert.match(other.stderr, /numbers in the column age of a\.csv are read as strings/)
})

test('a job that is run again while it runs is refused, and the first run is not disturbed', async () => {
  const table = await newTable()
  await using publisher = table.publisher()
  for (let index = 0; index < 200; index += 1) publisher.put({ id: `${index}` })
  await publisher.flush()
  using scratch = scratchDirectory()
  let second: Promise<unknown> | undefined
  const visit = () => {
    second ??= job.run().catch((error: unknown) => error)
    return { set: { seen: true } }
  }
  // Closing it early would lose the old images that changes wait for.
  const job: FilteredJob = updateAll(table, visit, { keepOld: true })
  const { written } = await job.run({ directory: join(scratch.path, 'j') })
  assert.match(`${await second}`, /a job runs once/)
  assert.equal(written, 200)
})
