import { connect as connectSocket, isIP, isIPv6, type Socket } from 'node:net'
import { connect as connectTls, type SecureContext } from 'node:tls'
import type { HttpProxy } from './proxy.ts'
import { nameAuthority } from './trust.ts'

/** A proxy did not do what was asked of it. */
export class ProxyError extends Error {
  /** Whether the same request would be refused again: it is not allowed, or wants another user name and password. */
  readonly standing: boolean

  constructor(message: string, standing: boolean) {
    super(message)
    this.standing = standing
  }
}

/** Of the head of an answer to CONNECT. */
const HEAD_BYTES_MAX = 16 << 10
const HEAD_END = '\r\n\r\n'

/** Opens a connection to the proxy itself. */
export function connectProxy(proxy: HttpProxy, context: SecureContext | undefined): Socket {
  const { host, port } = proxy
  if (!proxy.secure) return connectSocket({ host, port })
  const socket = connectTls({
    host,
    port,
    ALPNProtocols: ['http/1.1'],
    secureContext: context,
    ...(isIP(host) === 0 ? { servername: host } : {}),
  })
  nameAuthority(socket)
  return socket
}

/**
 * Asks a proxy with CONNECT for a connection to a host (RFC 9110 §9.3.6).
 *
 * @param onOpen told once, of the socket on which the host itself now speaks
 * @param onFailure told of the proxy's refusal, and of errors of the socket, also after it is open
 * @returns the socket to the proxy; to destroy it ends everything
 */
export function openTunnel(
  proxy: HttpProxy,
  context: SecureContext | undefined,
  target: { readonly host: string; readonly port: number },
  onOpen: (socket: Socket) => void,
  onFailure: (error: Error) => void,
): Socket {
  const authority = `${isIPv6(target.host) ? `[${target.host}]` : target.host}:${target.port}`
  const socket = connectProxy(proxy, context)
  let head = ''
  const onReadable = (): void => {
    for (let piece = socket.read() as Buffer | null; piece !== null; piece = socket.read() as Buffer | null) {
      head += piece.toString('latin1')
      const end = head.indexOf(HEAD_END)
      if (end === -1) {
        if (head.length > HEAD_BYTES_MAX) refuse('answered with a header that never ends', false)
        continue
      }
      socket.off('readable', onReadable)
      socket.off('close', onClose)
      const rest = Buffer.from(head.slice(end + HEAD_END.length), 'latin1')
      const line = /^HTTP\/1\.[01] (\d{3})(?: ([^\r\n]*))?/.exec(head)
      const [, status = '', reason = ''] = line ?? []
      if (line === null) {
        refuse('did not answer in HTTP', false)
      } else if (status.startsWith('2')) {
        if (rest.length > 0) socket.unshift(rest)
        onOpen(socket)
      } else {
        refuse(`answered ${`${status} ${reason}`.trim()}${advice(status)}`, status.startsWith('4'))
      }
      return
    }
  }
  const refuse = (text: string, standing: boolean): void => {
    socket.destroy()
    onFailure(new ProxyError(`the proxy ${proxy.name} ${text} when asked for ${authority}`, standing))
  }
  const onClose = (): void => refuse('closed the connection', false)
  socket.on('error', (error: Error) => {
    error.message = `the proxy ${proxy.name}: ${error.message}`
    onFailure(error)
  })
  socket.on('readable', onReadable)
  socket.once('close', onClose)
  socket.once(proxy.secure ? 'secureConnect' : 'connect', () => {
    const credentials = proxy.authorization === undefined ? '' : `proxy-authorization: ${proxy.authorization}\r\n`
    socket.write(`CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\n${credentials}\r\n`)
  })
  return socket
}

function advice(status: string): string {
  return status === '407' ? ' (it needs a user name and password, as in http://USER:PASSWORD@HOST:PORT)' : ''
}
