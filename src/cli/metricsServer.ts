import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { HeadraceError, type Summary } from '../index.ts'
import { prometheusText } from '../report/prometheusText.ts'

export interface MetricsServer {
  /** `http://HOST:PORT/metrics` */
  readonly url: string
  close(): void
}

/** Scrapers are few; who holds a connection open and asks for nothing is let go. */
const CONNECTIONS_MAX = 16
const IDLE_MS = 10_000

/**
 * Serves a job's figures to a scraper while it runs.
 *
 * @param place `9464`, on this machine alone, or `0.0.0.0:9464`; port 0 for any that is free
 * @throws {HeadraceError} `CONFIGURATION` where it can not listen there
 */
export async function serveMetrics(place: string, progress: () => Summary): Promise<MetricsServer> {
  const match = /^(?:(.+):)?(\d{1,5})$/.exec(place)
  if (match === null) throw new TypeError(`--metrics-port: "${place}" is not a port or HOST:PORT`)
  const host = (match[1] ?? '127.0.0.1').replace(/^\[(.*)\]$/, '$1')
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url?.split('?')[0] !== '/metrics') {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('metrics are at /metrics\n')
      return
    }
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8', 'cache-control': 'no-store' })
    response.end(prometheusText(progress()))
  })
  server.maxConnections = CONNECTIONS_MAX
  server.requestTimeout = IDLE_MS
  server.keepAliveTimeout = IDLE_MS
  try {
    server.listen(Number(match[2]), host)
    await once(server, 'listening')
  } catch (error) {
    const reason = error instanceof Error ? error.message : `${error}`
    throw new HeadraceError('CONFIGURATION', `cannot serve metrics at ${place}: ${reason}. Choose another port`, {
      cause: error,
    })
  }
  const { port } = server.address() as AddressInfo
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}/metrics`,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
