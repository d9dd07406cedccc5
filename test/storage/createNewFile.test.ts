import assert from 'node:assert/strict'
import { linkSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createNewFile } from '../../src/storage/createNewFile.ts'

function refusal(code: string): Error {
  return Object.assign(new Error(`${code}: link`), { code })
}

const WAYS: readonly [string, typeof linkSync][] = [
  ['with hard links', linkSync],
  ...['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].map((code): [string, typeof linkSync] => [
    `without hard links, which the system calls ${code}`,
    () => {
      throw refusal(code)
    },
  ]),
]

function scratch() {
  const path = mkdtempSync(join(tmpdir(), 'headrace-new-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

for (const [way, link] of WAYS) {
  test(`a file is made once, whole and for its owner, and nothing is left beside it (${way})`, () => {
    using directory = scratch()
    const path = join(directory.path, 'lock')
    assert.equal(createNewFile(path, 'mine\n', link), true)
    assert.equal(createNewFile(path, 'theirs\n', link), false)
    assert.equal(readFileSync(path, 'utf8'), 'mine\n')
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.deepEqual(readdirSync(directory.path), ['lock'])
  })
}

test('what else the system says is told', () => {
  using directory = scratch()
  const link = (): never => {
    throw refusal('EIO')
  }
  assert.throws(() => createNewFile(join(directory.path, 'lock'), 'mine\n', link), { code: 'EIO' })
  assert.deepEqual(readdirSync(directory.path), [])
  assert.throws(() => createNewFile(join(directory.path, 'nowhere', 'lock'), 'mine\n'), { code: 'ENOENT' })
})
