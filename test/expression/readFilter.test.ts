import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileProjection } from '../../src/expression/compileForService.ts'
import { readFilter } from '../../src/expression/filter.ts'
import { HeadraceError } from '../../src/runtime/headraceError.ts'

function compiles(source: string, text: string, names: readonly string[], values: readonly string[]): void {
  const compiled = readFilter(source).expression
  assert.strictEqual(compiled.text, text)
  assert.deepStrictEqual(compiled.names, Object.fromEntries(names.map((name, index) => [`#n${index}`, name])))
  assert.deepStrictEqual(compiled.values, Object.fromEntries(values.map((value, index) => [`:v${index}`, value])))
}

function refuses(source: string, message: RegExp): void {
  assert.throws(
    () => readFilter(source),
    (error: unknown) => {
      assert.ok(error instanceof HeadraceError && error.code === 'CONFIGURATION' && error.place.option === 'filter')
      assert.match(error.message, message)
      return true
    },
    source,
  )
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
  compiles('a-b_c1 = 1', '#n0 = :v0', ['a-b_c1'], ['{"N":"1"}'])
  compiles('größe > 1 and 名前 = 1', '#n0 > :v0 AND #n1 = :v1', ['größe', '名前'], ['{"N":"1"}', '{"N":"1"}'])
})

test('data cannot become syntax', () => {
  compiles("a = 'x'' or b = ''y'", '#n0 = :v0', ['a'], ['{"S":"x\' or b = \'y"}'])
  compiles(`a = '"}{"S":"'`, '#n0 = :v0', ['a'], ['{"S":"\\"}{\\"S\\":\\""}'])
})

test('keywords, functions and constants in any company', () => {
  compiles('NOT (a BETWEEN 1 and 2)', 'NOT #n0 BETWEEN :v0 AND :v1', ['a'], ['{"N":"1"}', '{"N":"2"}'])
  compiles(
    "a in ('x','y') or b IN (1)",
    '#n0 IN (:v0, :v1) OR #n1 IN (:v2)',
    ['a', 'b'],
    ['{"S":"x"}', '{"S":"y"}', '{"N":"1"}'],
  )
  compiles(
    "Begins_With(a, 'x') and CONTAINS (b, true)",
    'begins_with(#n0, :v0) AND contains(#n1, :v1)',
    ['a', 'b'],
    ['{"S":"x"}', '{"BOOL":true}'],
  )
  compiles(
    "attribute_type(a, 'S') or size(a) >= 3",
    'attribute_type(#n0, :v0) OR size(#n0) >= :v1',
    ['a'],
    ['{"S":"S"}', '{"N":"3"}'],
  )
  // Without a parenthesis it is an attribute.
  compiles('size = 3 and contains = 4', '#n0 = :v0 AND #n1 = :v1', ['size', 'contains'], ['{"N":"3"}', '{"N":"4"}'])
})

test('B1: constants are known in any case, and are names only in double quotes', () => {
  for (const word of ['true', 'TRUE', 'True', 'tRuE']) compiles(`a <> ${word}`, '#n0 <> :v0', ['a'], ['{"BOOL":true}'])
  for (const word of ['null', 'NULL', 'Null']) compiles(`a = ${word}`, '#n0 = :v0', ['a'], ['{"NULL":true}'])
  compiles('not (a = False)', 'NOT #n0 = :v0', ['a'], ['{"BOOL":false}'])
  compiles(
    'a in (TRUE, FALSE, Null)',
    '#n0 IN (:v0, :v1, :v2)',
    ['a'],
    ['{"BOOL":true}', '{"BOOL":false}', '{"NULL":true}'],
  )
  compiles('"TRUE" = "null"', '#n0 = #n1', ['TRUE', 'null'], [])
  compiles('a.true = 1', '#n0.#n1 = :v0', ['a', 'true'], ['{"N":"1"}'])
})

test('paths keep their steps', () => {
  compiles(
    "address.city = 'Oslo' and tags[0] = tags[12].name",
    '#n0.#n1 = :v0 AND #n2[0] = #n2[12].#n3',
    ['address', 'city', 'tags', 'name'],
    ['{"S":"Oslo"}'],
  )
  compiles('a."1" . not [ 2 ] = .5', '#n0.#n1.#n2[2] = :v0', ['a', '1', 'not'], ['{"N":"0.5"}'])
})

test('numbers keep every digit', () => {
  compiles(
    'a = 12345678901234567890.5 or a<-3 or a>=+1e-3',
    '#n0 = :v0 OR #n0 < :v1 OR #n0 >= :v2',
    ['a'],
    ['{"N":"12345678901234567890.5"}', '{"N":"-3"}', '{"N":"0.001"}'],
  )
})

test('parentheses are kept where they matter, and those that the service calls redundant are not', () => {
  const abc = ['a', 'b', 'c']
  const values = ['{"N":"1"}', '{"N":"1"}', '{"N":"1"}']
  compiles('((a = 1))', '#n0 = :v0', ['a'], ['{"N":"1"}'])
  compiles('((a = 1 or b = 1)) and (c = 1)', '(#n0 = :v0 OR #n1 = :v1) AND #n2 = :v2', abc, values)
  compiles('a = 1 or (b = 1 and c = 1)', '#n0 = :v0 OR #n1 = :v1 AND #n2 = :v2', abc, values)
  compiles('not (a = 1 and b = 1) or c = 1', 'NOT (#n0 = :v0 AND #n1 = :v1) OR #n2 = :v2', abc, values)
})

test('D7: what is not understood is refused with its place and what belongs there', () => {
  refuses('', /is empty: write a condition/)
  refuses('  \n ', /is empty: write a condition/)
  refuses('a = ;', /character 5 \(;\): expected a name, a value or an operator/)
  refuses("a = 'x", /character 5 \('x\): this string is not closed/)
  refuses('a = "x', /character 5 \("x\): this name is not closed/)
  refuses('a = 12x', /character 5 \(12x\): expected a number/)
  refuses('a == 1', /character 4 \(= 1\): expected a value or a name/)
  refuses('a != 1', /character 3 \(!= 1\): write <>/)
  refuses('a = 1 && b = 2', /character 7 .*: write AND/)
  refuses('a = ‘x’', /character 5 .*: use straight quotes/)
  refuses('a', /ends too early, at character 2: expected an operator/)
  refuses('a = 1 and', /ends too early, at character 10: expected a condition/)
  refuses('(a = 1', /ends too early, at character 7: expected AND, OR or \)/)
  refuses('a = 1)', /character 6 \(\)\): this \) has no matching \(/)
  refuses('a = 1 b = 2', /character 7 \(b = 2\): expected AND, OR or the end/)
  refuses('a is null', /character 3 .*attribute_not_exists/)
  refuses("a like 'x%'", /character 3 .*begins_with/)
  refuses("starts(a, 'x')", /character 1 .*there is no function starts/)
  refuses('a = and', /character 5 \(and\): expected a value or a name: write an attribute called and in double quotes/)
  refuses('a = :v', /character 5 \(:v\): write the value itself/)
  refuses('a in 1', /character 6 \(1\): expected a list of values/)
  refuses('a between 1 or 2', /character 13 .*expected AND and the upper bound/)
  refuses('a between 2 and 1', /character 17 .*below the lower one/)
  refuses("a between 1 and '2'", /character 17 .*the same type/)
  refuses('a < true', /character 5 .*< compares strings and numbers, not true or false/)
  refuses('a = a', /character 5 .*compares a with itself/)
  refuses('contains(tags, tags)', /character 16 .*compares tags with itself: write a string in single quotes, 'tags'/)
  refuses('attribute_type(a, S)', /character 19 .*expected a type in single quotes/)
  refuses("attribute_exists('a')", /character 18 .*takes an attribute name/)
  refuses('begins_with(a, 1)', /character 16 .*compares strings/)
  refuses('size(a)', /ends too early, at character 8: expected an operator/)
  refuses('a = contains(b, 1)', /character 5 .*is a condition, not a value/)
  refuses('a = 1e200', /character 5 .*outside DynamoDB's range/)
  refuses("a = '\ud800'", /character 5 /)
  refuses('a."" = 1', /character 3 .*cannot be empty/)
  refuses('a[x] = 1', /character 2 .*a list index is a whole number/)
  refuses('true.x = 1', /character 1 .*is a constant here/)
  refuses(`a in (${Array.from({ length: 101 }, (_, index) => index).join(',')})`, /at most 100 values/)
  refuses(`${'('.repeat(100_000)}a = 1`, /nested too deeply/)
  refuses(Array.from({ length: 400 }, () => 'a = 1').join(' or '), /too long for DynamoDB: 799 operators/)
})

test('a projection takes its names literally', () => {
  assert.deepStrictEqual(compileProjection(['pk', 'a.b', 'size']), {
    text: '#p0, #p1, #p2',
    names: { '#p0': 'pk', '#p1': 'a.b', '#p2': 'size' },
    values: {},
  })
})
