import { createServer, type IncomingHttpHeaders } from 'node:http'
import { crc32 } from 'node:zlib'
import { parseJson } from '../../src/runtime/parseJson.ts'
import { answerHeaders, closeServer, listen, operationOf, readBody, reset, sendHalf } from './httpExchange.ts'

export interface ScriptedRequest {
  /** Counted from 1, in the order in which whole requests arrived. */
  number: number
  operation: string
  headers: IncomingHttpHeaders
  text: string
  /** The parsed text; `undefined` when there was none. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into requests of many shapes
  body: any
}

/**
 * An answer. An object as body is sent as JSON, a string or bytes as they are. Headers named here replace the ones that
 * are made (`x-amz-crc32` with a wrong value, for example).
 */
export type ScriptedAnswer =
  | { status?: number; headers?: Record<string, string>; body?: unknown }
  /** A TCP reset instead of an answer. */
  | 'reset'
  /** No answer, ever. */
  | 'stall'
  /** The head and half of a body, then the end of the connection. */
  | 'half'

export type Script = (request: ScriptedRequest) => ScriptedAnswer | Promise<ScriptedAnswer>

export interface ScriptedServer extends AsyncDisposable {
  readonly endpoint: string
  /** Every request so far, in order. */
  readonly requests: readonly ScriptedRequest[]
  /** Connections that were opened so far. */
  readonly connections: number
  close(): Promise<void>
}

/** A service error as it goes over the wire, for scripts. */
export function serviceError(name: string, message = name, status = 400, more: object = {}): ScriptedAnswer {
  return { status, body: { __type: `com.amazonaws.dynamodb.v20120810#${name}`, message, ...more } }
}

/** A server on loopback whose every answer the test decides. What a script throws becomes a 500. */
export async function startScriptedServer(script: Script): Promise<ScriptedServer> {
  const requests: ScriptedRequest[] = []
  let connections = 0

  const server = createServer(async (request, response) => {
    // The client may go away whenever it likes; then there is nobody to answer.
    response.on('error', () => undefined)
    let answer: ScriptedAnswer
    let requestId = 'SCRIPTED0'
    try {
      const text = (await readBody(request)).toString()
      const scripted: ScriptedRequest = {
        number: requests.length + 1,
        operation: operationOf(request),
        headers: request.headers,
        text,
        body: text === '' ? undefined : parseJson(text),
      }
      requests.push(scripted)
      requestId = `SCRIPTED${scripted.number}`
      answer = await script(scripted)
    } catch (error) {
      answer = serviceError('InternalServerError', `the script failed: ${error}`, 500)
    }

    if (answer === 'stall') return
    if (answer === 'reset') {
      reset(request)
      return
    }
    if (answer === 'half') {
      const body = Buffer.from('{"UnprocessedItems":{},"ConsumedCapacity":[]}')
      sendHalf(response, 200, answerHeaders(body, requestId), body)
      return
    }
    const body = toBytes(answer.body ?? {})
    response.writeHead(answer.status ?? 200, { ...answerHeaders(body, requestId), ...answer.headers })
    response.end(body)
  })
  server.on('connection', () => {
    connections += 1
  })

  const endpoint = await listen(server)
  const close = () => closeServer(server)
  return {
    endpoint,
    requests,
    get connections() {
      return connections
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** A checksum that is certainly not the one of this body. */
export function wrongChecksum(body: unknown): string {
  return String((crc32(toBytes(body)) ^ 1) >>> 0)
}

function toBytes(body: unknown): Buffer {
  if (body instanceof Uint8Array) return Buffer.from(body)
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
}
