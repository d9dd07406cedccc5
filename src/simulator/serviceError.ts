/** Errors of the service's own namespace; the others are the front door's (developer guide, "Error handling"). */
const FRONT_DOOR = new Set([
  'SerializationException',
  'UnknownOperationException',
  'UnrecognizedClientException',
  'ExpiredTokenException',
  'InvalidSignatureException',
  'AccessDeniedException',
  'ThrottlingException',
  'MissingAuthenticationTokenException',
])

/** One of the sixteen reasons for a throttle: what ran short, and the ARN of whose it was. */
export interface ThrottleReason {
  readonly reason: string
  readonly resource: string
}

/** An answer that is an error. */
export class ServiceError extends Error {
  readonly code: string
  readonly status: number
  readonly reasons: readonly ThrottleReason[]

  constructor(code: string, message: string, status = 400, reasons: readonly ThrottleReason[] = []) {
    // Throttles come by the thousand, and nobody looks at where one was made.
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    super(message)
    Error.stackTraceLimit = stackTraceLimit
    this.code = code
    this.status = status
    this.reasons = reasons
  }

  /** As the service writes it: the member that lists the reasons is spelt in two ways (botocore's model). */
  get body(): object {
    const type =
      this.code === 'ValidationException'
        ? 'com.amazon.coral.validate#ValidationException'
        : `${FRONT_DOOR.has(this.code) ? 'com.amazon.coral.service' : 'com.amazonaws.dynamodb.v20120810'}#${this.code}`
    if (this.reasons.length === 0) return { __type: type, message: this.message }
    const member = this.code === 'ThrottlingException' ? 'throttlingReasons' : 'ThrottlingReasons'
    return { __type: type, message: this.message, [member]: this.reasons }
  }
}

/** The service refuses what was asked, whatever the load. */
export function invalid(message: string): ServiceError {
  return new ServiceError('ValidationException', message)
}
