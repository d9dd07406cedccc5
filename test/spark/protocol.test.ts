import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { newTable, store } from '../support/store.ts'
import { findPlainPython, PYTHON_DIRECTORY, script, WORKER } from './spark.ts'

const python = findPlainPython()
const skip = python === undefined && 'no python3 here: what runs in a task of Spark is not tried'

test('what runs in a task, without Spark', { skip, timeout: 120_000 }, async () => {
  const { name } = await newTable()
  const environment = {
    HEADRACE_PYTHON: PYTHON_DIRECTORY,
    HEADRACE_ENDPOINT: store.endpoint,
    HEADRACE_TABLE: name,
    HEADRACE_NODE: process.execPath,
    HEADRACE_WORKER: WORKER,
    // As on an executor: found in the environment.
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  }
  const child = spawn(python!, ['-B', script('protocol.py')], { env: { ...process.env, ...environment } })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  child.stdout.resume()
  const [code] = await once(child, 'close')
  assert.equal(code, 0, said)
  assert.match(said, /^Ran 14 tests/m)
})
