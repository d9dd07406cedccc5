import { type AgentOptions, type ClientRequest, Agent as HttpAgent, type RequestOptions } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { isIPv6 } from 'node:net'
import type { Duplex } from 'node:stream'
import { type ConnectionOptions, connect as connectTls, createSecureContext, type SecureContext } from 'node:tls'
import { systemClock } from '../runtime/clock.ts'
import { type Environment, type HttpProxy, proxyFor } from './proxy.ts'
import { nameAuthority, readTrust } from './trust.ts'
import { connectProxy, openTunnel } from './tunnel.ts'

/** As a request hands it to its agent. */
interface Destination extends ConnectionOptions {
  readonly host: string
  readonly port: number
}

type Connected = (error: Error | null, stream: Duplex) => void

/** A proxy that accepts a connection and then says nothing. */
const TUNNEL_MS = 10_000
const KEPT: AgentOptions = { keepAlive: true, maxSockets: 50 }

/** What the SDK's clients take as `requestHandler`. */
export interface RequestHandlerSettings {
  readonly httpAgent: HttpAgent
  readonly httpsAgent: HttpsAgent
  readonly connectionTimeout: number
  /** Longest silence of a connection. */
  readonly socketTimeout: number
  /** Of one request, however large. */
  readonly requestTimeout: number
  readonly throwOnRequestTimeout: true
}

const CONNECT_MS = 5_000
const SILENCE_MS = 20_000
const REQUEST_MS = 120_000

/**
 * How the SDK's clients send their requests: through the proxies and with the certificate authorities that the
 * environment names. The SDK reads neither `HTTPS_PROXY` nor `AWS_CA_BUNDLE`.
 *
 * @throws {HeadraceError} `CONFIGURATION` for an `AWS_CA_BUNDLE` that cannot be used
 */
export async function sdkRequestHandler(environment: Environment): Promise<RequestHandlerSettings> {
  const authorities = await readTrust(environment)
  return {
    httpAgent: new RoutedHttpAgent(environment),
    httpsAgent: new RoutedHttpsAgent(environment, authorities),
    connectionTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
    requestTimeout: REQUEST_MS,
    throwOnRequestTimeout: true,
  }
}

/** Reaches each host over TLS, straight or through a tunnel. */
class RoutedHttpsAgent extends HttpsAgent {
  readonly #environment: Environment
  readonly #authorities: string[] | undefined
  /** Made for the first connection and kept: to read certificates takes longer than to connect. */
  #context: SecureContext | undefined

  constructor(environment: Environment, authorities: string[] | undefined) {
    super(KEPT)
    this.#environment = environment
    this.#authorities = authorities
  }

  override createConnection(options: RequestOptions, connected: Connected): Duplex | null | undefined {
    this.#context ??= createSecureContext(this.#authorities === undefined ? {} : { ca: this.#authorities })
    const context = this.#context
    const destination: Destination = { ...(options as Destination), secureContext: context }
    const { host, port } = destination
    const proxy = proxyFor(urlOf('https:', host, port), this.#environment)
    if (proxy === undefined) {
      const socket = connectTls(destination)
      nameAuthority(socket)
      return socket
    }
    let told = false
    const tell: Connected = (error, stream) => {
      if (told) return
      told = true
      timer.clear()
      connected(error, stream)
    }
    const tunnel = openTunnel(
      proxy,
      context,
      { host, port },
      (socket) => {
        const { host: _, port: __, ...rest } = destination
        const secured = connectTls({ ...rest, socket })
        nameAuthority(secured)
        tell(null, secured)
      },
      (error) => tell(error, undefined as never),
    )
    const timer = systemClock.setTimer(() => tunnel.destroy(), TUNNEL_MS, true)
    return undefined
  }
}

/** Sends over plain HTTP, straight or to a proxy that passes it on. */
class RoutedHttpAgent extends HttpAgent {
  readonly #environment: Environment
  /** By the name under which the agent keeps the connections of one destination. */
  readonly #proxies = new Map<string, HttpProxy>()

  constructor(environment: Environment) {
    super(KEPT)
    this.#environment = environment
  }

  /** Node's own way in; a request that goes to a proxy names its host in its first line. */
  addRequest(request: ClientRequest, options: RequestOptions): void {
    const { host, port } = options as Destination
    const url = urlOf('http:', host, port)
    const proxy = proxyFor(url, this.#environment)
    if (proxy !== undefined) {
      this.#proxies.set(url.host, proxy)
      request.path = `${url.origin}${request.path}`
      if (proxy.authorization !== undefined) request.setHeader('proxy-authorization', proxy.authorization)
    }
    const next = HttpAgent.prototype as unknown as { addRequest(request: ClientRequest, options: RequestOptions): void }
    next.addRequest.call(this, request, options)
  }

  override createConnection(options: RequestOptions, connected: Connected): Duplex | null | undefined {
    const { host, port } = options as Destination
    const proxy = this.#proxies.get(urlOf('http:', host, port).host)
    return proxy === undefined ? super.createConnection(options, connected) : connectProxy(proxy, undefined)
  }
}

function urlOf(protocol: string, host: string, port: number): URL {
  return new URL(`${protocol}//${isIPv6(host) ? `[${host}]` : host}:${port}`)
}
