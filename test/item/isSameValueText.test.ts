import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSameValueText } from '../../src/item/isSameValueText.ts'

test('B10: values that DynamoDB takes for equal are the same, however they are written', () => {
  const same: readonly (readonly [string, string])[] = [
    ['{"S":"a"}', '{"S":"a"}'],
    ['{"S":"é"}', '{"S":"\\u00e9"}'],
    ['{"N":"1"}', '{"N":"1.0"}'],
    ['{"N":"-0"}', '{"N":"0"}'],
    ['{"N":"12345678901234567890123456789012345678"}', '{"N":"1.2345678901234567890123456789012345678E37"}'],
    ['{"M":{"b":{"N":"1"},"a":{"N":"2"}}}', '{"M":{"a":{"N":"2.0"},"b":{"N":"1"}}}'],
    ['{"L":[{"M":{"b":{"S":"x"},"a":{"S":"y"}}}]}', '{"L":[{"M":{"a":{"S":"y"},"b":{"S":"x"}}}]}'],
    ['{"SS":["a","b"]}', '{"SS":["b","a"]}'],
    ['{"NS":["1","2"]}', '{"NS":["2.0","1"]}'],
    ['{"BS":["AA==","AQ=="]}', '{"BS":["AQ==","AA=="]}'],
    ['{"M":{"s":{"SS":["a","b"]}}}', '{"M":{"s":{"SS":["b","a"]}}}'],
  ]
  for (const [left, right] of same) assert.ok(isSameValueText(left, right), `${left} ${right}`)
})

test('B10: values that differ in anything are not the same', () => {
  const different: readonly (readonly [string, string])[] = [
    ['{"S":"a"}', '{"S":"b"}'],
    ['{"S":"1"}', '{"N":"1"}'],
    ['{"N":"1"}', '{"N":"2"}'],
    ['{"N":"12345678901234567890123456789012345678"}', '{"N":"12345678901234567890123456789012345679"}'],
    ['{"L":[{"S":"a"},{"S":"b"}]}', '{"L":[{"S":"b"},{"S":"a"}]}'],
    ['{"M":{"a":{"S":"1"}}}', '{"M":{"a":{"N":"1"}}}'],
    ['{"M":{"a":{"S":"1"}}}', '{"M":{"a":{"S":"1"},"b":{"S":"1"}}}'],
    ['{"SS":["a"]}', '{"S":"a"}'],
    ['{"SS":["a","b"]}', '{"SS":["a","c"]}'],
    ['{"NS":["1"]}', '{"SS":["1"]}'],
    ['{"NULL":true}', '{"N":"0"}'],
    ['{"BOOL":true}', '{"BOOL":false}'],
  ]
  for (const [left, right] of different) assert.ok(!isSameValueText(left, right), `${left} ${right}`)
})
