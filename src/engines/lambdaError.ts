import { HeadraceError, type HeadraceErrorCode } from '../runtime/headraceError.ts'

/** Errors that come again however often one tries; a state machine does not. */
export const PERMANENT_CODES: readonly HeadraceErrorCode[] = [
  'CONFIGURATION',
  'DENIED',
  'REFUSED',
  'REJECTED',
  'VISITOR',
  'STATE',
  'INPUT',
  'ACCOUNTING',
]

/** Lambda tells a state machine the name of an error, by which it may retry or not: `Headrace.DENIED`. */
export function lambdaErrorName(code: HeadraceErrorCode): string {
  return `Headrace.${code}`
}

/** The same error, by the name that state machines know it by. */
export function lambdaError(error: unknown): unknown {
  if (error instanceof HeadraceError) Object.defineProperty(error, 'name', { value: lambdaErrorName(error.code) })
  return error
}
