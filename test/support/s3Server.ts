import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { type FauxqsServer, startFauxqs } from 'fauxqs'
import { closeServer, listen } from './httpExchange.ts'

/** An S3 server on this machine, with one bucket; what it takes to reach it is in the environment while it runs. */
export interface S3Server extends AsyncDisposable {
  readonly endpoint: string
  readonly bucket: string
  readonly environment: { readonly [name: string]: string }
}

export async function startS3Server(options: { readonly conditionalWrites?: boolean } = {}): Promise<S3Server> {
  const server: FauxqsServer = await startFauxqs({ port: 0, logger: false })
  const bucket = 'headrace-test'
  server.createBucket(bucket)
  const front = options.conditionalWrites === true ? await startFront(server.port) : undefined
  const endpoint = front?.endpoint ?? server.address
  const environment = {
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  }
  Object.assign(process.env, environment)
  const stop = async (): Promise<void> => {
    await front?.close()
    await server.stop()
  }
  return { endpoint, bucket, environment, [Symbol.asyncDispose]: stop }
}

/** The server does not know of `If-None-Match: *`; here, of several writes with it at once one succeeds (user guide, "Conditional writes"). */
async function startFront(port: number): Promise<{ endpoint: string; close(): Promise<void> }> {
  /** The latest write of each object. */
  const writes = new Map<string, Promise<void>>()
  const pass = (exchange: IncomingMessage, answer: ServerResponse): Promise<void> =>
    new Promise((resolve) => {
      const { method, headers, url } = exchange
      const passed = request({ host: '127.0.0.1', port, method, path: url, headers }, (reply) => {
        answer.writeHead(reply.statusCode!, reply.headers)
        reply.pipe(answer).on('close', resolve)
      })
      passed.on('error', (error) => {
        answer.destroy(error)
        resolve()
      })
      exchange.pipe(passed)
    })
  const exists = (path: string): Promise<boolean> =>
    new Promise((resolve, reject) => {
      request({ host: '127.0.0.1', port, method: 'HEAD', path }, (reply) => resolve(reply.resume().statusCode === 200))
        .on('error', reject)
        .end()
    })
  const front = createServer((exchange, answer) => {
    if (exchange.headers['if-none-match'] !== '*') {
      void pass(exchange, answer)
      return
    }
    const path = exchange.url!.split('?')[0]!
    const write = (writes.get(path) ?? Promise.resolve()).then(async () => {
      if (!(await exists(path))) return pass(exchange, answer)
      exchange.resume()
      const body =
        '<Error><Code>PreconditionFailed</Code><Message>At least one of the pre-conditions did not hold</Message></Error>'
      answer.writeHead(412, { 'content-type': 'application/xml' }).end(body)
    })
    writes.set(path, write)
  })
  return { endpoint: await listen(front), close: () => closeServer(front) }
}
