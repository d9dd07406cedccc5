import { bytesOf, compareValues, isEqualValue } from './compareValues.ts'
import type { AttributeJson, Comparator, Condition, ItemJson, Operand, Path, Test } from './tree.ts'
import { typeOf } from './tree.ts'

/** Whether a condition holds for an item. */
export type Evaluator = (item: ItemJson) => boolean

/** The value of an operand in an item; undefined where there is none. */
type Getter = (item: ItemJson) => AttributeJson | undefined

/**
 * Makes of a condition a function that says of an item, in DynamoDB JSON, what the service would say. It looks only at
 * the attributes that the condition names.
 *
 * A missing attribute is equal to nothing: `<>` holds, everything else does not. The same goes for values of two types.
 * `NOT` turns over whatever that comes to.
 */
export function compileEvaluator(condition: Condition): Evaluator {
  switch (condition.kind) {
    case 'and': {
      const parts = condition.parts.map(compileEvaluator)
      return (item) => parts.every((part) => part(item))
    }
    case 'or': {
      const parts = condition.parts.map(compileEvaluator)
      return (item) => parts.some((part) => part(item))
    }
    case 'not': {
      const part = compileEvaluator(condition.part)
      return (item) => !part(item)
    }
    case 'comparison': {
      const left = getterOf(condition.left)
      const right = getterOf(condition.right)
      const holds = COMPARISONS[condition.operator]
      const otherwise = condition.operator === '<>'
      return (item) => {
        const one = left(item)
        const other = right(item)
        return one === undefined || other === undefined ? otherwise : holds(one, other)
      }
    }
    case 'between': {
      const operand = getterOf(condition.operand)
      const low = getterOf(condition.low)
      const high = getterOf(condition.high)
      return (item) => {
        const value = operand(item)
        const from = low(item)
        const to = high(item)
        if (value === undefined || from === undefined || to === undefined) return false
        return COMPARISONS['>='](value, from) && COMPARISONS['<='](value, to)
      }
    }
    case 'in': {
      const operand = getterOf(condition.operand)
      const choices = condition.choices.map(getterOf)
      return (item) => {
        const value = operand(item)
        if (value === undefined) return false
        return choices.some((choice) => {
          const other = choice(item)
          return other !== undefined && isEqualValue(value, other)
        })
      }
    }
    default: {
      const [first, second = first] = condition.operands.map(getterOf) as [Getter, Getter?]
      const holds = TESTS[condition.test]
      return (item) => holds(first(item), second(item))
    }
  }
}

const COMPARISONS: { readonly [operator in Comparator]: (left: AttributeJson, right: AttributeJson) => boolean } = {
  '=': isEqualValue,
  '<>': (left, right) => !isEqualValue(left, right),
  '<': (left, right) => (compareValues(left, right) ?? 0) < 0,
  '<=': (left, right) => (compareValues(left, right) ?? 1) <= 0,
  '>': (left, right) => (compareValues(left, right) ?? 0) > 0,
  '>=': (left, right) => (compareValues(left, right) ?? -1) >= 0,
}

type Value = AttributeJson | undefined

const TESTS: { readonly [test in Test]: (first: Value, second: Value) => boolean } = {
  attribute_exists: (value) => value !== undefined,
  attribute_not_exists: (value) => value === undefined,
  attribute_type: (value, type) => value !== undefined && typeOf(value) === type?.['S'],
  begins_with: beginsWith,
  contains,
}

function beginsWith(value: Value, start: Value): boolean {
  if (value === undefined || start === undefined) return false
  const type = typeOf(value)
  if (type !== typeOf(start)) return false
  if (type === 'S') return (value['S'] as string).startsWith(start['S'] as string)
  if (type !== 'B') return false
  const prefix = bytesOf(start['B'] as string)
  return bytesOf(value['B'] as string)
    .subarray(0, prefix.length)
    .equals(prefix)
}

function contains(value: Value, part: Value): boolean {
  if (value === undefined || part === undefined) return false
  const type = typeOf(value)
  const partType = typeOf(part)
  if (type === 'L') return (value['L'] as AttributeJson[]).some((element) => isEqualValue(element, part))
  if (type === 'S') return partType === 'S' && (value['S'] as string).includes(part['S'] as string)
  if (type === 'B') return partType === 'B' && bytesOf(value['B'] as string).includes(bytesOf(part['B'] as string))
  // An element of a set has the type that its set is named for.
  if (partType === undefined || type !== `${partType}S`) return false
  return (value[type] as string[]).some((element) => isEqualValue({ [partType]: element }, part))
}

function getterOf(operand: Operand): Getter {
  if (operand.kind === 'literal') return () => operand.value
  if (operand.kind === 'path') return pathGetter(operand)
  const inner = pathGetter(operand.path)
  return (item) => {
    const size = sizeOf(inner(item))
    return size === undefined ? undefined : { N: `${size}` }
  }
}

/** Characters of a string as UTF-16 counts them, bytes of binary, elements of all else that has some. */
function sizeOf(value: Value): number | undefined {
  if (value === undefined) return undefined
  const type = typeOf(value)
  switch (type) {
    case 'S':
      return (value['S'] as string).length
    case 'B':
      return bytesOf(value['B'] as string).length
    case 'M':
      return Object.keys(value['M'] as object).length
    case 'L':
    case 'SS':
    case 'NS':
    case 'BS':
      return (value[type] as unknown[]).length
    default:
      return undefined
  }
}

/** The value at a path, in an item in DynamoDB JSON. */
function pathGetter({ steps: [name, ...rest] }: Path): Getter {
  if (rest.length === 0) return (item) => (Object.hasOwn(item, name) ? (item[name] as AttributeJson) : undefined)
  return (item) => {
    let value = Object.hasOwn(item, name) ? (item[name] as AttributeJson) : undefined
    for (const step of rest) {
      if (value === undefined) return undefined
      const inner = typeof step === 'number' ? value['L'] : value['M']
      if (inner === undefined) return undefined
      value = Object.hasOwn(inner as object, step) ? (inner as { [step: string]: AttributeJson })[step] : undefined
    }
    return value
  }
}
