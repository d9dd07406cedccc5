import assert from 'node:assert/strict'
import { test } from 'node:test'
import { printable } from '../../src/runtime/printable.ts'

test('E4: what a terminal would obey is shown, and the rest stays', () => {
  const codes = [
    0, 7, 8, 11, 13, 27, 0x7f, 0x80, 0x9b, 0x9f, 0x200b, 0x200e, 0x200f, 0x202a, 0x202e, 0x2066, 0x2069, 0xfeff,
  ]
  for (const code of codes) {
    const shown = `\\u${code.toString(16).padStart(4, '0')}`
    assert.equal(printable(`a${String.fromCharCode(code)}b`), `a${shown}b`)
    assert.equal(JSON.parse(printable(JSON.stringify(String.fromCharCode(code)))), String.fromCharCode(code))
  }
  const usual = 'a\tb\nc é ü 日本 😀 ~'
  assert.equal(printable(usual), usual)
})

test('E4: colours stay where Headrace sets them, and nothing else that begins with ESC', () => {
  assert.equal(printable('\u001b[32mdone\u001b[39m', true), '\u001b[32mdone\u001b[39m')
  assert.equal(printable('\u001b[2J\u001b]0;t\u0007', true), '\\u001b[2J\\u001b]0;t\\u0007')
  assert.equal(printable('\u001b[32mx'), '\\u001b[32mx')
})
