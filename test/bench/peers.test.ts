import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const PROGRAM = fileURLToPath(new URL('../../bench/main.js', import.meta.url))
const FEW = ['--items=100', '--rounds=1', '--plain', '--only=publish']

test('a peer whose toolchain is missing is a row that says so, and the others are measured', async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [PROGRAM, ...FEW, '--clients=headrace,rust', '--in-flight=4', '--markdown'],
    { env: { PATH: '/nowhere' } },
  )
  assert.match(stdout, /^AWS SDK for Rust is not measured: cargo is not installed$/m)
  assert.match(stdout, /^\| client \| plain, 4 in flight \|$/m)
  assert.match(stdout, /^\| Headrace \| \*\*\d+\.\d\d\*\* µs, 1\.0 x; \d+\.\d k\/s; \d+ MB \|$/m)
  assert.match(stdout, /^\| AWS SDK for Rust \| not measured \|$/m)
})

test('a client that nobody knows is named, beside those that there are', async () => {
  await assert.rejects(promisify(execFile)(process.execPath, [PROGRAM, ...FEW, '--clients=perl']), (error: Error) => {
    assert.match(error.message, /--clients perl: say some of headrace,rust,go-struct,/)
    return true
  })
})

test('a client that fails is a row that says so, the others are measured, and the bench ends with 1', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-peers-'))
  try {
    writeFileSync(join(folder, 'mvn'), '#!/bin/sh\n', { mode: 0o755 })
    writeFileSync(join(folder, 'java'), '#!/bin/sh\necho boom >&2\nexit 3\n', { mode: 0o755 })
    const run = promisify(execFile)(process.execPath, [PROGRAM, ...FEW, '--clients=java-netty,headrace'], {
      env: { PATH: folder },
    })
    await assert.rejects(run, ({ code, stdout, stderr }: Error & { code: number; stdout: string; stderr: string }) => {
      assert.strictEqual(code, 1)
      assert.match(stdout, /^AWS SDK for Java, Netty +failed$/m)
      assert.match(stdout, /^Headrace +\d+\.\d\d .. /m)
      assert.match(stderr, /^AWS SDK for Java, Netty failed: (?:.*\n)*boom$/m)
      return true
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
})
