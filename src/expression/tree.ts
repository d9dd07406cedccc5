/** A value in DynamoDB JSON: an object with one member, named for the type. */
export type AttributeJson = { readonly [type: string]: unknown }

/** An item in DynamoDB JSON. */
export type ItemJson = { readonly [name: string]: unknown }

/** A step into a document: a name of an attribute or a map, or a place in a list. */
export type Step = string | number

/** Where a value is in an item. */
export interface Path {
  readonly kind: 'path'
  readonly steps: readonly [string, ...Step[]]
  /** In the source, from 0 on. */
  readonly position: number
}

export interface Literal {
  readonly kind: 'literal'
  readonly value: AttributeJson
  readonly position: number
}

interface Size {
  readonly kind: 'size'
  readonly path: Path
  readonly position: number
}

export type Operand = Path | Literal | Size

export type Comparator = '=' | '<>' | '<' | '<=' | '>' | '>='

/** Functions that hold or do not hold. */
export type Test = 'attribute_exists' | 'attribute_not_exists' | 'attribute_type' | 'begins_with' | 'contains'

/** A filter as a tree. */
export type Condition =
  | { readonly kind: 'comparison'; readonly operator: Comparator; readonly left: Operand; readonly right: Operand }
  | { readonly kind: 'between'; readonly operand: Operand; readonly low: Operand; readonly high: Operand }
  | { readonly kind: 'in'; readonly operand: Operand; readonly choices: readonly Operand[] }
  | { readonly kind: 'test'; readonly test: Test; readonly operands: readonly Operand[] }
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Condition[] }
  | { readonly kind: 'not'; readonly part: Condition }

/** The type of a value, such as `S`; undefined for what is no value. */
export function typeOf(value: AttributeJson): string | undefined {
  for (const type in value) return type
  return undefined
}

/** A path as people write it: names that are no plain words in double quotes. */
export function pathText(steps: readonly Step[]): string {
  let text = ''
  for (const step of steps) {
    if (typeof step === 'number') text += `[${step}]`
    else
      text += `${text === '' ? '' : '.'}${/^[\p{L}_][\p{L}\p{N}_-]*$/u.test(step) ? step : `"${step.replaceAll('"', '""')}"`}`
  }
  return text
}
