import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { COMMANDS } from '../../src/cli/commandList.ts'
import { database, newName, newTable, store } from '../support/store.ts'
import { type CommandEnd, type CommandOptions, headrace, scratchDirectory } from './command.ts'

async function makeTable(): Promise<string> {
  return (await newTable()).name
}

async function itemsOf(name: string): Promise<Map<string, { [name: string]: unknown }>> {
  const items = new Map<string, { [name: string]: unknown }>()
  for await (const item of database.table(name).scan({ segments: 1, consistentRead: true })) items.set(item['id'], item)
  return items
}

async function fill(name: string, count: number, more: object = {}): Promise<void> {
  await using publisher = database.table(name).publisher()
  for (let index = 0; index < count; index += 1) publisher.put({ id: `item${index}`, index, ...more })
}

function here(directory: string, options: Omit<CommandOptions, 'directory'> = {}): CommandOptions {
  return { directory, ...options, environment: { AWS_ENDPOINT_URL: store.endpoint, ...options.environment } }
}

/** What a person sees: a sentence that says what, and nothing of our insides. */
function assertSpoken({ stderr, stdout }: CommandEnd, pattern: RegExp): void {
  assert.match(stderr, pattern)
  assert.doesNotMatch(stderr + stdout, /^\s+at .*:\d+:\d+|node:internal|UnhandledPromise/m)
}

interface RejectLine {
  code: string
  message: string
  place: string
  item?: { [name: string]: unknown }
  raw?: string
}

/** The one rejects file in a directory. */
function rejectsIn(directory: string): RejectLine[] {
  const jobs = readdirSync(join(directory, '.headrace'))
  const [name, ...more] = jobs
    .map((job) => join('.headrace', job, 'rejects.jsonl'))
    .filter((file) => existsSync(join(directory, file)))
  assert.ok(name !== undefined && more.length === 0, 'there is one rejects file')
  assert.equal(statSync(join(directory, name)).mode & 0o777, 0o600)
  const lines = readFileSync(join(directory, name), 'utf8').split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line) as RejectLine)
}

test('bad input: it is named, everything else is loaded', async (t) => {
  const good = Array.from({ length: 40 }, (_, index) => `{"id":"good${index}"}`)
  const overweight = JSON.stringify({ id: 'heavy', x: 'x'.repeat(400 * 1024 - 8 + 1) })
  const rows: [name: string, line: string | Buffer, message: RegExp, format?: string][] = [
    ['a line that is not JSON', '{"id":"broken",', /JSON/],
    ['a line that is JSON and no item', '[1,2]', /object|item/],
    ['an item without its key', '{"name":"nobody"}', /"id"/],
    ['a key of the wrong type', '{"id":17}', /id.*S.*N/],
    ['an empty key', '{"id":""}', /id.*empty/],
    ['an item of 400 KB and 1 byte', overweight, /409,?601|400 KB|409,?600/],
    ['a number of 39 digits', `{"id":"long","n":1${'2'.repeat(38)}}`, /38/],
    ['an empty set', '{"Item":{"id":{"S":"empty"},"tags":{"SS":[]}}}', /tags.*empty|empty set/, 'ddb-json'],
    ['invalid UTF-8', Buffer.from([...Buffer.from('{"id":"'), 0xff, 0xfe, ...Buffer.from('"}')]), /UTF-8/],
  ]
  for (const [name, line, message, format] of rows) {
    await t.test(name, async () => {
      using directory = scratchDirectory()
      const table = await makeTable()
      const lines = format === undefined ? good : good.map((_, index) => `{"Item":{"id":{"S":"good${index}"}}}`)
      const file = join(directory.path, 'input.jsonl')
      writeFileSync(
        file,
        Buffer.concat([
          Buffer.from(`${lines.slice(0, 20).join('\n')}\n`),
          Buffer.from(line),
          Buffer.from(`\n${lines.slice(20).join('\n')}\n`),
        ]),
      )
      const end = await headrace(
        ['load', table, 'input.jsonl', ...(format === undefined ? [] : ['--format', format])],
        here(directory.path),
      )
      assert.equal(end.code, 3, end.stderr)
      assertSpoken(end, message)
      assert.match(end.stderr, /input\.jsonl:21/)
      assert.match(end.stderr, /written +40\n/)
      assert.match(end.stderr, /rejected +1\n/)
      const rejects = rejectsIn(directory.path)
      assert.equal(rejects.length, 1)
      assert.equal(rejects[0]!.place, 'input.jsonl:21')
      assert.match(rejects[0]!.message, message)
      assert.ok(rejects[0]!.raw !== undefined || rejects[0]!.item !== undefined, 'the record itself is kept')
      assert.deepEqual([...(await itemsOf(table)).keys()].sort(), good.map((_, index) => `good${index}`).sort())
    })
  }

  await t.test('an item of exactly 400 KB is loaded', async () => {
    using directory = scratchDirectory()
    const table = await makeTable()
    const input = JSON.stringify({ id: 'heavy', x: 'x'.repeat(400 * 1024 - 8) })
    const end = await headrace(['load', table, '-'], here(directory.path, { input }))
    assert.equal(end.code, 0, end.stderr)
    assert.equal((await itemsOf(table)).size, 1)
  })

  await t.test('an item that only the service refuses', async () => {
    using directory = scratchDirectory()
    const table = newName()
    const { service } = await database.open()
    await service.call('CreateTable', {
      TableName: table,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['id', 'mail'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      GlobalSecondaryIndexes: [
        {
          IndexName: 'byMail',
          KeySchema: [{ AttributeName: 'mail', KeyType: 'HASH' }],
          Projection: { ProjectionType: 'ALL' },
        },
      ],
    })
    const input = [...good, '{"id":"wrong","mail":7}'].join('\n')
    const end = await headrace(['load', table, '-'], here(directory.path, { input }))
    assert.equal(end.code, 3, end.stderr)
    const [reject] = rejectsIn(directory.path)
    assert.deepEqual(
      [reject?.code, reject?.place, reject?.item],
      ['ValidationException', '-:41', { id: { S: 'wrong' }, mail: { N: '7' } }],
    )
    assert.equal((await itemsOf(table)).size, 40)

    const again = await headrace(['load', table, '-', '--job', '/dev/null/nowhere'], here(directory.path, { input }))
    assert.equal(again.code, 4, again.stderr)
    assertSpoken(again, /cannot write the job state to \/dev\/null\/nowhere/)
  })

  await t.test('a truncated gzip: what came before is loaded, the exit is a failure', async () => {
    using directory = scratchDirectory()
    const table = await makeTable()
    const lines = Array.from({ length: 3_000 }, (_, index) =>
      JSON.stringify({ id: `item${index}`, x: Math.sin(index) }),
    )
    const packed = gzipSync(lines.join('\n'))
    writeFileSync(join(directory.path, 'cut.jsonl.gz'), packed.subarray(0, packed.length * 0.75))
    const end = await headrace(['load', table, 'cut.jsonl.gz'], here(directory.path))
    assert.equal(end.code, 1, end.stderr)
    assertSpoken(end, /cut\.jsonl\.gz.*the file is truncated/)
    assert.match(end.stderr, /stopped early/)
    const written = Number(/written +([\d,]+)\n/.exec(end.stderr)![1]!.replace(',', ''))
    assert.ok(written > 1_000, `${written} written`)
    assert.equal((await itemsOf(table)).size, written)
  })

  await t.test('an unknown table, an unknown file, a refusing endpoint', async () => {
    using directory = scratchDirectory()
    writeFileSync(join(directory.path, 'a.jsonl'), '{"id":"a"}\n')
    const table = await makeTable()
    const unknown = await headrace(['load', 'nobody', 'a.jsonl'], here(directory.path))
    assert.equal(unknown.code, 5, unknown.stderr)
    assertSpoken(unknown, /there is no table "nobody"/)
    const noFile = await headrace(['load', table, 'b.jsonl'], here(directory.path))
    assert.equal(noFile.code, 1, noFile.stderr)
    assertSpoken(noFile, /b\.jsonl/)
    const closed = await headrace(
      ['load', table, 'a.jsonl', '--endpoint-url', 'http://127.0.0.1:1'],
      here(directory.path),
    )
    assert.equal(closed.code, 1, closed.stderr)
    assertSpoken(closed, /did not answer|127\.0\.0\.1:1/)
    const nonsense = await headrace(['count', table, '--endpoint-url', 'nonsense'], here(directory.path))
    assert.equal(nonsense.code, 2, nonsense.stderr)
    assertSpoken(nonsense, /"nonsense"/)
  })

  await t.test('no credentials, no region', async () => {
    using directory = scratchDirectory()
    writeFileSync(join(directory.path, 'a.jsonl'), '{"id":"a"}\n')
    const environment = { AWS_ENDPOINT_URL: undefined }
    const keyless = await headrace(['load', 'users', 'a.jsonl', '--region', 'eu-west-1'], {
      directory: directory.path,
      environment,
    })
    assert.equal(keyless.code, 4, keyless.stderr)
    assertSpoken(keyless, /credentials/i)
    const placeless = await headrace(['load', 'users', 'a.jsonl'], { directory: directory.path, environment })
    assert.equal(placeless.code, 4, placeless.stderr)
    assertSpoken(placeless, /--region/)
  })

  await t.test('wrong usage', async () => {
    using directory = scratchDirectory()
    for (const args of [
      ['load'],
      ['load', 'users'],
      ['lod', 'users', 'a'],
      ['load', 'users', 'a', '--max-in-flight', 'many'],
      ['load', 'users', 'a', '--format', 'xml'],
      ['load', 'u', 'a'],
      ['update', 'users'],
      ['update', 'users', '--set', 'tier=basic'],
      ['scan', 'users', '--format', 'xml'],
      ['generate', 'users', '--items', '0'],
      ['table', 'create', 'users', '--key', 'id:X'],
      ['table', 'drop', 'users'],
    ]) {
      const end = await headrace(args, here(directory.path))
      assert.equal(end.code, 2, `${args.join(' ')}: ${end.code} ${end.stderr}`)
      assertSpoken(end, /./)
    }
  })
})

test('update', async (t) => {
  await t.test(
    'a visitor that throws for some items and changes the key of others: these are rejected, all others written',
    async () => {
      using directory = scratchDirectory()
      const table = await makeTable()
      await fill(table, 100)
      writeFileSync(
        join(directory.path, 'visitor.ts'),
        `interface Item { id: string; index: number }
export default (item: Item): { set: Record<string, unknown> } => {
  if (item.index % 10 === 0) throw new Error('cannot decide on ' + item.id)
  if (item.index % 10 === 1) return { set: { id: 'other' } }
  return { set: { double: item.index * 2 } }
}
`,
      )
      const end = await headrace(['update', table, 'visitor.ts'], here(directory.path))
      assert.equal(end.code, 3, end.stderr)
      assertSpoken(end, /the visitor failed: cannot decide on item\d+/)
      const rejects = rejectsIn(directory.path)
      assert.equal(
        rejects.filter(({ code, message }) => code === 'VisitorFailed' && /cannot decide/.test(message)).length,
        10,
      )
      assert.equal(
        rejects.filter(({ code, message }) => code === 'InvalidItem' && /key attribute/.test(message)).length,
        10,
      )
      const items = [...(await itemsOf(table)).values()]
      assert.equal(items.length, 100)
      assert.equal(items.filter(({ index, double }) => double === (index as number) * 2).length, 80)
    },
  )

  await t.test('--set, --remove and --where need no module', async () => {
    using directory = scratchDirectory()
    const table = await makeTable()
    await fill(table, 50, { old: true })
    const args = [
      'update',
      table,
      '--set',
      'tier="basic"',
      '--set',
      'n=[1,2.5,null]',
      '--remove',
      'old',
      '--where',
      'index >= 30',
    ]
    const end = await headrace(args, here(directory.path))
    assert.equal(end.code, 0, end.stderr)
    const changed = [...(await itemsOf(table)).values()].filter(({ tier }) => tier === 'basic')
    assert.equal(changed.length, 20)
    for (const { old, n } of changed) assert.deepEqual([old, n], [undefined, [1, 2.5, null]])
  })

  await t.test('a module that is not there, cannot be loaded, or exports nothing of use', async () => {
    using directory = scratchDirectory()
    writeFileSync(join(directory.path, 'broken.js'), 'export default (item => ')
    writeFileSync(join(directory.path, 'empty.mjs'), 'export const visitor = 1')
    for (const [file, message] of [
      ['nowhere.js', /there is no visitor module nowhere\.js/],
      ['broken.js', /broken\.js cannot be loaded/],
      ['empty.mjs', /default export/],
    ] as const) {
      const end = await headrace(['update', 'users', file], here(directory.path))
      assert.equal(end.code, 2, end.stderr)
      assertSpoken(end, message)
    }
  })

  await t.test('a module that is not there, or is a directory, whatever the job wants of it', async () => {
    using directory = scratchDirectory()
    mkdirSync(join(directory.path, 'folder'))
    const table = await makeTable()
    const target = await makeTable()
    for (const args of [
      ['update', table, 'nowhere.ts', '--workers', '2'],
      ['update', table, 'nowhere.ts', '--dry-run'],
      ['copy', table, target, '--transform', 'nowhere.ts'],
      ['copy', table, target, '--transform', 'nowhere.ts', '--dry-run'],
      ['export', table, 'out.jsonl', '--transform', 'nowhere.ts'],
    ]) {
      const end = await headrace(args, here(directory.path))
      assert.equal(end.code, 2, `${args.join(' ')}\n${end.stderr}`)
      assertSpoken(end, /there is no (visitor|transform) module nowhere\.ts/)
    }
    const end = await headrace(['copy', table, target, '--transform', 'folder'], here(directory.path))
    assert.equal(end.code, 2, end.stderr)
    assertSpoken(end, /the transform module folder cannot be read: /)
    assert.deepEqual(readdirSync(directory.path), ['folder'])
  })
})

test('formats and streams', async (t) => {
  await t.test('standard input, a table made on the way, and a scan back', async () => {
    using directory = scratchDirectory()
    const table = newName()
    const input = Array.from({ length: 300 }, (_, index) =>
      JSON.stringify({ id: `item${index}`, n: index, nested: { 'ä"': [null, true] } }),
    ).join('\n')
    const end = await headrace(['load', table, '-', '--key', 'id:S'], here(directory.path, { input }))
    assert.equal(end.code, 0, end.stderr)
    assert.equal(end.stdout, '')
    const scan = await headrace(['scan', table], here(directory.path))
    assert.equal(scan.code, 0, scan.stderr)
    const byId = (text: string) =>
      new Map(
        text
          .trimEnd()
          .split('\n')
          .map((line) => [JSON.parse(line).id, JSON.parse(line)]),
      )
    assert.deepEqual(byId(scan.stdout), byId(input))
    const lossless = await headrace(
      ['scan', table, '--format', 'ddb-json', '--where', 'n < 3', '--select', 'n'],
      here(directory.path),
    )
    assert.deepEqual(lossless.stdout.trimEnd().split('\n').sort(), [
      '{"Item":{"n":{"N":"0"}}}',
      '{"Item":{"n":{"N":"1"}}}',
      '{"Item":{"n":{"N":"2"}}}',
    ])
    const limited = await headrace(['scan', table, '--limit', '10'], here(directory.path))
    assert.equal(limited.stdout.trimEnd().split('\n').length, 10)
    const count = await headrace(['count', table, '--where', 'n >= 100'], here(directory.path))
    assert.deepEqual([count.code, count.stdout], [0, '200\n'])
  })

  await t.test('CSV with types', async () => {
    using directory = scratchDirectory()
    const table = await makeTable()
    writeFileSync(
      join(directory.path, 'a.csv'),
      'id,age,active,tags,name\n1,42,true,"[1,""x""]","Smith, ""Al"""\n2,1e3,false,null,\n3,many,true,1,x\n',
    )
    const end = await headrace(['load', table, 'a.csv', '--types', 'age=N,active=BOOL,tags=json'], here(directory.path))
    assert.equal(end.code, 3, end.stderr)
    assert.match(rejectsIn(directory.path)[0]!.message, /age/)
    const items = await itemsOf(table)
    assert.deepEqual({ ...items.get('1') }, { id: '1', age: 42, active: true, tags: [1, 'x'], name: 'Smith, "Al"' })
    assert.equal(items.get('2')?.['age'], 1_000)
    assert.equal(items.size, 2)
  })

  await t.test('with --json every line is an event, and the last is done', async () => {
    using directory = scratchDirectory()
    const table = await makeTable()
    const generated = await headrace(['generate', table, '--items', '500', '--json'], here(directory.path))
    const input = '{"id":"a"}\nnonsense\n'
    const loaded = await headrace(['load', table, '-', '--json'], here(directory.path, { input }))
    const updated = await headrace(['update', table, '--set', 'done=true', '--json'], here(directory.path))
    const counted = await headrace(['count', table, '--json'], here(directory.path))
    assert.deepEqual([generated.code, loaded.code, updated.code, counted.code], [0, 3, 0, 0])
    for (const { stdout, stderr } of [generated, loaded, updated, counted]) {
      assert.equal(stderr, '')
      const events = stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { event: string })
      assert.equal(events.at(-1)!.event, 'done')
    }
    const last = (end: CommandEnd) => JSON.parse(end.stdout.trimEnd().split('\n').at(-1)!)
    assert.deepEqual(
      [last(generated).written, last(loaded).written, last(loaded).rejected, last(updated).written],
      [500, 1, 1, 501],
    )
    assert.equal(last(counted).count, 501)
    const scanned = await headrace(['scan', table, '--json'], here(directory.path))
    assert.equal(scanned.stdout.trimEnd().split('\n').length, 501)
    assert.equal(JSON.parse(scanned.stderr.trimEnd().split('\n').at(-1)!).event, 'done')
  })

  await t.test('with --quiet a job that goes well says nothing', async () => {
    using directory = scratchDirectory()
    const table = await makeTable()
    const end = await headrace(['generate', table, '--items', '10', '--quiet'], here(directory.path))
    assert.deepEqual([end.code, end.stdout, end.stderr], [0, '', ''])
  })

  await t.test('a reader that goes away (| head) ends the scan cleanly', async () => {
    using directory = scratchDirectory()
    const table = await makeTable()
    await fill(table, 5_000, { filling: 'x'.repeat(300) })
    const end = await headrace(
      ['scan', table],
      here(directory.path, { onStart: (child) => child.stdout!.once('data', () => child.stdout!.destroy()) }),
    )
    assert.equal(end.code, 0, end.stderr)
    assertSpoken(end, /^/)
    assert.doesNotMatch(end.stderr, /EPIPE|Error/)
  })
})

test('load takes files and directories together', async (t) => {
  await t.test('every record is stored, and a reject names its own file and line', async () => {
    using directory = scratchDirectory()
    const table = await makeTable()
    const lines = (name: string, count: number) =>
      Array.from({ length: count }, (_, index) => `{"id":"${name}${index}","n":${index}}`)
    const put = (path: string, content: string | Buffer) => writeFileSync(join(directory.path, path), content)
    mkdirSync(join(directory.path, 'export', 'data', '.hidden'), { recursive: true })
    put('one.jsonl', lines('one', 300).toSpliced(120, 1, '{"id":"broken"').join('\n'))
    put('export/b.csv', `id,n\n${Array.from({ length: 50 }, (_, index) => `csv${index},${index}`).join('\n')}\n`)
    put('export/data/a.json.gz', gzipSync(lines('packed', 700).toSpliced(9, 1, '{"name":"nobody"}').join('\n')))
    put('export/data/c.JSON', `[${lines('array', 40).join(',')}]`)
    // None of these is data.
    put('export/data/.hidden/d.jsonl', '{"id":"hidden"}')
    put('export/notes.txt', 'nothing')
    put('export/headrace-load-users-20261122T101112-rejects.jsonl', '{"code":"InvalidItem"}')
    const end = await headrace(['load', table, 'one.jsonl', 'export', './one.jsonl'], here(directory.path))
    assert.equal(end.code, 3, end.stderr)
    assert.match(end.stderr, /read +1,090\n +written +1,088\n +rejected +2\n/)
    const places = rejectsIn(directory.path).map(({ place }) => place)
    assert.deepEqual(places.sort(), ['export/data/a.json.gz:10', 'one.jsonl:121'])
    const items = await itemsOf(table)
    assert.equal(items.size, 1_088)
    assert.deepEqual(
      ['one299', 'csv49', 'packed699', 'array39'].map((id) => items.get(id)?.['id']),
      ['one299', 'csv49', 'packed699', 'array39'],
    )
  })

  await t.test('one that is missing stops it before anything is written, or any table made', async () => {
    using directory = scratchDirectory()
    writeFileSync(join(directory.path, 'a.jsonl'), '{"id":"a"}\n')
    mkdirSync(join(directory.path, 'empty'))
    const table = newName()
    for (const [path, message] of [
      ['b.jsonl', /There is no file "b\.jsonl" \(looked for \/.*\/b\.jsonl\)/],
      ['empty', /The directory "empty" has no file that ends in \.jsonl, .*\.gz/],
    ] as const) {
      const end = await headrace(['load', table, 'a.jsonl', path, '--key', 'id:S'], here(directory.path))
      assert.equal(end.code, 1, end.stderr)
      assertSpoken(end, message)
    }
    const described = await headrace(['table', 'describe', table], here(directory.path))
    assert.equal(described.code, 5, described.stdout)
  })

  await t.test('standard input is read alone', async () => {
    using directory = scratchDirectory()
    writeFileSync(join(directory.path, 'a.jsonl'), '{"id":"a"}\n')
    const end = await headrace(['load', 'users', '-', 'a.jsonl'], here(directory.path, { input: '{"id":"b"}\n' }))
    assert.equal(end.code, 2, end.stderr)
    assertSpoken(end, /"-" is standard input, which cannot be combined with other files/)
  })
})

test('the first Ctrl-C drains: what was taken is written, and the summary says how much', async (t) => {
  await t.test('while a file is loaded', async () => {
    using directory = scratchDirectory()
    const table = await makeTable()
    const line = (index: number) => `{"id":"item${index}","filling":"${'x'.repeat(100)}"}\n`
    writeFileSync(
      join(directory.path, 'big.jsonl'),
      Array.from({ length: 200_000 }, (_, index) => line(index)).join(''),
    )
    const end = await headrace(
      ['load', table, 'big.jsonl', '--json'],
      here(directory.path, {
        onStart: (child) => child.stdout!.once('data', () => setTimeout(() => child.kill('SIGINT'), 700)),
      }),
    )
    assert.equal(end.code, 130, end.stderr)
    const done = JSON.parse(end.stdout.trimEnd().split('\n').at(-1)!)
    assert.equal(done.event, 'done')
    assert.equal(done.complete, false)
    assert.ok(done.written > 0 && done.written < 200_000, `${done.written} written`)
    assert.equal(done.read, done.written + done.rejected + done.filtered + done.notReached)
    assert.equal((await itemsOf(table)).size, done.written)
  })

  await t.test('while standard input is silent', async () => {
    using directory = scratchDirectory()
    const table = await makeTable()
    const child = spawn(
      process.execPath,
      [fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url)), 'load', table, '-'],
      {
        cwd: directory.path,
        env: { PATH: process.env['PATH'], HOME: directory.path, AWS_ENDPOINT_URL: store.endpoint },
      },
    )
    const killer = setTimeout(() => child.kill('SIGKILL'), 10_000)
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    child.stdin.write('{"id":"a"}\n{"id":"b"}\n')
    while ((await itemsOf(table)).size < 2 && child.exitCode === null)
      await new Promise((resolve) => setTimeout(resolve, 50))
    child.kill('SIGTERM')
    const [code] = await once(child, 'close')
    clearTimeout(killer)
    assert.equal(code, 143, said)
    assert.match(said, /written +2\n/)
    // Nothing that could not be done is offered.
    assert.doesNotMatch(said, /headrace resume/)
    assert.match(
      said,
      /stopped by a signal\. This job cannot be resumed, because standard input cannot be read twice: write it to a file/,
    )
    const job = join('.headrace', readdirSync(join(directory.path, '.headrace'))[0]!)
    const status = await headrace(['status', job], here(directory.path))
    assert.match(status.stdout, /state +stopped; it cannot be resumed, because standard input cannot be read twice/)
    const again = await headrace(['resume', job], here(directory.path))
    assert.equal(again.code, 1, again.stderr)
    assertSpoken(again, /standard input cannot be read twice/)
    assert.doesNotMatch(again.stderr, /headrace resume/)
  })

  await t.test('before standard input has said anything: a resumed job does not take it for empty', async () => {
    using directory = scratchDirectory()
    const table = await makeTable()
    const child = spawn(
      process.execPath,
      [fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url)), 'load', table, '-', '--job', 'job'],
      {
        cwd: directory.path,
        env: { PATH: process.env['PATH'], HOME: directory.path, AWS_ENDPOINT_URL: store.endpoint },
      },
    )
    const closed = once(child, 'close')
    const killer = setTimeout(() => child.kill('SIGKILL'), 10_000)
    while (!existsSync(join(directory.path, 'job', 'job.json')) && child.signalCode === null && child.exitCode === null)
      await new Promise((resolve) => setTimeout(resolve, 20))
    child.kill('SIGKILL')
    await closed
    clearTimeout(killer)
    const again = await headrace(['resume', 'job'], here(directory.path))
    assert.equal(again.code, 1, again.stderr)
    assertSpoken(again, /standard input cannot be read twice/)
  })
})

test('the embedded store and its tables, from the command line alone', async () => {
  using directory = scratchDirectory()
  let endpoint = ''
  let local: ChildProcess | undefined
  const running = headrace(['local', '--port', '0', '--json'], {
    directory: directory.path,
    onStart: (child) => {
      local = child
    },
  })
  try {
    const [line] = await once(local!.stdout!, 'data')
    const ready = JSON.parse(line) as { event: string; endpoint: string }
    assert.equal(ready.event, 'ready')
    endpoint = ready.endpoint
    const run = (...args: string[]) => headrace([...args, '--endpoint-url', endpoint], { directory: directory.path })
    const created = await run('table', 'create', 'orders', '--key', 'customer:S,number:N', '--write-units', '50')
    assert.equal(created.code, 0, created.stderr)
    const twice = await run('table', 'create', 'orders', '--key', 'customer:S')
    assert.equal(twice.code, 5)
    assertSpoken(twice, /table "orders" already exists/)
    const described = await run('table', 'describe', 'orders')
    assert.match(described.stdout, /customer:S, number:N[\s\S]*50 WCU\/s/)
    const generated = await run('generate', 'orders', '--items', '100')
    assert.equal(generated.code, 0, generated.stderr)
    const replaced = await run('table', 'create', 'orders', '--key', 'id:S', '--replace', '--yes')
    assert.equal(replaced.code, 0, replaced.stderr)
    assert.equal((await run('count', 'orders')).stdout, '0\n')
    assert.equal((await run('table', 'wait', 'orders')).code, 0)
    assert.equal((await run('table', 'drop', 'orders', '--yes')).code, 0)
    assert.equal((await run('table', 'wait', 'orders')).code, 5)
  } finally {
    local!.kill('SIGINT')
  }
  assert.equal((await running).code, 0)
  await assert.rejects(fetch(endpoint), 'the store is gone with it')
})

test('status tells of every job that can be read, and of one that cannot', async () => {
  using directory = scratchDirectory()
  const table = await makeTable()
  const run = (...args: string[]) => headrace(args, here(directory.path))
  assert.match((await run('status')).stdout, /^no jobs in \.headrace\. /m)
  for (const seed of ['1', '2']) {
    const job = join('.headrace', `job${seed}`)
    const end = await run('generate', table, '--items', '10', '--seed', seed, '--job', job)
    assert.equal(end.code, 0, end.stderr)
  }
  writeFileSync(join(directory.path, '.headrace', 'job1', 'job.json'), '{"version":')
  const end = await run('status')
  assert.equal(end.code, 0, end.stderr)
  assert.match(end.stdout, /^\.headrace\/job2 +done +10 written +started [^\n]+\n$/)
  assertSpoken(end, /skipped: \.headrace\/job1\/job\.json is not valid JSON/)
  const events = (await run('status', '--json')).stdout.trimEnd().split('\n')
  assert.deepEqual(
    events.map((line) => JSON.parse(line).event),
    ['warning', 'job'],
  )
})

test('help', async (t) => {
  const verbs = COMMANDS.map(({ name }) => name.split(' '))
  await t.test('every verb says its usage and three examples of itself at least', async () => {
    using directory = scratchDirectory()
    for (const verb of verbs) {
      const { code, stdout } = await headrace([...verb, '--help'], here(directory.path))
      assert.equal(code, 0)
      assert.match(stdout, new RegExp(`^Usage: headrace ${verb.join(' ')}`, 'm'))
      const [, examples] = /^Examples:\n((?: {2}.*\n)+)/m.exec(stdout)!
      assert.ok(examples!.split(`headrace ${verb.join(' ')}`).length > 3, stdout)
    }
  })

  await t.test('a reader that goes away (| head) does not make help fail', async () => {
    using directory = scratchDirectory()
    const end = await headrace(
      ['load', '--help'],
      here(directory.path, { onStart: (child) => child.stdout!.destroy() }),
    )
    assert.equal(end.code, 0, end.stderr)
    assert.equal(end.stderr, '')
  })

  await t.test('headrace --help answers within 500 ms and names every verb', async () => {
    using directory = scratchDirectory()
    let best = Number.POSITIVE_INFINITY
    for (let round = 0; round < 3; round += 1) {
      const begin = performance.now()
      const { code, stdout } = await headrace(['--help'], here(directory.path))
      best = Math.min(best, performance.now() - begin)
      assert.equal(code, 0)
      for (const [verb] of verbs) assert.ok(stdout.includes(`  ${verb} `), verb)
    }
    assert.ok(best < 500, `${best} ms`)
  })
})
