import type { Server } from 'node:http'
import { request } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { generate } from 'selfsigned'
import { closeServer, listen } from './httpExchange.ts'

export const AUTHORITY_NAME = 'Headrace Test Authority'

export interface PrivateCa {
  /** PEM, of the authority. */
  readonly certificate: string
  /** A key and a certificate that the authority has issued. */
  issue(hostname: string): Promise<{ key: string; cert: string }>
}

/** A certificate authority that nobody knows. */
export async function makePrivateCa(name = AUTHORITY_NAME): Promise<PrivateCa> {
  const root = await generate([{ name: 'commonName', value: name }], {
    keySize: 2048,
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, digitalSignature: true, critical: true },
    ],
  })
  return {
    certificate: root.cert,
    async issue(hostname) {
      const made = await generate([{ name: 'commonName', value: hostname }], {
        keySize: 2048,
        algorithm: 'sha256',
        ca: { key: root.private, cert: root.cert },
        extensions: [
          { name: 'basicConstraints', cA: false },
          { name: 'subjectAltName', altNames: [{ type: 2, value: hostname }] },
        ],
      })
      return { key: made.private, cert: made.cert }
    },
  }
}

/** A server that speaks TLS and passes on what it is asked to a plain server of this machine. */
export async function startTlsFront(
  tls: { readonly key: string; readonly cert: string },
  target: string,
): Promise<{ readonly port: number } & AsyncDisposable> {
  const { hostname, port } = new URL(target)
  const server = createHttpsServer(tls, (sent, answer) => {
    const { method, url } = sent
    // A store may read a bucket from the name that it is called by.
    const headers = { ...sent.headers, host: `${hostname}:${port}` }
    const passed = request({ host: hostname, port, method, path: url, headers }, (reply) => {
      answer.writeHead(reply.statusCode!, reply.headers)
      reply.pipe(answer)
    })
    passed.on('error', () => answer.destroy())
    sent.pipe(passed)
  }) as unknown as Server
  server.on('tlsClientError', () => undefined)
  const endpoint = await listen(server)
  return { port: Number(new URL(endpoint).port), [Symbol.asyncDispose]: () => closeServer(server) }
}
