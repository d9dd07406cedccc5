import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { scratchDirectory } from '../e2e/command.ts'
import { database, store } from '../support/store.ts'
import { OtherReader, PACKAGES } from './otherReader.ts'
import { findPython } from './python.ts'
import { runUglyFiles, tooRare } from './runUglyFiles.ts'

const python = findPython(PACKAGES)
const skip = python === undefined ? `no Python with ${PACKAGES.join(', ')}: node scripts/python.mjs makes one` : false

test("every record of a generated file that Python's libraries see is in the table, in a reject or counted", {
  skip,
}, async () => {
  using scratch = scratchDirectory(existsSync('/dev/shm') ? '/dev/shm' : undefined)
  const reader = new OtherReader(python!)
  try {
    // Others than `npm run ugly-files` begins with.
    const report = await runUglyFiles({
      ...{ database, endpoint: store.endpoint, reader, directory: scratch.path },
      ...{ from: 1_000_000, seeds: 400, commandEach: 100 },
    })
    assert.deepEqual(report.differences, [])
    assert.equal(report.ran, 400)
    assert.deepEqual(tooRare(report), [])
    assert.ok(report.byCommand > 0 && report.rejectsMended > 100, `${report.byCommand}, ${report.rejectsMended}`)
  } finally {
    reader.close()
  }
})
