import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Ring } from '../../src/runtime/ring.ts'

class PushBack implements fc.Command<number[], Ring<number>> {
  readonly #value: number
  constructor(value: number) {
    this.#value = value
  }
  check = () => true
  run(model: number[], ring: Ring<number>): void {
    model.push(this.#value)
    ring.pushBack(this.#value)
    agree(model, ring)
  }
  toString = () => `pushBack(${this.#value})`
}

class PushFront implements fc.Command<number[], Ring<number>> {
  readonly #value: number
  constructor(value: number) {
    this.#value = value
  }
  check = () => true
  run(model: number[], ring: Ring<number>): void {
    model.unshift(this.#value)
    ring.pushFront(this.#value)
    agree(model, ring)
  }
  toString = () => `pushFront(${this.#value})`
}

class PopFront implements fc.Command<number[], Ring<number>> {
  check = () => true
  run(model: number[], ring: Ring<number>): void {
    assert.strictEqual(ring.popFront(), model.shift())
    agree(model, ring)
  }
  toString = () => 'popFront()'
}

class Clear implements fc.Command<number[], Ring<number>> {
  check = (model: Readonly<number[]>) => model.length > 0
  run(model: number[], ring: Ring<number>): void {
    model.length = 0
    ring.clear()
    agree(model, ring)
  }
  toString = () => 'clear()'
}

function agree(model: readonly number[], ring: Ring<number>): void {
  assert.strictEqual(ring.length, model.length)
  assert.strictEqual(ring.peek(), model[0])
}

test('a ring behaves like an array that is pushed at both ends and popped at the front', () => {
  const commands = fc.commands(
    [
      fc.integer().map((value) => new PushBack(value)),
      fc.integer().map((value) => new PushBack(value)),
      fc.integer().map((value) => new PushFront(value)),
      fc.constant(new PopFront()),
      fc.constant(new PopFront()),
      fc.constant(new Clear()),
    ],
    { maxCommands: 200 },
  )
  fc.assert(
    fc.property(commands, fc.integer({ min: 0, max: 9 }), (all, capacity) => {
      const model: number[] = []
      const ring = new Ring<number>(capacity)
      fc.modelRun(() => ({ model, real: ring }), all)
      const rest: (number | undefined)[] = []
      while (ring.length > 0) rest.push(ring.popFront())
      assert.deepStrictEqual(rest, model)
    }),
    { numRuns: 200 },
  )
})

test('what was taken out is not kept alive', async () => {
  const ring = new Ring<object>(4)
  const kept: WeakRef<object>[] = []
  for (let index = 0; index < 100; index += 1) {
    const value = { index }
    kept.push(new WeakRef(value))
    ring.pushBack(value)
  }
  for (let index = 0; index < 50; index += 1) ring.popFront()
  ring.clear()
  if (globalThis.gc === undefined) return
  // A WeakRef holds its target until the current job ends.
  await new Promise((resolve) => setImmediate(resolve))
  globalThis.gc()
  assert.ok(kept.every((reference) => reference.deref() === undefined))
})
