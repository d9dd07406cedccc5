/**
 * What went wrong, as a closed set; for `switch`, and for the command line's exit code.
 *
 * | code | means |
 * |---|---|
 * | `CONFIGURATION` | region, endpoint or an option of the connection can not be used |
 * | `CREDENTIALS` | none found, expired for good, or not accepted |
 * | `UNREACHABLE` | the endpoint did not answer within the patience given |
 * | `TABLE` | the table does not exist, or is not in a state to be used |
 * | `DENIED` | the identity may not do this |
 * | `REFUSED` | the service refuses the request, whatever the item |
 * | `REJECTED` | an entry can never succeed, and nobody asked to be told of rejects |
 * | `NO_PROGRESS` | throttled or failing throughout the patience given |
 * | `CLOSED` | used after `close()` or `destroy()` |
 * | `QUEUE_OVERRUN` | a producer goes on after `put()` said `false` |
 * | `INPUT` | a source can not be read or understood |
 * | `VISITOR` | a visitor module can not be loaded or gives what is no edit |
 * | `LOCAL` | the embedded DynamoDB can not be started |
 * | `LOCKED` | another process works in the job's directory |
 * | `STATE` | a job's directory can not be read, belongs to another job, or can not be gone on with |
 * | `ACCOUNTING` | the counts of a job do not add up: a defect of Headrace |
 */
export type HeadraceErrorCode =
  | 'CONFIGURATION'
  | 'CREDENTIALS'
  | 'UNREACHABLE'
  | 'TABLE'
  | 'DENIED'
  | 'REFUSED'
  | 'REJECTED'
  | 'NO_PROGRESS'
  | 'CLOSED'
  | 'QUEUE_OVERRUN'
  | 'INPUT'
  | 'VISITOR'
  | 'LOCAL'
  | 'LOCKED'
  | 'STATE'
  | 'ACCOUNTING'

/** What a person needs to find the place. */
export interface ErrorPlace {
  readonly table?: string | undefined
  readonly requestId?: string | undefined
  readonly segment?: number | undefined
  readonly key?: string | undefined
  /** The option whose value cannot be used, such as `filter`; a command line calls that a usage error. */
  readonly option?: string | undefined
  /** The part of the connection's configuration that cannot be used. */
  readonly setting?: 'profile' | 'region' | 'endpoint' | 'proxy' | 'certificates' | undefined
}

/** By which copies of this package know each other's errors. */
const BRAND: unique symbol = Symbol.for('headrace.HeadraceError') as never

/** The one error that Headrace throws on purpose. Its message says what happened, to what, and what to do next. */
export class HeadraceError extends Error {
  /** Also true for one that another copy of this package in the same process has thrown. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    // Of the classes that extend this one, each asks for its own; so `this` is the class that was asked for.
    // biome-ignore-start lint/complexity/noThisInStatic: see above
    if (this !== HeadraceError) return Function.prototype[Symbol.hasInstance].call(this, value)
    // biome-ignore-end lint/complexity/noThisInStatic: see above
    return value instanceof Error && (value as { [BRAND]?: unknown })[BRAND] === true
  }

  override readonly name = 'HeadraceError'
  readonly code: HeadraceErrorCode
  readonly place: ErrorPlace

  constructor(code: HeadraceErrorCode, message: string, options: { cause?: unknown; place?: ErrorPlace } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.place = options.place ?? {}
  }
}

Object.defineProperty(HeadraceError.prototype, BRAND, { value: true })
