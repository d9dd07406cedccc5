import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RetryBudget } from '../../src/throughput/retryBudget.ts'

test('few failures change nothing, whatever their number', () => {
  const budget = new RetryBudget()
  for (let request = 0; request < 10_000; request += 1) {
    if (request % 7 === 0) budget.onFailure()
    else budget.onSuccess()
    assert.equal(budget.spent, false)
  }
})

test('nothing but failures spends it, and it takes successes to go on', () => {
  const budget = new RetryBudget()
  let failures = 0
  while (!budget.spent) {
    budget.onFailure()
    failures += 1
  }
  assert.equal(failures, 20)
  budget.onFailure()
  for (let success = 0; success < 4; success += 1) {
    budget.onSuccess()
    assert.equal(budget.spent, true)
  }
  budget.onSuccess()
  assert.equal(budget.spent, false)
})
