import { parseJson } from '../runtime/parseJson.ts'
import type { TransportFailure } from './transport.ts'

/**
 * Everything that the service or the network can answer to a request, or to one statement of a batch, as one of three:
 *
 * - `stored`: done
 * - `again`: not this time; the entry goes back to the head of the buffer
 * - `refused`: never; an item that can not be stored, a condition that does not hold, or an end of all work
 */
export type Outcome = Stored | Again | Refused

export interface Stored {
  readonly kind: 'stored'
}

export interface Again {
  readonly kind: 'again'
  /**
   * - `throttled`: too fast for now (a whole request)
   * - `unprocessed`: too fast for now (part of a batch)
   * - `transient`: the service or the network failed
   * - `credentials`: expired, or none for now; with fresh ones it may succeed
   * - `clock`: signed with a time too far from the service's; with the corrected time it may succeed
   */
  readonly why: 'throttled' | 'unprocessed' | 'transient' | 'credentials' | 'clock'
  /** The error's name and message, for people. */
  readonly code: string
  readonly message: string
  /** The write may have taken effect although it is not acknowledged. */
  readonly ambiguous: boolean
  /** What the service asks to wait at least, or how long there will be no credentials. */
  readonly retryAfterMs?: number | undefined
  /** The service's `ThrottlingReasons`, where it gives them. */
  readonly reasons?: readonly ThrottlingReason[] | undefined
}

export interface Refused {
  readonly kind: 'refused'
  /**
   * - `item`: this item, or some item of this batch
   * - `condition`: what was read has changed since, or is gone
   * - `statement`: the endpoint does not understand this operation or statement
   * - `table`, `denied`, `credentials`, `unreachable`, `request`: nothing that is sent this way can succeed
   */
  readonly why: 'item' | 'condition' | 'statement' | 'table' | 'denied' | 'credentials' | 'unreachable' | 'request'
  readonly code: string
  readonly message: string
}

/** One of the sixteen reasons for a throttle, and the ARN of the table or index that it speaks of. */
interface ThrottlingReason {
  readonly reason: string
  readonly resource: string
}

export const STORED: Stored = { kind: 'stored' }

type Verdict = Again['why'] | Refused['why']

/**
 * By the error's name, the part behind `#` in `__type`. Sources: the developer guide's "Error handling with DynamoDB" and
 * "Common errors", the model of the service. Status codes do not tell errors apart: almost all are 400.
 */
const VERDICTS: ReadonlyMap<string, Verdict> = new Map<string, Verdict>([
  ['ProvisionedThroughputExceededException', 'throttled'],
  ['ThrottlingException', 'throttled'],
  ['Throttling', 'throttled'],
  ['RequestLimitExceeded', 'throttled'],
  ['LimitExceededException', 'throttled'],
  ['InternalServerError', 'transient'],
  ['InternalFailure', 'transient'],
  ['ServiceUnavailable', 'transient'],
  ['ServiceUnavailableException', 'transient'],
  ['ReplicatedWriteConflictException', 'transient'],
  ['TransactionConflictException', 'transient'],
  ['TransactionInProgressException', 'transient'],
  ['ExpiredTokenException', 'credentials'],
  ['ExpiredToken', 'credentials'],
  ['RequestExpired', 'clock'],
  ['RequestTimeTooSkewed', 'clock'],
  ['RequestTimeTooSkewedException', 'clock'],
  ['ConditionalCheckFailedException', 'condition'],
  ['DuplicateItemException', 'condition'],
  ['ItemCollectionSizeLimitExceededException', 'item'],
  ['ValidationException', 'item'],
  ['UnknownOperationException', 'statement'],
  ['ResourceNotFoundException', 'table'],
  ['ResourceInUseException', 'table'],
  ['TableNotFoundException', 'table'],
  ['AccessDeniedException', 'denied'],
  ['AccessDenied', 'denied'],
  ['UnrecognizedClientException', 'denied'],
  ['InvalidSignatureException', 'denied'],
  ['IncompleteSignatureException', 'denied'],
  ['IncompleteSignature', 'denied'],
  ['MissingAuthenticationTokenException', 'denied'],
  ['MissingAuthenticationToken', 'denied'],
  ['InvalidClientTokenId', 'denied'],
  ['NotAuthorized', 'denied'],
  ['OptInRequired', 'denied'],
  ['SerializationException', 'request'],
  ['IdempotentParameterMismatchException', 'request'],
])

/** By the `Code` of one statement of a `BatchExecuteStatement` (the model's BatchStatementErrorCodeEnum). */
const STATEMENT_VERDICTS: ReadonlyMap<string, Verdict> = new Map<string, Verdict>([
  ['ConditionalCheckFailed', 'condition'],
  ['DuplicateItem', 'condition'],
  ['ProvisionedThroughputExceeded', 'unprocessed'],
  ['RequestLimitExceeded', 'unprocessed'],
  ['ThrottlingError', 'unprocessed'],
  ['InternalServerError', 'transient'],
  ['TransactionConflict', 'transient'],
  ['ItemCollectionSizeLimitExceeded', 'item'],
  ['ValidationError', 'item'],
  ['ResourceNotFound', 'table'],
  ['AccessDenied', 'denied'],
])

const AGAIN: ReadonlySet<string> = new Set(['throttled', 'unprocessed', 'transient', 'credentials', 'clock'])

function outcome(
  verdict: Verdict,
  code: string,
  message: string,
  ambiguous: boolean,
  rest: Partial<Again> = {},
): Again | Refused {
  return AGAIN.has(verdict)
    ? { kind: 'again', why: verdict as Again['why'], code, message, ambiguous, ...rest }
    : { kind: 'refused', why: verdict as Refused['why'], code, message }
}

/**
 * The outcome of a request that was answered with an error.
 *
 * @param body the answer's text; what is not the service's JSON is of a proxy or gateway, and judged by the status alone
 */
export function sortError(status: number, body: string, retryAfterMs?: number): Again | Refused {
  const { code, message, reasons } = readError(body)
  const skewed = code === 'InvalidSignatureException' && /Signature (?:expired|not yet current)/.test(message)
  const verdict = skewed ? 'clock' : VERDICTS.get(code)
  if (verdict !== undefined) {
    // A server's own failure says nothing of whether the write was made; a conflict or a throttle says that it was not.
    const ambiguous = verdict === 'transient' && status >= 500
    return outcome(verdict, code, message, ambiguous, { retryAfterMs, reasons })
  }
  const name = code === '' ? `HTTP ${status}` : code
  if (code === '' && message === '') return sortPage(status, body, retryAfterMs)
  if (status === 413) return outcome('item', name, message || 'the request is too large', false)
  if (status === 429) return outcome('throttled', name, message, false, { retryAfterMs })
  if (status >= 500) return outcome('transient', name, message || 'the service failed', true, { retryAfterMs })
  return outcome('request', name, message || 'the answer is not from DynamoDB', false)
}

/** The outcome of a request that something on the way has answered in the service's place. */
export function sortPage(status: number, body: string, retryAfterMs?: number): Again | Refused {
  const code = `HTTP ${status}`
  const message = `a proxy or gateway answered instead of DynamoDB with status ${status}${quotePage(body)}`
  if (status === 413) return outcome('item', code, `${message}: the request is too large for it`, false)
  if (status === 429) return outcome('throttled', code, message, false, { retryAfterMs })
  // Whether it has asked the service before it failed is not known; a page instead of an answer may be gone in a moment.
  if (status >= 500 || status === 408 || status < 300)
    return outcome('transient', code, message, true, { retryAfterMs })
  return outcome('unreachable', code, `${message}. Check the proxy settings and the endpoint`, false)
}

/** The title of a page, or else the beginning of its text. */
function quotePage(body: string): string {
  const text = /<title[^>]*>([\s\S]*?)<\/title>/i.exec(body)?.[1] ?? body.replace(/<[^>]*>/g, ' ')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they come from whoever answered, and go to a terminal
  const clean = text.replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, ' ').trim()
  if (clean === '') return ''
  return `: ${JSON.stringify(clean.length > 120 ? `${clean.slice(0, 120)}…` : clean)}`
}

/** The outcome of one statement of a batch that was answered with an error. */
export function sortStatementError(code: string, message: string): Again | Refused {
  return outcome(STATEMENT_VERDICTS.get(code) ?? 'request', code, message, code === 'InternalServerError')
}

/** The outcome of a request that was not answered. */
export function sortFailure(failure: TransportFailure): Again | Refused {
  switch (failure.kind) {
    case 'connect':
      return outcome('transient', 'ConnectionFailed', failure.message, false)
    case 'reset':
      return outcome('transient', 'ConnectionReset', failure.message, true)
    case 'timeout':
      return outcome('transient', 'Timeout', failure.message, true)
    case 'certificate':
      return outcome('unreachable', 'Certificate', failure.message, false)
    case 'proxy':
      return outcome('unreachable', 'Proxy', failure.message, false)
    case 'closed':
      return outcome('unreachable', 'Closed', failure.message, false)
  }
}

/** An answer with status 200 that did not arrive whole: its checksum is wrong, or it is not JSON. */
export function sortDamage(message: string): Again | Refused {
  return outcome('transient', 'DamagedAnswer', message, true)
}

/** A signature that does not match is answered with the request as it was understood, session token and all. */
const QUOTED_REQUEST = /\s*The Canonical String for this request[\s\S]*/

function readError(body: string): { code: string; message: string; reasons: ThrottlingReason[] | undefined } {
  let parsed: unknown
  try {
    parsed = parseJson(body)
  } catch {
    // A load balancer's or proxy's page; its status decides.
    parsed = undefined
  }
  if (parsed === null || typeof parsed !== 'object') return { code: '', message: '', reasons: undefined }
  const fields = parsed as { [name: string]: unknown }
  const type = typeof fields['__type'] === 'string' ? fields['__type'] : ''
  const message = fields['message'] ?? fields['Message']
  const reasons = fields['ThrottlingReasons'] ?? fields['throttlingReasons']
  return {
    code: type.slice(type.lastIndexOf('#') + 1),
    message: typeof message === 'string' ? message.replace(QUOTED_REQUEST, '') : '',
    reasons: Array.isArray(reasons) ? reasons.map(readReason) : undefined,
  }
}

function readReason(value: unknown): ThrottlingReason {
  const fields = (value ?? {}) as { [name: string]: unknown }
  return { reason: `${fields['reason'] ?? ''}`, resource: `${fields['resource'] ?? ''}` }
}
