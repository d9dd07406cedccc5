import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { HeadraceError } from '../index.ts'
import type { LivePage } from '../report/livePage.ts'
import type { LiveContent } from '../report/liveView.ts'

export interface LiveServerOptions {
  /** Of the loopback interface, 0 for any that is free. */
  readonly port: number
  readonly page: LivePage
  /** What there is to be seen now. Asked for only while somebody looks. */
  readonly content: () => LiveContent
  /** Told, once, of what keeps it from being shown; nothing more is shown then. */
  readonly onFailure: (error: unknown) => void
  /**
   * Does what the page asks for.
   *
   * @returns what was done, for people
   * @throws {TypeError} for what can not be done
   */
  readonly onWish: ((wish: unknown) => string) | undefined
}

type Refusal = [status: number, words: string]

/** One page that looks. */
interface Follower {
  readonly response: ServerResponse
  /** The sections that it has. */
  readonly sent: Map<string, string>
  /** Times that it was passed over, since it had not taken what was sent before. */
  behind: number
}

/** What there is to be seen is made for at most this part of the process's time, however large the job. */
const SHARE_MAX = 0.05
const FOLLOWERS_MAX = 16
const CONNECTIONS_MAX = 64
const BEHIND_MAX = 10
const WISH_BYTES_MAX = 1_000
const REQUEST_MS_MAX = 10_000
/** The job has ended; who does not take its last words by then is left with those before. */
const GOODBYE_MS = 500
const FOR_THE_PAGE = 'only the live page may use this address'
const LOOPBACK_NAMES = new Set(['127.0.0.1', 'localhost', '[::1]'])

/**
 * One page for whoever has its address, on this machine. The address has a random token. The page is asked for by a name of
 * this machine and no other, so that no page of others can come by it by naming itself so (DNS rebinding); what changes
 * something must also come from the page itself.
 */
export class LiveServer {
  readonly url: string
  readonly #options: LiveServerOptions
  readonly #server: Server
  readonly #token: Buffer
  readonly #followers = new Set<Follower>()
  #restUntil = 0
  #hasFailed = false

  private constructor(options: LiveServerOptions, server: Server, token: string) {
    this.#options = options
    this.#server = server
    this.#token = digest(token)
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/${token}/`
    server.on('request', (request, response) => {
      // Who has gone away has nothing to be told.
      response.on('error', () => response.destroy())
      this.#answer(request, response)
    })
    // A connection that could not be taken, such as for want of a file descriptor, is nothing to end a job for.
    server.on('error', (error) => this.#fail(error))
  }

  /** @throws {HeadraceError} `CONFIGURATION` where nothing can listen at the port */
  static async start(options: LiveServerOptions): Promise<LiveServer> {
    const server = createServer({ requestTimeout: REQUEST_MS_MAX, headersTimeout: REQUEST_MS_MAX })
    server.maxConnections = CONNECTIONS_MAX
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen(options.port, '127.0.0.1', resolve)
      })
    } catch (error) {
      const message = `cannot serve the live page on port ${options.port}: ${(error as Error).message}. Choose another port (--ui 0 picks a free one)`
      throw new HeadraceError('CONFIGURATION', message, { cause: error })
    }
    return new LiveServer(options, server, randomBytes(24).toString('base64url'))
  }

  /** Shows what there is now to those who look; to be called about once a second. */
  show(): void {
    const begunAt = performance.now()
    if (this.#followers.size === 0 || begunAt < this.#restUntil) return
    this.#showAll()
    this.#restUntil = begunAt + (performance.now() - begunAt) / SHARE_MAX
  }

  /** Shows how it ended, and lets go of everybody. Takes half a second at most. */
  async close(): Promise<void> {
    if (this.#followers.size > 0) this.#showAll()
    // A response is over before its last words have left; its connection, which serves no other, closes when they have.
    const goodbyes = [...this.#followers].map(
      ({ response }) => new Promise<void>((resolve) => response.socket?.once('close', () => resolve())),
    )
    // In this order: a server that closes cuts off whatever has nothing more to write, though it may not have left yet.
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const { response } of this.#followers) response.end('event: end\ndata: {}\n\n')
    let late: NodeJS.Timeout | undefined
    const patience = new Promise<void>((resolve) => {
      late = setTimeout(resolve, GOODBYE_MS)
    })
    await Promise.race([Promise.all(goodbyes), patience])
    clearTimeout(late)
    this.#server.closeAllConnections()
    await closed
  }

  #showAll(): void {
    const content = this.#content()
    if (content === undefined) return
    for (const follower of this.#followers) this.#send(follower, content)
  }

  /** A page that can not be shown is no reason to end the job. */
  #content(): LiveContent | undefined {
    if (this.#hasFailed) return undefined
    try {
      return this.#options.content()
    } catch (error) {
      this.#fail(error)
      return undefined
    }
  }

  #fail(error: unknown): void {
    if (this.#hasFailed) return
    this.#hasFailed = true
    this.#options.onFailure(error)
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const refusal = this.#refusalOf(request)
    const name = request.url?.split('/')[2]
    if (refusal !== undefined) refuse(response, ...refusal)
    else if (name === 'events') this.#follow(response)
    else if (name === 'control') this.#control(request, response)
    else this.#sendPage(response)
  }

  #refusalOf({ method, url = '/', headers }: IncomingMessage): Refusal | undefined {
    const { host = '', origin, 'sec-fetch-site': site, 'x-headrace-token': sentToken, 'content-type': type } = headers
    const [, token = '', name, ...rest] = url.split('/')
    if (!LOOPBACK_NAMES.has(host.replace(/:\d+$/, '')))
      return [403, 'open this page by a local address, such as 127.0.0.1']
    if (!this.#isToken(token)) return [403, 'the address is incomplete: use the whole URL that headrace printed']
    if (rest.length > 0 || name === undefined || !['', 'events', 'control'].includes(name)) return [404, 'not found']
    // Whoever has the address may open the page, from wherever a link led to it; the rest is for the page itself.
    if (name !== '' && site !== undefined && site !== 'same-origin') return [403, FOR_THE_PAGE]
    if (method !== (name === 'control' ? 'POST' : 'GET')) return [405, `method ${method} is not allowed`]
    if (name === 'events' && this.#followers.size >= FOLLOWERS_MAX)
      return [503, `${FOLLOWERS_MAX} pages already follow this job: close one of them`]
    if (name !== 'control') return undefined
    if (origin !== `http://${host}` || !this.#isToken(`${sentToken}`)) return [403, FOR_THE_PAGE]
    if (this.#options.onWish === undefined)
      return [403, 'this page is read-only: pass --ui-control to pause the job and set its rates here']
    return type === 'application/json' ? undefined : [415, 'the request body is not valid JSON']
  }

  #sendPage(response: ServerResponse): void {
    const { html, policy } = this.#options.page
    response.writeHead(200, {
      ...HEADERS,
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': policy,
      'x-frame-options': 'DENY',
    })
    response.end(html)
  }

  #follow(response: ServerResponse): void {
    response.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream', connection: 'close' })
    // The page knows that it is heard, also where there is nothing to be shown yet.
    response.flushHeaders()
    const follower: Follower = { response, sent: new Map(), behind: 0 }
    this.#followers.add(follower)
    response.on('close', () => this.#followers.delete(follower))
    const content = this.#content()
    if (content !== undefined) this.#send(follower, content)
  }

  /** What is new to it, as long as it takes what it is sent. */
  #send(follower: Follower, { title, state, sections }: LiveContent): void {
    const { response, sent } = follower
    if (response.writableNeedDrain) {
      follower.behind += 1
      if (follower.behind > BEHIND_MAX) response.destroy()
      return
    }
    follower.behind = 0
    const fresh = [...sections].filter(([name, text]) => sent.get(name) !== text)
    for (const [name, text] of fresh) sent.set(name, text)
    response.write(`event: job\ndata: ${JSON.stringify({ title, state, sections: Object.fromEntries(fresh) })}\n\n`)
  }

  #control(request: IncomingMessage, response: ServerResponse): void {
    const pieces: Buffer[] = []
    let bytes = 0
    request.on('data', (piece: Buffer) => {
      bytes += piece.length
      if (bytes <= WISH_BYTES_MAX) pieces.push(piece)
    })
    request.on('end', () => {
      if (bytes > WISH_BYTES_MAX) refuse(response, 413, 'the request body is too long')
      else this.#grant(Buffer.concat(pieces).toString(), response)
    })
  }

  #grant(text: string, response: ServerResponse): void {
    try {
      const done = this.#options.onWish!(JSON.parse(text))
      response.writeHead(200, { ...HEADERS, 'content-type': 'text/plain; charset=utf-8' }).end(done)
      this.show()
    } catch (error) {
      const isAsked = error instanceof TypeError || error instanceof SyntaxError
      refuse(response, isAsked ? 400 : 500, error instanceof Error ? error.message : `${error}`)
    }
  }

  /** In the same time whatever it is. */
  #isToken(text: string): boolean {
    return timingSafeEqual(digest(text), this.#token)
  }
}

/** Of every answer: nothing is kept, guessed at, or told to others. */
const HEADERS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
}

function refuse(response: ServerResponse, status: number, words: string): void {
  response.writeHead(status, { ...HEADERS, 'content-type': 'text/plain; charset=utf-8', connection: 'close' })
  response.end(`${words}\n`)
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
