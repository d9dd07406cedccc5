import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HeadraceError } from '../../src/runtime/headraceError.ts'
import { compileExpression, compileProjection } from '../../src/scan/expression.ts'

function compiles(source: string, text: string, names: readonly string[], values: readonly string[]): void {
  const compiled = compileExpression(source)
  assert.strictEqual(compiled.text, text)
  assert.deepStrictEqual(compiled.names, Object.fromEntries(names.map((name, index) => [`#n${index}`, name])))
  assert.deepStrictEqual(compiled.values, Object.fromEntries(values.map((value, index) => [`:v${index}`, value])))
}

test('every name and value goes behind an alias, and a name that comes again has the same', () => {
  compiles(
    "country = 'NO' and population > 1000 and attribute_exists(country)",
    '#n0 = :v0 AND #n1 > :v1 AND attribute_exists(#n0)',
    ['country', 'population'],
    ['{"S":"NO"}', '{"N":"1000"}'],
  )
})

test('reserved words and odd names need no care', () => {
  compiles('status <> name', '#n0 <> #n1', ['status', 'name'], [])
  compiles('"my ""odd"" name" = "and"', '#n0 = #n1', ['my "odd" name', 'and'], [])
  compiles('a-b_c1 = :v'.replace(' = :v', ' = 1'), '#n0 = :v0', ['a-b_c1'], ['{"N":"1"}'])
})

test('data can not become syntax', () => {
  compiles("a = 'x'' or b = ''y'", '#n0 = :v0', ['a'], ['{"S":"x\' or b = \'y"}'])
  compiles(`a = '"}{"S":"'`, '#n0 = :v0', ['a'], ['{"S":"\\"}{\\"S\\":\\""}'])
})

test('keywords, functions and constants in any company', () => {
  compiles('NOT (a BETWEEN 1 and 2)', 'NOT (#n0 BETWEEN :v0 AND :v1)', ['a'], ['{"N":"1"}', '{"N":"2"}'])
  compiles(
    "a in ('x','y') or b IN (1)",
    '#n0 IN (:v0,:v1) OR #n1 IN (:v2)',
    ['a', 'b'],
    ['{"S":"x"}', '{"S":"y"}', '{"N":"1"}'],
  )
  compiles(
    "begins_with(a, 'x') and contains (b, true)",
    'begins_with(#n0, :v0) AND contains (#n1, :v1)',
    ['a', 'b'],
    ['{"S":"x"}', '{"BOOL":true}'],
  )
  compiles(
    "attribute_type(a, 'S') or size(a) >= 3",
    'attribute_type(#n0, :v0) OR size(#n0) >= :v1',
    ['a'],
    ['{"S":"S"}', '{"N":"3"}'],
  )
  compiles('a = null or b = false', '#n0 = :v0 OR #n1 = :v1', ['a', 'b'], ['{"NULL":true}', '{"BOOL":false}'])
  // Without a parenthesis it is an attribute.
  compiles('size = 3 and contains = 4', '#n0 = :v0 AND #n1 = :v1', ['size', 'contains'], ['{"N":"3"}', '{"N":"4"}'])
})

test('paths keep their steps', () => {
  compiles(
    "address.city = 'Oslo' and tags[0] = tags[12].name",
    '#n0.#n1 = :v0 AND #n2[0] = #n2[12].#n3',
    ['address', 'city', 'tags', 'name'],
    ['{"S":"Oslo"}'],
  )
})

test('numbers go as they are written, every digit', () => {
  compiles(
    'a = 12345678901234567890.5 or a<-3 or a>=+1e-3',
    '#n0 = :v0 OR #n0<:v1 OR #n0>=:v2',
    ['a'],
    ['{"N":"12345678901234567890.5"}', '{"N":"-3"}', '{"N":"+1e-3"}'],
  )
})

test('what is not understood is refused with its place', () => {
  const refuses = (source: string, message: RegExp) =>
    assert.throws(
      () => compileExpression(source),
      (error: unknown) =>
        error instanceof HeadraceError && error.code === 'CONFIGURATION' && message.test(error.message),
      source,
    )
  refuses('a = ;', /at character 5: …;/)
  refuses("a = 'x", /at character 5: …'x/)
  refuses('a = "x', /at character 5: …"x/)
  refuses('a = 12x', /at character 5: …12x/)
  refuses('a == {1}', /at character 6: …\{1\}/)
})

test('an empty expression is empty', () => {
  compiles('', '', [], [])
  compiles('  \n ', '', [], [])
})

test('a projection takes its names literally', () => {
  assert.deepStrictEqual(compileProjection(['pk', 'a.b', 'size']), {
    text: '#p0, #p1, #p2',
    names: { '#p0': 'pk', '#p1': 'a.b', '#p2': 'size' },
    values: {},
  })
})
