import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type SparkType, sparkRowReader } from '../../src/engines/sparkRow.ts'
import { NumberValue } from '../../src/item/number.ts'

const struct = (fields: { [name: string]: SparkType }): SparkType => ({
  type: 'struct',
  fields: Object.entries(fields).map(([name, type]) => ({ name, type })),
})

test('numbers keep every digit and bytes become bytes, however deep they are', () => {
  const inner = struct({ data: 'binary', big: 'long' })
  const read = sparkRowReader(
    struct({
      long: 'long',
      decimal: 'decimal(38,10)',
      list: { type: 'array', elementType: 'binary' },
      map: { type: 'map', valueType: inner },
      inner,
      text: 'string',
      double: 'double',
    }),
  )
  const row = read(
    '{"long":9007199254740993,"decimal":1234567890123456789012345678.0000000001,"list":["AQI=",null],' +
      '"map":{"a":{"data":"Aw=="},"b":null},"inner":{"data":"","big":-9223372036854775808},"text":"AQI=","double":1.5E-7}',
  )
  assert.deepEqual(row, {
    long: 9007199254740993n,
    decimal: new NumberValue('1234567890123456789012345678.0000000001'),
    list: [new Uint8Array([1, 2]), null],
    map: { a: { data: new Uint8Array([3]) }, b: null },
    inner: { data: new Uint8Array(), big: -9223372036854775808n },
    text: 'AQI=',
    double: 1.5e-7,
  })
})

test('what is no number in a column of numbers is no item', () => {
  const read = sparkRowReader(struct({ x: { type: 'array', elementType: 'double' }, s: 'string' }))
  assert.deepEqual(read('{"x":[1.0],"s":"NaN"}'), { x: [1], s: 'NaN' })
  for (const value of ['NaN', 'Infinity', '-Infinity']) {
    assert.throws(() => read(`{"x":[0.5,"${value}"]}`), {
      name: 'ItemError',
      message: new RegExp(`x\\[1\\].*${value}|${value}.*x\\[1\\]`),
    })
  }
})

test('a column may have any name', () => {
  const read = sparkRowReader(
    struct({ ['__proto__']: 'binary', constructor: 'binary' } as { [name: string]: SparkType }),
  )
  assert.deepEqual(Object.keys(read('{"other":1}')), ['other'])
  const fields = [{ name: '__proto__', type: 'binary' }]
  const row = sparkRowReader({ type: 'struct', fields })('{"__proto__":"AQ=="}')
  assert.deepEqual(Object.getOwnPropertyDescriptor(row, '__proto__')?.value, new Uint8Array([1]))
})
