import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Transform, Transformer } from '../../src/operations/transform.ts'
import { systemClock } from '../../src/runtime/clock.ts'

async function applied(transform: Transform): Promise<unknown> {
  const transformer = await Transformer.open(transform, systemClock)
  try {
    return await transformer!.apply({ id: 'a' })
  } finally {
    transformer!.close()
  }
}

test('an item, a list of items and nothing are what a transform may make, at once or in time', async () => {
  assert.deepEqual(await applied((item) => item), [{ id: 'a' }])
  assert.deepEqual(await applied(async (item) => [item, { id: 'b' }]), [{ id: 'a' }, { id: 'b' }])
  assert.deepEqual(await applied(() => undefined), [])
  assert.deepEqual(await applied(() => null), [])
})

const NO_ITEMS: readonly [unknown, string][] = [
  [5, 'it must return an item, a list of items or nothing, not number'],
  [[null], 'element 1 of its list must be an item, not null'],
  [[{ id: 'a' }, 5], 'element 2 of its list must be an item, not number'],
  [[{ id: 'a' }, undefined], 'element 2 of its list must be an item, not undefined'],
  [[[{ id: 'a' }]], 'element 1 of its list must be an item, not a list'],
]

for (const [made, sentence] of NO_ITEMS) {
  test(`what is no item is a fault of the transform: ${JSON.stringify(made)}`, async () => {
    const fault = { fault: `the transform failed: ${sentence}` }
    assert.deepEqual(await applied(() => made as never), fault)
    assert.deepEqual(await applied(async () => made as never), fault)
  })
}
