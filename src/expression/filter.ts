import { compileForService, type ServiceExpression } from './compileForService.ts'
import { compileEvaluator, type Evaluator } from './evaluate.ts'
import { parseCondition } from './parse.ts'
import type { Condition } from './tree.ts'

/** A filter, read once: for the service, and to be asked here. */
export interface Filter {
  readonly source: string
  readonly condition: Condition
  /** As the service takes it. */
  readonly expression: ServiceExpression
  /** Whether it holds for an item in DynamoDB JSON. */
  readonly matches: Evaluator
}

/**
 * Reads a filter as people write it; see {@link parseCondition}.
 *
 * @throws {HeadraceError} `CONFIGURATION` that names the character and what is expected there
 */
export function readFilter(source: string): Filter {
  const condition = parseCondition(source)
  return {
    source,
    condition,
    expression: compileForService(source, condition),
    matches: compileEvaluator(condition),
  }
}
