import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Outcome, sortDamage, sortError, sortFailure, sortStatementError } from '../../src/dynamodb/outcome.ts'
import type { TransportFailure } from '../../src/dynamodb/transport.ts'

const SERVICE = 'com.amazonaws.dynamodb.v20120810#'
const CORAL = 'com.amazon.coral.service#'
const VALIDATE = 'com.amazon.coral.validate#'

type Verdict = `again ${string}` | `refused ${string}`

function verdict(outcome: Outcome): string {
  return outcome.kind === 'stored' ? 'stored' : `${outcome.kind} ${outcome.why}`
}

function ambiguous(outcome: Outcome): boolean {
  return outcome.kind === 'again' && outcome.ambiguous
}

/** Developer guide, "Error handling with DynamoDB", "Common errors", and what requests without an item can meet. */
const ERRORS: readonly (readonly [namespace: string, name: string, status: number, Verdict, ambiguous: boolean])[] = [
  [SERVICE, 'ProvisionedThroughputExceededException', 400, 'again throttled', false],
  [SERVICE, 'ThrottlingException', 400, 'again throttled', false],
  [CORAL, 'ThrottlingException', 400, 'again throttled', false],
  [SERVICE, 'RequestLimitExceeded', 400, 'again throttled', false],
  [SERVICE, 'LimitExceededException', 400, 'again throttled', false],
  [SERVICE, 'InternalServerError', 500, 'again transient', true],
  [CORAL, 'InternalFailure', 500, 'again transient', true],
  [CORAL, 'ServiceUnavailable', 503, 'again transient', true],
  [CORAL, 'ServiceUnavailableException', 503, 'again transient', true],
  [SERVICE, 'ReplicatedWriteConflictException', 409, 'again transient', false],
  [SERVICE, 'TransactionConflictException', 400, 'again transient', false],
  [SERVICE, 'TransactionInProgressException', 400, 'again transient', false],
  [SERVICE, 'ItemCollectionSizeLimitExceededException', 400, 'refused item', false],
  [SERVICE, 'ConditionalCheckFailedException', 400, 'refused condition', false],
  [VALIDATE, 'ValidationException', 400, 'refused item', false],
  [SERVICE, 'DuplicateItemException', 400, 'refused condition', false],
  [SERVICE, 'IdempotentParameterMismatchException', 400, 'refused request', false],
  [SERVICE, 'ResourceNotFoundException', 400, 'refused table', false],
  [SERVICE, 'ResourceInUseException', 400, 'refused table', false],
  [SERVICE, 'TableNotFoundException', 400, 'refused table', false],
  [SERVICE, 'AccessDeniedException', 400, 'refused denied', false],
  [CORAL, 'AccessDeniedException', 400, 'refused denied', false],
  [CORAL, 'MissingAuthenticationTokenException', 400, 'refused denied', false],
  [CORAL, 'IncompleteSignatureException', 400, 'refused denied', false],
  [CORAL, 'InvalidSignatureException', 400, 'refused denied', false],
  [CORAL, 'UnrecognizedClientException', 400, 'refused denied', false],
  [CORAL, 'ExpiredTokenException', 400, 'again credentials', false],
  [CORAL, 'RequestTimeTooSkewed', 400, 'again clock', false],
  [CORAL, 'RequestTimeTooSkewedException', 400, 'again clock', false],
  [CORAL, 'RequestExpired', 400, 'again clock', false],
  [CORAL, 'SerializationException', 400, 'refused request', false],
  [CORAL, 'UnknownOperationException', 400, 'refused statement', false],
  // Only transactions, which are never sent, are answered with it.
  [SERVICE, 'TransactionCanceledException', 400, 'refused request', false],
  [SERVICE, 'SomethingNewException', 400, 'refused request', false],
  [SERVICE, 'SomethingNewException', 500, 'again transient', true],
]

for (const [namespace, name, status, expected, isAmbiguous] of ERRORS) {
  test(`${name} (${status}, ${namespace}) is ${expected}`, () => {
    for (const [spelling, type] of [
      ['message', `${namespace}${name}`],
      ['Message', `${namespace}${name}`],
      ['message', name],
    ] as const) {
      const outcome = sortError(status, JSON.stringify({ __type: type, [spelling]: 'what happened' }))
      assert.strictEqual(verdict(outcome), expected)
      assert.strictEqual(ambiguous(outcome), isAmbiguous)
      assert.ok(outcome.code === name && outcome.message === 'what happened')
    }
  })
}

test('a signature that is refused for its date is a matter of the clock', () => {
  for (const message of [
    'Signature expired: 20260101T000000Z is now earlier than 20260101T001000Z (20260101T001500Z - 5 min.)',
    'Signature not yet current: 20260101T010000Z is still later than 20260101T000500Z (20260101T000000Z + 5 min.)',
  ]) {
    const outcome = sortError(400, JSON.stringify({ __type: `${CORAL}InvalidSignatureException`, message }))
    assert.strictEqual(verdict(outcome), 'again clock')
  }
})

test('the reasons of a throttle are read in both spellings, and what the service asks to wait', () => {
  const resource = 'arn:aws:dynamodb:eu-west-1:123456789012:table/users'
  const reasons = [{ reason: 'TableWriteKeyRangeThroughputExceeded', resource }]
  for (const body of [
    { __type: `${SERVICE}ProvisionedThroughputExceededException`, message: '', ThrottlingReasons: reasons },
    { __type: `${SERVICE}ThrottlingException`, message: '', throttlingReasons: reasons },
  ]) {
    const outcome = sortError(400, JSON.stringify(body), 1_500)
    assert.ok(outcome.kind === 'again')
    assert.deepStrictEqual(outcome.reasons, reasons)
    assert.strictEqual(outcome.retryAfterMs, 1_500)
  }
  const odd = sortError(400, JSON.stringify({ __type: 'ThrottlingException', ThrottlingReasons: [null, {}, 7] }))
  assert.ok(odd.kind === 'again')
  assert.deepStrictEqual(odd.reasons, new Array(3).fill({ reason: '', resource: '' }))
})

test('what is not the error of a DynamoDB is judged by its status', () => {
  const pages = ['', '<html>502 Bad Gateway</html>', 'null', '7', '[]', '{}', '{"__type":7}']
  for (const page of pages) {
    for (const [status, expected, isAmbiguous] of [
      [500, 'again transient', true],
      [502, 'again transient', true],
      [504, 'again transient', true],
      [429, 'again throttled', false],
      [413, 'refused item', false],
      [400, 'refused unreachable', false],
      [403, 'refused unreachable', false],
      [404, 'refused unreachable', false],
      [301, 'refused unreachable', false],
    ] as const) {
      const outcome = sortError(status, page)
      assert.strictEqual(verdict(outcome), expected, `${status} ${page}`)
      assert.strictEqual(ambiguous(outcome), isAmbiguous)
      assert.ok(outcome.code === `HTTP ${status}`)
    }
  }
  assert.strictEqual(verdict(sortError(400, '{"message":"x"}')), 'refused request')
})

/** The model's BatchStatementErrorCodeEnum. */
const STATEMENTS: readonly (readonly [code: string, Verdict, ambiguous: boolean])[] = [
  ['ConditionalCheckFailed', 'refused condition', false],
  ['ItemCollectionSizeLimitExceeded', 'refused item', false],
  ['RequestLimitExceeded', 'again unprocessed', false],
  ['ValidationError', 'refused item', false],
  ['ProvisionedThroughputExceeded', 'again unprocessed', false],
  ['TransactionConflict', 'again transient', false],
  ['ThrottlingError', 'again unprocessed', false],
  ['InternalServerError', 'again transient', true],
  ['ResourceNotFound', 'refused table', false],
  ['AccessDenied', 'refused denied', false],
  ['DuplicateItem', 'refused condition', false],
  ['SomethingNew', 'refused request', false],
]

test('each code of a statement in a batch', () => {
  for (const [code, expected, isAmbiguous] of STATEMENTS) {
    const outcome = sortStatementError(code, 'why')
    assert.strictEqual(verdict(outcome), expected, code)
    assert.strictEqual(ambiguous(outcome), isAmbiguous, code)
    assert.ok(outcome.code === code && outcome.message === 'why')
  }
})

test('each failure of the transport', () => {
  const failures: {
    readonly [Kind in TransportFailure['kind']]: readonly [Verdict, code: string, ambiguous: boolean]
  } = {
    connect: ['again transient', 'ConnectionFailed', false],
    reset: ['again transient', 'ConnectionReset', true],
    timeout: ['again transient', 'Timeout', true],
    certificate: ['refused unreachable', 'Certificate', false],
    proxy: ['refused unreachable', 'Proxy', false],
    closed: ['refused unreachable', 'Closed', false],
  }
  for (const [kind, [expected, code, isAmbiguous]] of Object.entries(failures)) {
    const outcome = sortFailure({ kind: kind as TransportFailure['kind'], message: 'why', cause: undefined })
    assert.strictEqual(verdict(outcome), expected, kind)
    assert.strictEqual(ambiguous(outcome), isAmbiguous, kind)
    assert.ok(outcome.code === code && outcome.message === 'why')
  }
})

test('an answer that did not arrive whole may stand for a write that was made', () => {
  const outcome = sortDamage('the checksum of the answer is wrong')
  assert.strictEqual(verdict(outcome), 'again transient')
  assert.strictEqual(ambiguous(outcome), true)
})

test('what a service quotes of a signed request, such as its session token, is in no message', () => {
  const message =
    'The request signature we calculated does not match the signature you provided.\n\nThe Canonical String for this ' +
    "request should have been\n'POST\n/\n\nhost:dynamodb\nx-amz-security-token:secret\n'\n\nThe String-to-Sign should"
  const outcome = sortError(400, JSON.stringify({ __type: `${CORAL}InvalidSignatureException`, message }))
  assert.equal(verdict(outcome), 'refused denied')
  assert.equal(
    outcome.kind === 'refused' && outcome.message,
    'The request signature we calculated does not match the signature you provided.',
  )
})
