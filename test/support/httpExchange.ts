import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { crc32 } from 'node:zlib'

/** The pieces of HTTP that the scripted server and the fault proxy share. */

const TARGET_PREFIX = 'DynamoDB_20120810.'

export function operationOf(request: IncomingMessage): string {
  const target = String(request.headers['x-amz-target'] ?? '')
  return target.startsWith(TARGET_PREFIX) ? target.slice(TARGET_PREFIX.length) : target
}

export async function readBody(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** The headers that the service puts on every answer, with a checksum that is right. */
export function answerHeaders(body: Buffer, requestId: string): Record<string, string> {
  return {
    'content-type': 'application/x-amz-json-1.0',
    'content-length': String(body.length),
    'x-amzn-requestid': requestId,
    'x-amz-crc32': String(crc32(body)),
  }
}

/** Cuts the connection with a TCP reset, as a load balancer that lost its backend does. */
export function reset(request: IncomingMessage): void {
  request.socket.resetAndDestroy()
}

/** Sends the head, which promises the whole body, and half of the body; then cuts the connection. */
export function sendHalf(
  response: ServerResponse,
  status: number,
  headers: Record<string, string | string[]>,
  body: Buffer,
): void {
  response.writeHead(status, headers)
  response.write(body.subarray(0, body.length >> 1), () => response.socket?.destroy())
}

/** Listens on a free port of the loopback interface; gives the endpoint. */
export async function listen(server: Server): Promise<string> {
  // Idle connections stay, so that the only faults are those that a test asked for.
  server.keepAliveTimeout = 60_000
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve())
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Ends at once, stalled requests included. */
export async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeAllConnections()
  await closed
}
