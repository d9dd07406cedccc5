import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { RejectsFile } from '../../src/job/rejectsFile.ts'
import { HeadraceError } from '../../src/runtime/headraceError.ts'

function scratch() {
  const path = mkdtempSync(join(tmpdir(), 'headrace-rejects-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

test('a rejects file', async (t) => {
  await t.test('is made with the first reject, and readable by its owner only', () => {
    using directory = scratch()
    const path = join(directory.path, 'rejects.jsonl')
    const rejects = new RejectsFile(path)
    assert.equal(existsSync(path), false)
    rejects.add({
      code: 'InvalidItem',
      message: 'wrong',
      place: 'a.jsonl:1',
      item: { id: 'a', tags: new Set([1]), none: undefined },
    })
    assert.equal(statSync(path).mode & 0o777, 0o600)
    rejects.add({ code: 'InvalidRecord', message: 'no\nJSON', place: 'a.jsonl:2', raw: '{"id' })
    rejects.add({
      code: 'InvalidItem',
      message: 'not storable',
      place: 'a.jsonl:3',
      item: { id: 'b', empty: new Set(), big: 7n },
    })
    rejects.add({ code: 'Conflict', message: 'gone', place: 'id="c"' })
    rejects.close()
    rejects.close()
    assert.equal(rejects.count, 4)
    assert.deepEqual(
      readFileSync(path, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
      [
        { code: 'InvalidItem', message: 'wrong', place: 'a.jsonl:1', item: { id: { S: 'a' }, tags: { NS: ['1'] } } },
        { code: 'InvalidRecord', message: 'no\nJSON', place: 'a.jsonl:2', raw: '{"id' },
        {
          code: 'InvalidItem',
          message: 'not storable',
          place: 'a.jsonl:3',
          item: { id: { S: 'b' }, empty: { SS: [] }, big: { N: '7' } },
        },
        { code: 'Conflict', message: 'gone', place: 'id="c"' },
      ],
    )
  })

  await t.test('is not made when there are no rejects', () => {
    using directory = scratch()
    const path = join(directory.path, 'rejects.jsonl')
    new RejectsFile(path).close()
    assert.equal(existsSync(path), false)
  })

  await t.test('never takes the place of another file', () => {
    using directory = scratch()
    const path = join(directory.path, 'rejects.jsonl')
    writeFileSync(path, 'precious')
    const rejects = new RejectsFile(path)
    assert.throws(
      () => rejects.add({ code: 'X', message: 'x', place: 'x' }),
      (error: Error) =>
        error instanceof HeadraceError && error.code === 'CONFIGURATION' && error.message.includes(path),
    )
    assert.equal(readFileSync(path, 'utf8'), 'precious')
  })

  await t.test('says that the disk is full, each time, and never writes on behind half a line', () => {
    const written: string[] = []
    let closed = 0
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
    const rejects = new RejectsFile('rejects.jsonl', () => ({
      write(text) {
        const left = 100 - written.join('').length
        written.push(text.slice(0, left))
        if (text.length > left) throw full
      },
      close: () => {
        closed += 1
      },
    }))
    const isFull = (error: unknown): boolean =>
      error instanceof HeadraceError && /rejects\.jsonl: ENOSPC/.test(error.message) && error.cause === full
    rejects.add({ code: 'X', message: 'fits', place: 'x' })
    rejects.add({ code: 'X', message: 'y'.repeat(500), place: 'x' })
    assert.throws(() => rejects.flush(), isFull)
    assert.throws(() => rejects.flush(), isFull)
    assert.throws(() => {
      for (let index = 0; index < 1_000; index += 1) rejects.add({ code: 'X', message: 'y'.repeat(500), place: 'x' })
    }, isFull)
    rejects.close()
    assert.equal(closed, 1)
    assert.equal(written.join('').length, 100)
  })

  await t.test('holds an item that not even JSON can show', () => {
    using directory = scratch()
    const path = join(directory.path, 'rejects.jsonl')
    const circle: { [name: string]: unknown } = { id: 'a' }
    circle['self'] = circle
    const rejects = new RejectsFile(path)
    rejects.add({ code: 'InvalidItem', message: 'too deep', place: 'x', item: circle })
    rejects.close()
    assert.equal(JSON.parse(readFileSync(path, 'utf8')).message, 'too deep')
  })
})
