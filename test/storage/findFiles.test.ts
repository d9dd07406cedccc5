import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { findFiles } from '../../src/storage/findFiles.ts'
import { StorageError } from '../../src/storage/storageError.ts'

let root = ''

before(() => {
  root = mkdtempSync(join(tmpdir(), 'headrace-find-'))
  mkdirSync(join(root, 'b', 'deep'), { recursive: true })
  for (const path of ['a.txt', 'b/2.txt', 'b/10.txt', 'b/deep/1.txt', 'b/other', 'b/.hidden.txt']) {
    writeFileSync(join(root, path), path)
  }
  symlinkSync(join(root, 'b'), join(root, 'b', 'deep', 'again.txt'))
  symlinkSync(join(root, 'a.txt'), join(root, 'b', 'link.txt'))
})

after(() => rmSync(root, { recursive: true, force: true }))

const isText = (path: string) => path.endsWith('.txt')
const find = (...paths: string[]) =>
  findFiles(
    paths.map((path) => join(root, path)),
    isText,
    'text',
  )

test('a file is itself, whatever its name; a directory the wanted files below it, sorted; none twice', async () => {
  const found = await find('b/other', 'b', 'a.txt', 'b/2.txt')
  assert.deepEqual(
    found.map((path) => path.slice(root.length + 1)),
    ['b/other', 'b/10.txt', 'b/2.txt', 'b/deep/1.txt', 'b/link.txt', 'a.txt'],
  )
})

test('what is not there, cannot be read, or has nothing in it is told in a sentence', async (context) => {
  const told = (message: RegExp) => (error: unknown) => error instanceof StorageError && message.test(error.message)
  await assert.rejects(find('a.txt', 'nowhere'), told(/There is no file ".*nowhere"/))
  mkdirSync(join(root, 'empty'))
  await assert.rejects(find('empty'), told(/The directory ".*empty" has no text/))
  if (process.getuid?.() === 0) {
    context.diagnostic('root may read everything')
    return
  }
  writeFileSync(join(root, 'secret.txt'), '')
  chmodSync(join(root, 'secret.txt'), 0)
  await assert.rejects(find('secret.txt'), told(/no permission to read/))
})
