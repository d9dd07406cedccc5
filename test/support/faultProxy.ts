import { Agent, createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { crc32 } from 'node:zlib'
import { parseJson } from '../../src/runtime/parseJson.ts'
import { type Random, seededRandom } from '../../src/runtime/random.ts'
import { answerHeaders, closeServer, listen, operationOf, readBody, reset, sendHalf } from './httpExchange.ts'

/**
 * What a fault proxy does to the requests that pass through it. All shares are of 1 and default to 0. The shares of whole
 * requests exclude each other, so they must not add up to more than 1; those of entries and statements come on top.
 */
export interface FaultProxyOptions {
  /** The store behind it: a plain HTTP endpoint. */
  target: string
  /** Repeats the dice. The order of the requests is the client's, so only a client with one in flight gets a true replay. */
  seed: number

  /** Entries of a BatchWriteItem that are kept back and answered as unprocessed. */
  unprocessedShare?: number
  /** Statements that are kept back and answered with an error of their own, half ThrottlingError, half InternalServerError. */
  statementErrorShare?: number
  /** Statements that the store gets, and whose answer is replaced with InternalServerError. */
  statementLostShare?: number

  /** Requests refused as throttled, with reasons; the store never sees them. */
  throttleShare?: number
  /** Connections reset before the store saw the request. */
  resetBeforeShare?: number
  /** Connections reset after the store has answered: the write took effect, the answer is lost. */
  resetAfterShare?: number
  /** Requests answered with 500, half of them before the store saw them and half after. */
  errorShare?: number
  /** Requests that are never answered; the store never sees them. */
  stallShare?: number
  /** Answers of which half is sent, then the connection is cut. */
  halfShare?: number
  /** Answers with a wrong `x-amz-crc32`. */
  wrongChecksumShare?: number

  /** Operations that faults happen to; all others pass untouched. */
  operations?: readonly string[]
}

/** How often each fault was injected. */
interface FaultCounts {
  requests: number
  unprocessed: number
  /** Batches of which nothing was forwarded, answered as throttled. */
  batchThrottled: number
  /** Batches of which nothing was forwarded, answered with all their entries unprocessed. */
  batchUnprocessed: number
  statementThrottled: number
  statementFailed: number
  statementLost: number
  throttled: number
  resetBefore: number
  resetAfter: number
  errorBefore: number
  errorAfter: number
  stalled: number
  halved: number
  wrongChecksum: number
  /** Requests answered with 500 because the store itself could not be reached: none of the dice's doing. */
  storeFailures: number
}

export interface FaultProxy extends AsyncDisposable {
  readonly endpoint: string
  readonly counts: Readonly<FaultCounts>
  close(): Promise<void>
}

/** Operations that move data; table management stays unharmed unless asked for. */
const DATA_OPERATIONS = [
  'BatchWriteItem',
  'BatchExecuteStatement',
  'BatchGetItem',
  'PutItem',
  'UpdateItem',
  'DeleteItem',
  'GetItem',
  'Query',
  'Scan',
]

/** What happens to a request as a whole; at most one thing. */
type Fault =
  | 'throttled'
  | 'resetBefore'
  | 'resetAfter'
  | 'errorBefore'
  | 'errorAfter'
  | 'stalled'
  | 'halved'
  | 'wrongChecksum'

interface Answer {
  status: number
  headers: Record<string, string | string[]>
  body: Buffer
}

/** A store on loopback seen through a bad day: everything that the service or the network may do to a client. */
export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const random = seededRandom(options.seed)
  const agent = new Agent({ keepAlive: true })
  const target = new URL(options.target)
  const harmed = new Set(options.operations ?? DATA_OPERATIONS)
  const counts: FaultCounts = {
    requests: 0,
    unprocessed: 0,
    batchThrottled: 0,
    batchUnprocessed: 0,
    statementThrottled: 0,
    statementFailed: 0,
    statementLost: 0,
    throttled: 0,
    resetBefore: 0,
    resetAfter: 0,
    errorBefore: 0,
    errorAfter: 0,
    stalled: 0,
    halved: 0,
    wrongChecksum: 0,
    storeFailures: 0,
  }
  const pickFault = faultDice(options, random)

  const forward = (request: IncomingMessage, body: Buffer) => forwardTo(target, agent, request, body)

  const exchange = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readBody(request)
    const operation = operationOf(request)
    counts.requests += 1
    if (!harmed.has(operation)) {
      send(response, await forward(request, body))
      return
    }

    const fault = pickFault()
    if (fault !== undefined) counts[fault] += 1
    if (fault === 'stalled') return
    if (fault === 'resetBefore') {
      reset(request)
      return
    }
    if (fault === 'throttled') {
      send(response, throttled(operation))
      return
    }
    if (fault === 'errorBefore') {
      send(response, internalError())
      return
    }

    const forwardPart = (partBody: Buffer) => forward(request, partBody)
    let answer: Answer
    if (operation === 'BatchWriteItem') answer = await passBatch(body, forwardPart, options, random, counts)
    else if (operation === 'BatchExecuteStatement') {
      answer = await passStatements(body, forwardPart, options, random, counts)
    } else answer = await forward(request, body)

    if (fault === 'resetAfter') reset(request)
    else if (fault === 'errorAfter') send(response, internalError())
    else if (fault === 'halved') sendHalf(response, answer.status, answer.headers, answer.body)
    else if (fault === 'wrongChecksum') {
      const headers = { ...answer.headers, 'x-amz-crc32': String((crc32(answer.body) ^ 1) >>> 0) }
      send(response, { ...answer, headers })
    } else send(response, answer)
  }

  const server = createServer((request, response) => {
    // The client may go away whenever it likes; then there is nobody to answer.
    response.on('error', () => undefined)
    exchange(request, response).catch((error) => {
      // The store is gone, or the client was before its request was whole.
      counts.storeFailures += 1
      if (!response.headersSent) send(response, internalError(`the store behind the proxy failed: ${error}`))
    })
  })
  const endpoint = await listen(server)
  const close = async () => {
    await closeServer(server)
    agent.destroy()
  }
  return { endpoint, counts, close, [Symbol.asyncDispose]: close }
}

/** One throw decides on a request as a whole: the shares lie one after another on the line from 0 to 1. */
function faultDice(options: FaultProxyOptions, random: Random): () => Fault | undefined {
  const errorShare = options.errorShare ?? 0
  const shares: [Fault, number][] = [
    ['throttled', options.throttleShare ?? 0],
    ['resetBefore', options.resetBeforeShare ?? 0],
    ['resetAfter', options.resetAfterShare ?? 0],
    ['errorBefore', errorShare / 2],
    ['errorAfter', errorShare / 2],
    ['stalled', options.stallShare ?? 0],
    ['halved', options.halfShare ?? 0],
    ['wrongChecksum', options.wrongChecksumShare ?? 0],
  ]
  const sum = shares.reduce((total, [, share]) => total + share, 0)
  if (sum > 1 + 1e-9) throw new TypeError(`the shares of whole requests add up to ${sum}, but at most 1 is possible`)
  return () => {
    let left = random()
    for (const [fault, share] of shares) {
      if (left < share) return fault
      left -= share
    }
    return undefined
  }
}

type ForwardPart = (body: Buffer) => Promise<Answer>
type EntriesByTable = Record<string, unknown[]>

async function passBatch(
  body: Buffer,
  forwardPart: ForwardPart,
  options: FaultProxyOptions,
  random: Random,
  counts: FaultCounts,
): Promise<Answer> {
  const share = options.unprocessedShare ?? 0
  if (share === 0) return await forwardPart(body)
  const request = parseJson(body.toString()) as { RequestItems: EntriesByTable }
  const kept: EntriesByTable = {}
  const passed: EntriesByTable = {}
  for (const [table, entries] of Object.entries(request.RequestItems)) {
    for (const entry of entries) {
      const group = random() < share ? kept : passed
      group[table] ??= []
      group[table].push(entry)
    }
  }
  const keptCount = Object.values(kept).reduce((total, entries) => total + entries.length, 0)
  if (keptCount === 0) return await forwardPart(body)

  if (Object.keys(passed).length === 0) {
    if (random() < 0.5) {
      counts.batchThrottled += 1
      return throttled('BatchWriteItem', 'ProvisionedThroughputExceededException')
    }
    counts.batchUnprocessed += 1
    counts.unprocessed += keptCount
    return jsonAnswer(200, { UnprocessedItems: kept })
  }

  const answer = await forwardPart(Buffer.from(JSON.stringify({ ...request, RequestItems: passed })))
  if (answer.status !== 200) return answer
  counts.unprocessed += keptCount
  const answered = parseJson(answer.body.toString()) as { UnprocessedItems?: EntriesByTable }
  for (const [table, entries] of Object.entries(answered.UnprocessedItems ?? {})) {
    kept[table] = [...(kept[table] ?? []), ...entries]
  }
  return jsonAnswer(200, { ...answered, UnprocessedItems: kept })
}

interface StatementAnswer {
  TableName?: string
  Item?: unknown
  Error?: { Code: string; Message: string }
}

async function passStatements(
  body: Buffer,
  forwardPart: ForwardPart,
  options: FaultProxyOptions,
  random: Random,
  counts: FaultCounts,
): Promise<Answer> {
  const errorShare = options.statementErrorShare ?? 0
  const lostShare = options.statementLostShare ?? 0
  if (errorShare === 0 && lostShare === 0) return await forwardPart(body)
  const request = parseJson(body.toString()) as { Statements: { Statement: string }[] }
  /** For each statement: the answer made up for it, or `undefined` where the store's own is to be given. */
  const madeUp: (StatementAnswer | undefined)[] = []
  const passed: { statement: { Statement: string }; index: number }[] = []
  for (const [index, statement] of request.Statements.entries()) {
    const thrown = random()
    if (thrown < errorShare / 2) {
      counts.statementThrottled += 1
      madeUp[index] = statementError('ThrottlingError')
    } else if (thrown < errorShare) {
      counts.statementFailed += 1
      madeUp[index] = statementError('InternalServerError')
    } else {
      passed.push({ statement, index })
      if (thrown < errorShare + lostShare) {
        counts.statementLost += 1
        madeUp[index] = statementError('InternalServerError')
      } else madeUp[index] = undefined
    }
  }
  if (passed.length === 0) return jsonAnswer(200, { Responses: madeUp })

  const statements = passed.map(({ statement }) => statement)
  const answer = await forwardPart(Buffer.from(JSON.stringify({ ...request, Statements: statements })))
  if (answer.status !== 200) return answer
  const answered = parseJson(answer.body.toString()) as { Responses: StatementAnswer[] }
  const responses = [...madeUp]
  for (const [position, { index }] of passed.entries()) responses[index] ??= answered.Responses[position]
  return jsonAnswer(200, { ...answered, Responses: responses })
}

function statementError(code: 'ThrottlingError' | 'InternalServerError'): StatementAnswer {
  return { Error: { Code: code, Message: `${code} made up by the fault proxy` } }
}

function throttled(operation: string, name = 'ThrottlingException'): Answer {
  const direction = ['Scan', 'Query', 'GetItem', 'BatchGetItem'].includes(operation) ? 'Read' : 'Write'
  const resource = 'arn:aws:dynamodb:eu-west-1:000000000000:table/faulty'
  const reasons = [{ reason: `Table${direction}ProvisionedThroughputExceeded`, resource }]
  return jsonAnswer(400, {
    __type: `com.amazonaws.dynamodb.v20120810#${name}`,
    message: 'The request rate is too high (made up by the fault proxy)',
    // The service spells this member differently in these two exceptions.
    ...(name === 'ThrottlingException' ? { throttlingReasons: reasons } : { ThrottlingReasons: reasons }),
  })
}

function internalError(message = 'Internal server error (made up by the fault proxy)'): Answer {
  return jsonAnswer(500, { __type: 'com.amazonaws.dynamodb.v20120810#InternalServerError', message })
}

let answersMade = 0

function jsonAnswer(status: number, content: object): Answer {
  answersMade += 1
  const body = Buffer.from(JSON.stringify(content))
  return { status, headers: answerHeaders(body, `FAULTPROXY${answersMade}`), body }
}

/** Only the headers that end at each hop are left out, and the length, which is that of this body. */
function forwardTo(target: URL, agent: Agent, request: IncomingMessage, body: Buffer): Promise<Answer> {
  const headers = { ...request.headers, 'content-length': String(body.length) }
  delete headers['connection']
  delete headers['transfer-encoding']
  // Answers are read and changed here, so they must come as plain text.
  delete headers['accept-encoding']
  return new Promise((resolve, reject) => {
    const forwarded = httpRequest(
      { host: target.hostname, port: target.port, method: request.method, path: request.url, headers, agent },
      (response) => {
        readBody(response).then((answerBody) => {
          const answerHeadersHere: Record<string, string | string[]> = { 'content-length': String(answerBody.length) }
          for (const [name, value] of Object.entries(response.headers)) {
            if (value === undefined || ['connection', 'keep-alive', 'transfer-encoding'].includes(name)) continue
            answerHeadersHere[name] = value
          }
          resolve({ status: response.statusCode ?? 500, headers: answerHeadersHere, body: answerBody })
        }, reject)
      },
    )
    forwarded.on('error', reject)
    forwarded.end(body)
  })
}

function send(response: ServerResponse, answer: Answer): void {
  response.writeHead(answer.status, answer.headers)
  response.end(answer.body)
}
