// Group A of issue "Nothing silent": records that changed, vanished or appeared between a file and the table.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { encodeItem } from '../../src/item/encode.ts'
import type { KeySchema } from '../../src/item/itemKey.ts'
import { parseJson } from '../../src/runtime/parseJson.ts'
import { database, newTable, store } from '../support/store.ts'
import { type CommandEnd, headrace, scratchDirectory } from './command.ts'

const BY_NUMBER: KeySchema = { partition: { name: 'id', type: 'N' } }

/** The items of a table in DynamoDB JSON, in the order of their keys. */
async function itemsOf(name: string): Promise<unknown[]> {
  const items: { readonly [name: string]: unknown }[] = []
  for await (const item of database.table(name).scan({ consistentRead: true }))
    items.push(parseJson(encodeItem(item)) as (typeof items)[number])
  const keyOf = (item: (typeof items)[number]): string => JSON.stringify(item['id'] ?? item['pk'])
  return items.sort((left, right) => keyOf(left).localeCompare(keyOf(right)))
}

class Place {
  readonly directory: string

  constructor(directory: string) {
    this.directory = directory
  }

  write(name: string, content: string | Uint8Array): void {
    writeFileSync(join(this.directory, name), content)
  }

  run(args: readonly string[], input?: string | Uint8Array): Promise<CommandEnd> {
    return headrace(args, { directory: this.directory, input, environment: { AWS_ENDPOINT_URL: store.endpoint } })
  }

  rejects(job: string): { [field: string]: unknown }[] {
    const text = readFileSync(join(this.directory, job, 'rejects.jsonl'), 'utf8')
    return text
      .trimEnd()
      .split('\n')
      .map((line) => parseJson(line) as { [field: string]: unknown })
  }
}

function inScratch(body: (place: Place) => Promise<void>): () => Promise<void> {
  return async () => {
    using directory = scratchDirectory()
    await body(new Place(directory.path))
  }
}

function done({ stdout }: CommandEnd): { [name: string]: unknown } {
  return parseJson(stdout.trimEnd().split('\n').at(-1)!) as { [name: string]: unknown }
}

test(
  'A1: a reject keeps all types of its item, and gives them back',
  inScratch(async (place) => {
    const { name } = await newTable({ partition: { name: 'pk', type: 'S' } })
    const item = {
      pk: { S: 'doc7' },
      text: { S: 'x'.repeat(410_000) },
      tags: { SS: ['red', 'blue'] },
      numbers: { NS: ['1', '2.5'] },
      bytes: { BS: ['AAE=', 'AAI='] },
      sum: { N: '12345678901234567890' },
      sha: { B: 'AAH+/w==' },
      deep: { M: { list: { L: [{ N: '0.1' }, { NULL: true }, { BOOL: false }] } } },
    }
    place.write('a.jsonl', `${JSON.stringify({ Item: item })}\n`)
    const first = await place.run(['load', name, 'a.jsonl', '--job', 'j'])
    assert.equal(first.code, 3)
    assert.match(first.stderr, /done, 1 rejected/)
    assert.deepEqual(place.rejects('j')[0]!['item'], item)
    place.write('shrink.mjs', 'export default (item) => ({ ...item, text: item.text.slice(0, 100) })\n')
    const second = await place.run(['load', name, 'j/rejects.jsonl', '--from-rejects', '--transform', 'shrink.mjs'])
    assert.equal(second.code, 0, second.stderr)
    const [stored] = (await itemsOf(name)) as [typeof item]
    const sorted = (set: readonly string[]): string[] => [...set].sort()
    assert.deepEqual(sorted(stored.tags.SS), sorted(item.tags.SS))
    assert.deepEqual(sorted(stored.numbers.NS), sorted(item.numbers.NS))
    assert.deepEqual(sorted(stored.bytes.BS), sorted(item.bytes.BS))
    assert.deepEqual([stored.sum, stored.sha, stored.deep], [item.sum, item.sha, item.deep])
  }),
)

test(
  'A2: what no item can hold is shown for what it is, and never becomes something else',
  inScratch(async (place) => {
    const { name } = await newTable()
    place.write(
      'job.mjs',
      `export default {
  source: { items: () => [
    { id: 'nan', n: NaN }, { id: 'map', m: new Map([['a', 1]]) }, { id: 'date', d: new Date(0) },
    { id: 'long', n: 10n ** 40n + 1n }, { id: 'half', s: '\\ud800' }, { id: 'set', s: new Set(['a', 1]) }, { id: 'none', s: new Set() },
    { id: 'good', n: 10n ** 30n }, 7, null,
  ] },
  sink: { table: ${JSON.stringify(name)} },
}\n`,
    )
    const ran = await place.run(['run', 'job.mjs', '--job', 'j'])
    assert.equal(ran.code, 3, ran.stderr)
    const rejects = place.rejects('j')
    assert.equal(rejects.length, 9, JSON.stringify(rejects))
    const shown = Object.fromEntries(
      rejects.slice(0, 7).map(({ item }) => [(item as { id: { S: string } }).id.S, item]),
    )
    assert.deepEqual(shown['nan'], { id: { S: 'nan' }, n: { N: 'NaN' } })
    assert.deepEqual(shown['map'], { id: { S: 'map' }, m: { unsupported: 'Map', shown: '[["a",1]]' } })
    assert.deepEqual(shown['date'], {
      id: { S: 'date' },
      d: { unsupported: 'Date', shown: '"1970-01-01T00:00:00.000Z"' },
    })
    assert.deepEqual(shown['long'], { id: { S: 'long' }, n: { N: `1${'0'.repeat(39)}1` } })
    assert.deepEqual(shown['half'], { id: { S: 'half' }, s: { S: '\ud800' } })
    assert.deepEqual([rejects[7]!['raw'], rejects[8]!['raw']], ['7', 'null'])
    // Loaded again without being put right they are rejects again, with all that they had.
    const again = await place.run(['load', name, 'j/rejects.jsonl', '--from-rejects', '--job', 'k'])
    assert.equal(again.code, 3, again.stderr)
    assert.equal((await itemsOf(name)).length, 1)
    const kept = place.rejects('k').map(({ item, raw, format }) => (item === undefined ? [raw, format] : item))
    const before = rejects.map(({ item, raw, format }) => (item === undefined ? [raw, format] : item))
    assert.deepEqual(
      kept.map((one) => (Array.isArray(one) && one[1] === 'ddb-json' ? parseJson(one[0] as string) : one)),
      before,
    )
  }),
)

test(
  'A2: records that cannot be read keep their own bytes, also what is not UTF-8',
  inScratch(async (place) => {
    const { name } = await newTable()
    const bad = Buffer.from([...Buffer.from('{"id":"b\\\\xff'), 0xff, 0xfe, ...Buffer.from('"}')])
    const sets = '{"id":{"S":"s"},"x":{"BS":["AA==","AA=="]}}'
    const unnamed = `{"id":"u","":1,"deep":${'['.repeat(40)}${']'.repeat(40)}}`
    place.write('a.jsonl', Buffer.concat([bad, Buffer.from(`\n${unnamed}\n`)]))
    place.write('b.jsonl', `${sets}\n{"id":{"S":"good"}}\n`)
    const ran = await place.run(['load', name, 'a.jsonl', 'b.jsonl', '--job', 'j'])
    assert.equal(ran.code, 3, ran.stderr)
    const rejects = place.rejects('j')
    const bytes = rejects.find(({ rawBase64 }) => rawBase64 !== undefined)
    assert.deepEqual(Buffer.from(bytes!['rawBase64'] as string, 'base64'), bad)
    assert.equal(bytes!['format'], 'jsonl')
    const set = rejects.find(({ place: where }) => where === 'b.jsonl:1')!
    assert.deepEqual(set['item'], { id: { S: 's' }, x: { BS: ['AA==', 'AA=='] } })
    const again = await place.run(['load', name, 'j/rejects.jsonl', '--from-rejects', '--job', 'k'])
    assert.equal(again.code, 3)
    assert.equal(place.rejects('k').length, 3)
    const still = place.rejects('k').find(({ rawBase64 }) => rawBase64 !== undefined)
    assert.deepEqual(Buffer.from(still!['rawBase64'] as string, 'base64'), bad)
  }),
)

test(
  'A3: a reject that was put right loads in any form, and says which its record is in',
  inScratch(async (place) => {
    const { name } = await newTable()
    place.write('a.csv', 'id;age:N;note\nc1;old;x\nc2;7\nc3;x;"a;""b"""\n')
    place.write('a.ion', '$ion_1_0 {Item:{id:"i1",n:broken}}\n$ion_1_0 {Item:{id:"i2",n:}}\n')
    place.write('a.jsonl', '{"id":"j1",}\n{"id":"j2","n":}\n{"id":"j3\n{"id":"j0"}\n')
    const ran = await place.run(['load', name, 'a.csv', 'a.ion', 'a.jsonl', '--delimiter', ';', '--job', 'j'])
    assert.equal(ran.code, 3, ran.stderr)
    const rejects = place.rejects('j')
    const of = (where: string) => {
      const found = rejects.find((reject) => reject['place'] === where)
      assert.ok(found !== undefined, where)
      return { ...found }
    }
    assert.deepEqual(
      ['a.csv:2', 'a.ion:1', 'a.jsonl:1'].map((where) => of(where)['format']),
      ['csv', 'ion', 'jsonl'],
    )
    assert.deepEqual([of('a.csv:2')['columns'], of('a.csv:2')['delimiter']], [['id', 'age:N', 'note'], ';'])
    const mended = [
      { ...of('a.csv:2'), raw: 'c1;8;x' },
      { ...of('a.csv:3'), raw: '{"Item":{"id":{"S":"c2"},"age":{"N":"7"}}}' },
      { ...of('a.csv:4'), raw: (of('a.csv:4')['raw'] as string).replace(';x;', ';9;') },
      { ...of('a.ion:1'), raw: '$ion_1_0 {Item:{id:"i1",n:1.50}}' },
      { ...of('a.ion:2'), raw: '{"id":{"S":"i2"}}' },
      { ...of('a.jsonl:1'), raw: '$ion_1_0 {Item:{id:"j1"}}' },
      { ...of('a.jsonl:2'), raw: '{"id":{"S":"j2"},"n":{"SS":["a"]}}' },
      { ...of('a.jsonl:3'), item: { Item: { id: { S: 'j3' } } }, raw: undefined },
    ]
    const lines = [
      ...mended.map((one) => JSON.stringify(one)),
      '{"Item":{"id":{"S":"k1"}}}',
      '{"id":{"S":"k2"}}',
      '{"id":"k3"}',
    ]
    place.write('mended.jsonl', `${lines.join('\n')}\n`)
    const again = await place.run(['load', name, 'mended.jsonl', '--from-rejects'])
    assert.equal(again.code, 0, again.stderr)
    assert.deepEqual(await itemsOf(name), [
      { id: { S: 'c1' }, age: { N: '8' }, note: { S: 'x' } },
      { id: { S: 'c2' }, age: { N: '7' } },
      { id: { S: 'c3' }, age: { N: '9' }, note: { S: 'a;"b"' } },
      { id: { S: 'i1' }, n: { N: '1.5' } },
      { id: { S: 'i2' } },
      { id: { S: 'j0' } },
      { id: { S: 'j1' } },
      { id: { S: 'j2' }, n: { SS: ['a'] } },
      { id: { S: 'j3' } },
      { id: { S: 'k1' } },
      { id: { S: 'k2' } },
      { id: { S: 'k3' } },
    ])
  }),
)

test('A4: scan output is a whole document, and nothing within a record makes one', async (t) => {
  const cases: [what: string, content: string, ids: string[]][] = [
    [
      'two objects',
      '{\n  "Count": 3,\n  "id": "a"\n}\n{\n  "id": "b",\n  "Items": [ {"id": "nested", "x": 1} ]\n}\n',
      ['a', 'b'],
    ],
    ['Items in front', '{\n  "Items": [ {"id": "nested"} ],\n  "id": "c"\n}\n', ['c']],
    ['one of two on a line each', '{"Items":[{"id":"nested"}],"id":"d"}\n{"id":"e"}\n', ['d', 'e']],
    ['records in a list of an object', '{"id":"f","list":[\n{"id":"x"},\n{"id":"y"}\n]}\n', ['f']],
    ['Items deeper down', '{"id":"g","Count":{"Items":[{"id":"x"}]}}', ['g']],
  ]
  for (const [what, content, ids] of cases) {
    await t.test(
      what,
      inScratch(async (place) => {
        const { name } = await newTable()
        place.write('a.json', content)
        const ran = await place.run(['load', name, 'a.json'])
        assert.equal(ran.code, 0, ran.stderr)
        const found = (await itemsOf(name)).map((item) => (item as { id: { S: string } }).id.S)
        assert.deepEqual(found, ids)
      }),
    )
  }
  await t.test(
    'what only begins like scan output is refused before anything is written',
    inScratch(async (place) => {
      const { name } = await newTable()
      const items = Array.from({ length: 3_000 }, (_, index) => ({ id: `item${index}`, padding: 'x'.repeat(50) }))
      for (const content of [
        JSON.stringify({ Items: items, id: 'z' }, null, 1),
        `${JSON.stringify({ Items: items })}\n${JSON.stringify({ Items: items })}\n`,
      ]) {
        place.write('a.json', content)
        place.write('a.json.gz', gzipSync(content))
        for (const file of ['a.json', 'a.json.gz']) {
          const ran = await place.run(['load', name, file])
          assert.equal(ran.code, 1, ran.stderr)
          assert.match(ran.stderr, /scan output/)
        }
      }
      assert.deepEqual(await itemsOf(name), [])
    }),
  )
  await t.test(
    '--format wins',
    inScratch(async (place) => {
      const { name } = await newTable()
      place.write('a.json', '{"Items":[{"id":"nested"}],"Count":1,"id":"h"}\n{"id":{"S":"x"}}\n')
      const ran = await place.run(['load', name, 'a.json', '--format', 'jsonl', '--job', 'j'])
      assert.equal(ran.code, 3, ran.stderr)
      assert.equal((await itemsOf(name)).length, 1)
      assert.match(place.rejects('j')[0]!['message'] as string, /looks like DynamoDB JSON.*--format ddb-json/)
    }),
  )
})

test(
  'A5: scan output that says there is more of it is loaded, and said to be incomplete',
  inScratch(async (place) => {
    const { name } = await newTable()
    const output = { Items: [{ id: { S: 'm1' } }, { id: { S: 'm2' } }], Count: 2000, ScannedCount: 2000 }
    for (const more of [{ NextToken: 'eyJF' }, { LastEvaluatedKey: { id: { S: 'm2' } } }, {}]) {
      place.write('a.json', JSON.stringify({ ...output, ...more }))
      const ran = await place.run(['load', name, 'a.json', '--json'])
      assert.equal(ran.code, 3, ran.stderr)
      const [token] = Object.keys(more)
      const said = done(ran)['incompleteInput'] as string[]
      assert.equal(said.length, 1)
      assert.match(said[0]!, /a\.json: .*its Count says 2,000 items, but it has 2/)
      if (token !== undefined) assert.match(said[0]!, new RegExp(token))
      assert.equal(done(ran)['written'], 2)
    }
    const words = await place.run(['load', name, 'a.json'])
    assert.match(words.stderr, /incomplete input: a\.json/)
    assert.match(words.stderr, /load \w+: done, incomplete input/)
    place.write('whole.json', JSON.stringify({ ...output, Count: 2, ScannedCount: 900, LastEvaluatedKey: null }))
    assert.equal((await place.run(['load', name, 'whole.json'])).code, 0)
    const piped = await place.run(['load', name, '-'], JSON.stringify({ ...output, NextToken: 'x' }))
    assert.equal(piped.code, 3, piped.stderr)
  }),
)

test('A6: lines may end in CR, LF and CRLF', async (t) => {
  const rows = ['id,note', 'a,1', 'b,"x\ny"', 'c,3']
  const records = ['{"id":"a"}', '{"id":"b","x":[1,\t2]}', '{"id":"c"}']
  const files: [name: string, content: string, ids: string[]][] = []
  for (const [what, end] of [
    ['cr', '\r'],
    ['lf', '\n'],
    ['crlf', '\r\n'],
  ] as const) {
    files.push(
      [`${what}.csv`, rows.join(end), ['a', 'b', 'c']],
      [`${what}.jsonl`, records.join(end) + end, ['a', 'b', 'c']],
    )
    files.push([`${what}.json`, records.join(end), ['a', 'b', 'c']])
  }
  files.push(['mixed.csv', 'id,note\r\na,1\rb,2\nc,3', ['a', 'b', 'c']])
  files.push(['mixed.jsonl', '{"id":"a"}\r\n{"id":"b"}\r{"id":"c"}\n', ['a', 'b', 'c']])
  for (const [file, content, ids] of files) {
    await t.test(
      file,
      inScratch(async (place) => {
        const { name } = await newTable()
        place.write(file, content)
        const ran = await place.run(['load', name, file])
        assert.equal(ran.code, 0, ran.stderr)
        assert.deepEqual(
          (await itemsOf(name)).map((item) => (item as { id: { S: string } }).id.S),
          ids,
        )
      }),
    )
  }
  await t.test(
    'one bad record among lines that end in CR is one reject, with its line',
    inScratch(async (place) => {
      const { name } = await newTable()
      place.write('a.jsonl', '{"id":"a"}\r{"id":"b",\r{"id":"c"}\r')
      const ran = await place.run(['load', name, 'a.jsonl', '--job', 'j'])
      assert.equal(ran.code, 3, ran.stderr)
      assert.deepEqual(
        place.rejects('j').map(({ place: where, raw }) => [where, raw]),
        [['a.jsonl:2', '{"id":"b",']],
      )
      assert.equal((await itemsOf(name)).length, 2)
    }),
  )
})

test('A6: a header without the table’s key is refused before anything is written, and says what may be wrong', async (t) => {
  const cases: [what: string, file: string, content: string, args: string[], said: RegExp][] = [
    ['another delimiter', 'a.csv', 'id;note\na;1\n', [], /no column "id".*only column is "id;note".*";".*--delimiter/s],
    ['a tab', 'a.csv', 'id\tnote\na\t1\n', [], /a tab.*--delimiter/],
    ['another case', 'a.csv', 'ID,note\na,1\n', [], /columns are "ID", "note".*case-sensitive.*"ID"/s],
    ['quotes of another kind', 'a.csv', "'id',note\na,1\n", [], /quotes/],
    ['no header', 'a.csv', 'x1,2\nx2,3\n', [], /no column "id".*"x1", "2".*header/s],
    ['a type that the key does not have', 'a.csv', 'id:N,note\n1,1\n', [], /"id" has type N.*has type S/s],
    ['--types against the key', 'a.csv', 'id,note\n1,1\n', ['--types', 'id=N'], /"id" has type N.*has type S/s],
  ]
  for (const [what, file, content, args, said] of cases) {
    await t.test(
      what,
      inScratch(async (place) => {
        const { name } = await newTable()
        place.write(file, content)
        place.write('good.jsonl', '{"id":"good"}\n')
        const ran = await place.run(['load', name, 'good.jsonl', file, ...args])
        assert.notEqual(ran.code, 0)
        assert.match(ran.stderr, said)
        assert.deepEqual(await itemsOf(name), [])
      }),
    )
  }
})

test('A7: the format is judged from more than one record, and one bad record is one reject', async (t) => {
  const cases: [what: string, content: string, written: number, rejected: number][] = [
    [
      'a flaw in the first value',
      '{"Item":{"pk":{"S":"a"},"n":{"N":0.5}}}\n{"Item":{"pk":{"S":"b"}}}\n{"Item":{"pk":{"S":"c"},"n":{"N":"2"}}}\n',
      2,
      1,
    ],
    [
      'a first line that is no JSON',
      '{"Item":{"pk":{"S":"a"}\n{"Item":{"pk":{"S":"b"}}}\n{"Item":{"pk":{"S":"c"}}}\n',
      2,
      1,
    ],
    ['a plain record first', '{"pk":"a"}\n{"pk":{"S":"b"},"n":{"N":"1"}}\n{"pk":{"S":"c"}}\n', 2, 1],
    ['DynamoDB JSON first among plain', '{"pk":{"S":"a"}}\n{"pk":"b"}\n{"pk":"c"}\n', 2, 1],
    ['an empty record first', '{}\n{"pk":{"S":"b"}}\n{"pk":{"S":"c"}}\n', 2, 1],
    [
      'in an array',
      '[{"Item":{"pk":{"S":"a"},"n":{"N":0.5}}},\n{"Item":{"pk":{"S":"b"}}},{"Item":{"pk":{"S":"c"}}}]',
      2,
      1,
    ],
    ['over several lines', '{\n"pk": {"S":"a"},\n"n": 1\n}\n{\n"pk": {"S":"b"}\n}\n{\n"pk": {"S":"c"}\n}\n', 2, 1],
    ['an attribute called S', '{"pk":"a","S":"x"}\n{"pk":"b","m":{"S":"x"}}\n', 2, 0],
    ['an item with one attribute', '{"Item":{"pk":{"S":"a"}}}\n', 1, 0],
  ]
  for (const [what, content, written, rejected] of cases) {
    await t.test(
      what,
      inScratch(async (place) => {
        const { name } = await newTable({ partition: { name: 'pk', type: 'S' } })
        for (const file of ['a.jsonl', 'a.json']) {
          if (file.endsWith('l') && !content.endsWith('}\n')) continue
          place.write(file, content)
          const ran = await place.run(['load', name, file, '--json'])
          const { written: made, rejected: refused, overwritten } = done(ran)
          assert.deepEqual([Number(made) + Number(overwritten), refused], [written, rejected], ran.stdout)
        }
        const items = (await itemsOf(name)) as { pk: unknown }[]
        assert.equal(items.length, written)
        for (const { pk } of items) assert.equal(typeof (pk as { S: string }).S, 'string')
      }),
    )
  }
})

test(
  'A8: an input without records is said to be that',
  inScratch(async (place) => {
    const { name } = await newTable()
    const inputs: [file: string, content: string | Uint8Array][] = [
      ['empty.jsonl', ''],
      ['blank.jsonl', '\n\n  \n'],
      ['empty.json', '[]'],
      ['items.json', '{"Items":[],"Count":0}'],
      ['header.csv', 'id,note\n'],
      ['empty.csv', ''],
      ['empty.jsonl.gz', gzipSync('')],
    ]
    for (const [file, content] of inputs) {
      place.write(file, content)
      const ran = await place.run(['load', name, file])
      assert.equal(ran.code, 0, file + ran.stderr)
      assert.match(ran.stderr, /load \w+: done, no records/, file)
      assert.ok(ran.stderr.includes(`${file} contains no records`), ran.stderr)
    }
    const piped = await place.run(['load', name, '-'], '')
    assert.match(piped.stderr, /standard input contains no records[\s\S]*done, no records/)
    place.write('good.jsonl', '{"id":"a"}\n')
    const beside = await place.run(['load', name, 'good.jsonl', 'header.csv', '--json'])
    assert.match(beside.stdout, /header\.csv contains no records/)
  }),
)

test('A9: records with the key of a later one are counted as overwritten', async (t) => {
  const lines = '{"id":"a","n":1}\n{"id":"b","n":2}\n{"id":"a","n":3}\n'
  await t.test(
    'in summary, JSON and report',
    inScratch(async (place) => {
      const { name } = await newTable()
      place.write('a.jsonl', lines)
      const ran = await place.run(['load', name, 'a.jsonl', '--json', '--job', 'j', '--report'])
      const { read, written, overwritten, keysCompared } = done(ran)
      assert.deepEqual([read, written, overwritten, keysCompared], [3, 2, 1, 'all'])
      assert.match(readFileSync(join(place.directory, 'j/report.html'), 'utf8'), /overwritten/)
      const words = await place.run(['load', name, 'a.jsonl'])
      assert.match(
        words.stderr,
        /written +2\n +duplicate keys +1 record overwritten by a later record with the same key\n/,
      )
      assert.deepEqual(await itemsOf(name), [
        { id: { S: 'a' }, n: { N: '3' } },
        { id: { S: 'b' }, n: { N: '2' } },
      ])
      const planned = await place.run(['load', name, 'a.jsonl', '--dry-run'])
      assert.match(planned.stdout + planned.stderr, /overwrit/)
    }),
  )
  await t.test(
    'by number, sort key, several files, a transform, kept old images, and one that is rejected does not count',
    inScratch(async (place) => {
      const { name } = await newTable({ partition: { name: 'id', type: 'N' }, sort: { name: 'at', type: 'S' } })
      place.write('a.jsonl', '{"id":1,"at":"x","f":1}\n{"id":1.0,"at":"x","f":2}\n{"id":1,"at":"y"}\n')
      place.write('b.jsonl', '{"id":1,"at":"y","f":3}\n{"id":2,"at":"","f":3}\n{"id":2,"at":"z"}\n')
      place.write('keep.mjs', 'export default (item) => item\n')
      for (const args of [[], ['--transform', 'keep.mjs'], ['--keep-old', '--job', 'k']]) {
        const ran = await place.run(['load', name, 'a.jsonl', 'b.jsonl', '--json', ...args])
        const { written, overwritten, rejected } = done(ran)
        assert.deepEqual([written, overwritten, rejected], [3, 2, 1], args.join(' '))
      }
    }),
  )
  await t.test(
    'beyond a bound it says so',
    inScratch(async (place) => {
      const { DistinctKeys } = await import('../../src/job/distinctKeys.ts')
      const keys = new DistinctKeys(3)
      assert.deepEqual(
        [1, 2, 1, 3, 4, 4, 1].map((hash) => keys.add(hash, hash)),
        [false, false, true, false, false, false, true],
      )
      assert.equal(keys.isFull, true)
      assert.equal(place.directory === '', false)
    }),
  )
  await t.test(
    '--if-exists skip and reject leave what is there',
    inScratch(async (place) => {
      const { name } = await newTable()
      const before = { id: { S: 'b' }, n: { N: '20' }, own: { BOOL: true } }
      await database.table(name).publisher().put({ id: 'b', n: 20, own: true })
      place.write('first.jsonl', '{"id":"b","n":20,"own":true}\n')
      assert.equal((await place.run(['load', name, 'first.jsonl'])).code, 0)
      place.write('a.jsonl', `${lines}{"id":"c","n":{"deep":[1,2]},"odd name":1}\n`)
      const skipped = await place.run(['load', name, 'a.jsonl', '--if-exists', 'skip', '--json'])
      assert.equal(skipped.code, 0, skipped.stderr)
      const { read, written, skipped: left, overwritten } = done(skipped)
      assert.deepEqual([read, written, left, overwritten], [4, 2, 2, 0])
      const after = await itemsOf(name)
      assert.deepEqual(after[1], before)
      assert.deepEqual(after[0], { id: { S: 'a' }, n: { N: '1' } })
      const words = await place.run(['load', name, 'a.jsonl', '--if-exists', 'skip'])
      assert.match(words.stderr, /skipped +4 \(the table already has an item with this key\)/)
      const rejected = await place.run(['load', name, 'a.jsonl', '--if-exists', 'reject', '--job', 'r'])
      assert.equal(rejected.code, 3)
      assert.deepEqual(
        place.rejects('r').map(({ code }) => code),
        Array(4).fill('DuplicateItem'),
      )
      assert.deepEqual(place.rejects('r')[3]!['item'], {
        id: { S: 'c' },
        n: { M: { deep: { L: [{ N: '1' }, { N: '2' }] } } },
        'odd name': { N: '1' },
      })
      assert.deepEqual(await itemsOf(name), after)
    }),
  )
  await t.test(
    '--if-exists for copy and run',
    inScratch(async (place) => {
      const from = await newTable()
      const to = await newTable()
      for (const [table, n] of [
        [from, 1],
        [to, 2],
      ] as const) {
        await using publisher = table.publisher()
        publisher.put({ id: 'both', n })
        publisher.put({ id: `only${n}`, n })
      }
      const copied = await place.run(['copy', from.name, to.name, '--if-exists', 'skip', '--json'])
      assert.equal(copied.code, 0, copied.stderr)
      assert.deepEqual([done(copied)['written'], done(copied)['skipped']], [1, 1])
      assert.deepEqual((await itemsOf(to.name)).length, 3)
      place.write(
        'job.mjs',
        `export default { source: { table: '${from.name}' }, transform: (item) => ({ ...item, n: 9 }), sink: { table: '${to.name}', ifExists: 'reject' } }\n`,
      )
      const ran = await place.run(['run', 'job.mjs', '--json'])
      assert.equal(ran.code, 3, ran.stderr)
      assert.deepEqual([done(ran)['written'], done(ran)['rejected']], [0, 2])
      const over = await place.run(['run', 'job.mjs', '--if-exists', 'overwrite', '--json'])
      assert.deepEqual([over.code, done(over)['written']], [0, 2])
    }),
  )
})

test('A10: keys are read as the table has them, or the reject says how', async (t) => {
  await t.test(
    'CSV',
    inScratch(async (place) => {
      const numbers = await newTable(BY_NUMBER)
      const texts = await newTable()
      place.write('a.csv', 'id,n\n17,1\n018,2\n')
      assert.equal((await place.run(['load', numbers.name, 'a.csv'])).code, 0)
      assert.deepEqual(await itemsOf(numbers.name), [
        { id: { N: '17' }, n: { S: '1' } },
        { id: { N: '18' }, n: { S: '2' } },
      ])
      assert.equal((await place.run(['load', texts.name, 'a.csv'])).code, 0)
      assert.deepEqual(await itemsOf(texts.name), [
        { id: { S: '018' }, n: { S: '2' } },
        { id: { S: '17' }, n: { S: '1' } },
      ])
    }),
  )
  await t.test(
    'JSON Lines',
    inScratch(async (place) => {
      const numbers = await newTable(BY_NUMBER)
      const texts = await newTable()
      place.write('text.jsonl', '{"id":"17","n":"5"}\n')
      place.write('number.jsonl', '{"id":17,"n":5}\n')
      for (const [name, file, type] of [
        [numbers.name, 'text.jsonl', 'N'],
        [texts.name, 'number.jsonl', 'S'],
      ] as const) {
        const ran = await place.run(['load', name, file, '--job', `j${type}`])
        assert.equal(ran.code, 3)
        assert.ok((place.rejects(`j${type}`)[0]!['message'] as string).includes(`--types id=${type}`))
        const typed = await place.run(['load', name, file, '--types', `id=${type}`])
        assert.equal(typed.code, 0, typed.stderr)
        assert.deepEqual((await itemsOf(name)).length, 1)
      }
      place.write('case.jsonl', '{"Id":"x"}\n')
      const other = await place.run(['load', texts.name, 'case.jsonl', '--job', 'jc'])
      assert.equal(other.code, 3)
      assert.match(place.rejects('jc')[0]!['message'] as string, /has "Id": names are case-sensitive/)
    }),
  )
})

test(
  'A11: a column whose name begins with a byte order mark is refused by name',
  inScratch(async (place) => {
    const { name } = await newTable()
    place.write('a.jsonl', '{"id":"a","\ufeffx":1}\n')
    assert.equal((await place.run(['load', name, 'a.jsonl'])).code, 0)
    const exported = await place.run(['export', name, 'a.parquet'])
    if (exported.code === 0) {
      const back = await newTable()
      const ran = await place.run(['load', back.name, 'a.parquet'])
      if (ran.code === 0) assert.deepEqual(await itemsOf(back.name), await itemsOf(name))
      else assert.match(ran.stderr, /byte order mark/)
    } else {
      assert.match(exported.stderr, /byte order mark/)
    }
  }),
)
