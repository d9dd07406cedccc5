import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keySchemaText } from '../../src/item/itemKey.ts'
import { readKeySchema } from '../../src/item/readKeySchema.ts'

test('a key is read from its text, and written back as it was', () => {
  assert.deepEqual(readKeySchema('id:S'), { partition: { name: 'id', type: 'S' } })
  assert.deepEqual(readKeySchema('customer:S, number:N'), {
    partition: { name: 'customer', type: 'S' },
    sort: { name: 'number', type: 'N' },
  })
  assert.deepEqual(readKeySchema('id'), { partition: { name: 'id', type: 'S' } })
  for (const text of ['id:S', 'id:B', 'a.b:N,c-d:S']) assert.equal(keySchemaText(readKeySchema(text)), text)
})

test('text that is not a key is refused with what it should be', () => {
  for (const text of ['', 'id:X', 'id:', ':S', 'a b:S'])
    assert.throws(() => readKeySchema(text), { name: 'TypeError', message: /like 'id:S'/ }, text)
  assert.throws(() => readKeySchema('a:S,b:S,c:S'), { name: 'TypeError', message: /one or two attributes.*has 3/ })
  assert.throws(() => readKeySchema('a:S,a:N'), { name: 'TypeError', message: /two different attributes/ })
})
