import type { Condition, Operand, Path } from './tree.ts'

/**
 * What a path is for where it stands: a `subject` is what the filter asks about; a `counterpart` stands where a value is
 * usual, and may be a string that lacks its quotes; of `existence` only that is asked.
 */
type Role = 'subject' | 'counterpart' | 'existence'

/** A path in a filter, and what it is compared with. */
export interface Mention {
  readonly path: Path
  readonly role: Role
  /** Operator or function. */
  readonly operator: string
  /** Types that could make it hold; undefined where the filter does not say. */
  readonly types: ReadonlySet<string> | undefined
  /** The one string or number that it is compared with. */
  readonly literal: { readonly type: 'S' | 'N'; readonly text: string } | undefined
}

const STARTS = new Set(['S', 'B'])
const SIZED = new Set(['S', 'B', 'SS', 'NS', 'BS', 'L', 'M'])
const CONTAINERS = new Set(['S', 'B', 'SS', 'NS', 'BS', 'L'])

/** Every path of a filter. */
export function mentionsIn(condition: Condition): Mention[] {
  switch (condition.kind) {
    case 'and':
    case 'or':
      return condition.parts.flatMap(mentionsIn)
    case 'not':
      return mentionsIn(condition.part)
    case 'comparison': {
      const { operator, left, right } = condition
      // With a literal on one side, the other can only be meant as a name.
      return [
        ...mentionsOf(left, roleBeside(right), operator, [right]),
        ...mentionsOf(right, roleBeside(left), operator, [left]),
      ]
    }
    case 'between': {
      const { operand, low, high } = condition
      return asked(operand, 'BETWEEN', [low, high])
    }
    case 'in':
      return asked(condition.operand, 'IN', condition.choices)
    default: {
      const { test, operands } = condition
      const [first, second] = operands as readonly [Operand, Operand?]
      if (second === undefined) return mentionsOf(first, 'existence', test, [])
      if (test === 'attribute_type') return mentionsOf(first, 'existence', test, [])
      return [
        ...mentionsOf(first, 'subject', test, [second], test === 'begins_with' ? STARTS : CONTAINERS),
        ...mentionsOf(second, roleBeside(first), test, []),
      ]
    }
  }
}

function asked(operand: Operand, operator: string, others: readonly Operand[]): Mention[] {
  const role = roleBeside(operand)
  return [
    ...mentionsOf(operand, 'subject', operator, others),
    ...others.flatMap((other) => mentionsOf(other, role, operator, [operand])),
  ]
}

function roleBeside(other: Operand): Role {
  return other.kind === 'literal' ? 'subject' : 'counterpart'
}

function mentionsOf(
  operand: Operand,
  role: Role,
  operator: string,
  others: readonly Operand[],
  types?: ReadonlySet<string>,
): Mention[] {
  if (operand.kind === 'literal') return []
  if (operand.kind === 'size') {
    return [{ path: operand.path, role: 'subject', operator: 'size', types: SIZED, literal: undefined }]
  }
  return [{ path: operand, role, operator, types: types ?? typesOf(others), literal: literalOf(others) }]
}

function typesOf(others: readonly Operand[]): ReadonlySet<string> | undefined {
  const types = new Set<string>()
  for (const other of others) {
    if (other.kind === 'path') return undefined
    for (const type of other.kind === 'size' ? ['N'] : Object.keys(other.value)) types.add(type)
  }
  return types.size === 0 ? undefined : types
}

function literalOf(others: readonly Operand[]): Mention['literal'] {
  const [other, ...more] = others
  if (other?.kind !== 'literal' || more.length > 0) return undefined
  const { S, N } = other.value as { S?: string; N?: string }
  if (S !== undefined) return { type: 'S', text: S }
  return N === undefined ? undefined : { type: 'N', text: N }
}
