import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { file } from '../../src/operations/file.ts'
import { seededRandom } from '../../src/runtime/random.ts'

const folder = mkdtempSync(join(tmpdir(), 'headrace-parts-'))
after(() => rmSync(folder, { recursive: true }))

test('wherever a file of lines is cut, each record is in one part, with its place in the file', async () => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const random = seededRandom(seed)
    const count = 1 + Math.floor(random() * 40)
    const ending = random() < 0.3 ? '\r\n' : '\n'
    const texts = Array.from({ length: count }, (_, index) =>
      random() < 0.1 ? '' : `{"id":"${index}","text":"${'ü'.repeat(random() * 60)}"}`,
    )
    const path = join(folder, `lines${seed}.jsonl`)
    const bytes = Buffer.from((seed % 5 === 0 ? '\uFEFF' : '') + texts.join(ending) + (random() < 0.5 ? ending : ''))
    writeFileSync(path, bytes)
    const whole: [unknown, number][] = []
    for await (const records of file(path).records())
      for (const { place, ...record } of records) whole.push([record, place.offset])
    // Half of the cuts fall where a record begins.
    const cuts = Array.from({ length: Math.floor(random() * 6) }, () => {
      const [, offset] = whole[Math.floor(random() * whole.length)] ?? [undefined, 0]
      return random() < 0.5 ? offset : Math.floor(random() * bytes.length)
    })
    const at = [0, ...cuts.sort((left, right) => left - right), bytes.length]
    const parts: [unknown, number][] = []
    for (let index = 1; index < at.length; index += 1) {
      const part = file(path).part!(at[index - 1]!, at[index]!)
      for await (const records of part.records())
        for (const { place, ...record } of records) parts.push([record, place.offset])
    }
    assert.deepEqual(parts, whole, `seed ${seed}, cut at ${at}`)
  }
})

test('what cannot be cut says so by having no parts', () => {
  for (const name of ['a.jsonl.gz', 'a.csv', 'a.json', 'a.parquet', '-']) assert.equal(file(name).part, undefined, name)
})
