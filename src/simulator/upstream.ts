import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'

export interface UpstreamAnswer {
  readonly status: number
  readonly body: Buffer
}

/** Longer than any store on this machine takes. */
const ANSWER_MS_MAX = 60_000
/** Headers that end at each hop, and those that a changed body makes wrong. */
const NOT_PASSED_ON = ['connection', 'transfer-encoding', 'content-length', 'accept-encoding', 'host', 'expect']

/** The store behind a gateway, over plain HTTP. */
export class Upstream {
  readonly #url: URL
  readonly #agent = new Agent({ keepAlive: true })

  /** @throws {TypeError} for what is no plain HTTP address */
  constructor(url: string) {
    this.#url = URL.canParse(url) ? new URL(url) : new URL('none:')
    if (this.#url.protocol !== 'http:')
      throw new TypeError(`upstream must be an address such as http://localhost:8000, not "${url}"`)
  }

  /**
   * @param headers the client's; a signature goes on as it came, though the body may be another: stores do not check it
   * @param operation sent in place of the client's
   */
  ask(headers: IncomingHttpHeaders, operation: string, body: Buffer): Promise<UpstreamAnswer> {
    const passed = Object.fromEntries(Object.entries(headers).filter(([name]) => !NOT_PASSED_ON.includes(name)))
    passed['x-amz-target'] = `DynamoDB_20120810.${operation}`
    passed['content-length'] = `${body.length}`
    const { hostname, port } = this.#url
    const options = { host: hostname.replace(/^\[|\]$/g, ''), port, method: 'POST', path: '/', headers: passed }
    return new Promise((resolve, reject) => {
      const exchange = request({ ...options, agent: this.#agent, timeout: ANSWER_MS_MAX }, (response) => {
        readBody(response).then((answer) => resolve({ status: response.statusCode ?? 500, body: answer }), reject)
      })
      exchange.on('timeout', () => exchange.destroy(new Error(`no answer within ${ANSWER_MS_MAX / 1_000} s`)))
      exchange.on('error', reject)
      exchange.end(body)
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}

/** All bytes of a request or an answer; rejects when it ends before it is whole. */
export async function readBody(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk)
  return Buffer.concat(chunks)
}
