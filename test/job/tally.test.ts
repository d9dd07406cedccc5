import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkTally, newTally } from '../../src/job/tally.ts'
import { HeadraceError } from '../../src/runtime/headraceError.ts'

test('an account that adds up passes, one that does not is a defect that is named with its counts', () => {
  checkTally(newTally())
  checkTally({ read: 10, written: 4, overwritten: 0, skipped: 0, rejected: 3, filtered: 2, notReached: 1 })
  for (const read of [9, 11]) {
    assert.throws(
      () => checkTally({ read, written: 4, overwritten: 0, skipped: 0, rejected: 3, filtered: 2, notReached: 1 }),
      (error: Error) =>
        error instanceof HeadraceError && error.code === 'ACCOUNTING' && error.message.includes(`${read} read`),
    )
  }
})
