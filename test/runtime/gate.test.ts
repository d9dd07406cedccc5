import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Deferred, deferred } from '../../src/runtime/deferred.ts'
import { Gate } from '../../src/runtime/gate.ts'

test('a gate lets so many through at once, the others in their order, and a failure makes room as an end does', async () => {
  const gate = new Gate(2)
  const began: number[] = []
  const ends: Deferred<void>[] = []
  const results = [0, 1, 2, 3, 4].map((index) => {
    ends.push(deferred())
    return gate.pass(async () => {
      began.push(index)
      await ends[index]!.promise
      return index
    })
  })
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  await turn()
  assert.deepEqual(began, [0, 1])
  ends[1]!.reject(new Error('failed'))
  await assert.rejects(results[1]!, /failed/)
  await turn()
  assert.deepEqual(began, [0, 1, 2])
  for (const index of [0, 2, 3, 4]) ends[index]!.resolve()
  assert.deepEqual(await Promise.all([0, 2, 3, 4].map((index) => results[index])), [0, 2, 3, 4])
  assert.deepEqual(began, [0, 1, 2, 3, 4])
  assert.equal(await gate.pass(async () => 'later'), 'later')
})
