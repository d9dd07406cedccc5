import { createServer, type IncomingMessage, request } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { connect, type Socket } from 'node:net'
import { closeServer, listen } from './httpExchange.ts'

export interface ConnectProxyOptions {
  /** Where hosts really are: `name:port` to a port of this machine. What is not named is answered with 502. */
  readonly hosts: { readonly [authority: string]: number }
  /** `user:password` that it wants. */
  readonly login?: string
  /** What it answers instead of opening a tunnel. */
  readonly status?: number
  /** It is itself reached over TLS. */
  readonly tls?: { readonly key: string; readonly cert: string }
}

export interface ConnectProxy extends AsyncDisposable {
  readonly port: number
  /** What was asked for, in order: `CONNECT host:port`, or `POST http://host/`. */
  readonly asked: readonly string[]
}

/** An HTTP proxy as companies have it: tunnels for TLS, and plain requests that it passes on. */
export async function startConnectProxy(options: ConnectProxyOptions): Promise<ConnectProxy> {
  const { hosts, login, status, tls } = options
  const asked: string[] = []
  const sockets = new Set<Socket>()
  const refusal = (sent: IncomingMessage): number | undefined => {
    const wanted = login === undefined ? undefined : `Basic ${Buffer.from(login).toString('base64')}`
    if (wanted !== undefined && sent.headers['proxy-authorization'] !== wanted) return 407
    return status
  }
  const server = tls === undefined ? createServer() : createHttpsServer(tls)
  server.on('connect', (sent: IncomingMessage, client: Socket, head: Buffer) => {
    asked.push(`CONNECT ${sent.url}`)
    client.on('error', () => undefined)
    const port = hosts[sent.url!]
    const refused = refusal(sent) ?? (port === undefined ? 502 : undefined)
    if (refused !== undefined) {
      client.end(`HTTP/1.1 ${refused} Not Here\r\ncontent-length: 0\r\n\r\n`)
      return
    }
    const upstream = connect({ port: port!, host: '127.0.0.1' }, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      upstream.write(head)
      upstream.pipe(client).pipe(upstream)
    })
    sockets.add(upstream)
    upstream.on('error', () => client.destroy())
    upstream.on('close', () => sockets.delete(upstream))
    client.on('close', () => upstream.destroy())
  })
  server.on('request', (sent, answer) => {
    asked.push(`${sent.method} ${sent.url}`)
    const url = new URL(sent.url!)
    const port = hosts[`${url.hostname}:${url.port || 80}`]
    const refused = refusal(sent) ?? (port === undefined ? 502 : undefined)
    if (refused !== undefined) {
      answer.writeHead(refused).end()
      return
    }
    const passed = request(
      { host: '127.0.0.1', port, method: sent.method, path: url.pathname + url.search, headers: sent.headers },
      (reply) => {
        answer.writeHead(reply.statusCode!, reply.headers)
        reply.pipe(answer)
      },
    )
    passed.on('error', () => answer.destroy())
    sent.pipe(passed)
  })
  server.on('tlsClientError', () => undefined)
  const endpoint = await listen(server as ReturnType<typeof createServer>)
  return {
    port: Number(new URL(endpoint).port),
    asked,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await closeServer(server as ReturnType<typeof createServer>)
    },
  }
}
