import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net'
import { HeadraceError } from '../runtime/headraceError.ts'
import { isLoopback } from './loopback.ts'

export type Environment = { readonly [name: string]: string | undefined }

/** An HTTP proxy between this machine and the endpoint. */
export interface HttpProxy {
  /** For messages: the address without user name and password. */
  readonly name: string
  readonly host: string
  readonly port: number
  /** Whether the proxy itself is reached over TLS. */
  readonly secure: boolean
  /** The value of `proxy-authorization`; undefined where the address has no user name. */
  readonly authorization: string | undefined
}

/**
 * Addresses of this host's own metadata and credentials. A proxy would answer with its own identity, or not at all, and
 * what they answer must not leave the machine.
 */
const LINK_LOCAL = new BlockList()
LINK_LOCAL.addSubnet('169.254.0.0', 16, 'ipv4')
LINK_LOCAL.addSubnet('fe80::', 10, 'ipv6')
// Metadata and container credentials over IPv6 (EC2 and EKS user guides).
LINK_LOCAL.addAddress('fd00:ec2::254', 'ipv6')
LINK_LOCAL.addAddress('fd00:ec2::23', 'ipv6')

/**
 * The proxy that a request to this address goes through, from `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`. As with other
 * tools, a name in lower case takes precedence.
 *
 * @returns undefined where the request goes straight to its address
 * @throws {HeadraceError} `CONFIGURATION` for a proxy address that is not valid
 */
export function proxyFor(url: URL, environment: Environment): HttpProxy | undefined {
  const name = url.protocol === 'https:' ? 'https_proxy' : 'http_proxy'
  const variable = environment[name] === undefined ? name.toUpperCase() : name
  const value = environment[variable]?.trim() ?? ''
  if (value === '') return undefined
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase()
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80))
  if (isLoopback(host) || contains(LINK_LOCAL, host)) return undefined
  const excluded = environment['no_proxy'] ?? environment['NO_PROXY'] ?? ''
  if (isExcluded(host, port, excluded)) return undefined
  return parseProxy(variable, value)
}

function parseProxy(variable: string, value: string): HttpProxy {
  let url: URL | undefined
  try {
    url = new URL(/^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`)
  } catch {
    url = undefined
  }
  // The value may hold a password, so no message repeats it.
  if (url === undefined || url.hostname === '') {
    throw new HeadraceError(
      'CONFIGURATION',
      `${variable} is not a valid proxy address: use one such as http://proxy.example.com:3128`,
      { place: { setting: 'proxy' } },
    )
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new HeadraceError(
      'CONFIGURATION',
      `${variable} names a ${url.protocol}// proxy, which Headrace does not support: use an http:// or https:// proxy`,
      { place: { setting: 'proxy' } },
    )
  }
  const secure = url.protocol === 'https:'
  return {
    name: url.origin,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || (secure ? 443 : 80)),
    secure,
    authorization:
      url.username === ''
        ? undefined
        : `Basic ${Buffer.from(`${decode(url.username)}:${decode(url.password)}`).toString('base64')}`,
  }
}

/** A `%` that begins no escape stands for itself, as people write passwords. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Whether `NO_PROXY` lists this host: by `*`, its name, a suffix of it, an address or a range of them, each with or without a port. */
function isExcluded(host: string, port: number, list: string): boolean {
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => entry !== '' && matches(entry, host, port))
}

function matches(entry: string, host: string, port: number): boolean {
  if (entry === '*') return true
  const range = /^\[?([\da-f.:]+)\]?\/(\d{1,3})$/.exec(entry)
  if (range !== null) return isInRange(host, range[1]!, Number(range[2]))
  const withPort = isIPv6(entry) ? null : /^(.+):(\d{1,5})$/.exec(entry)
  if (withPort !== null && Number(withPort[2]) !== port) return false
  const name = (withPort?.[1] ?? entry).replace(/^\[|\]$/g, '')
  if (isIP(name) !== 0) return contains(listOf(name), host)
  const suffix = name.replace(/^\*?\.?/, '')
  return suffix !== '' && (host === suffix || host.endsWith(`.${suffix}`))
}

function isInRange(host: string, start: string, bits: number): boolean {
  const family = isIP(start)
  if (family === 0 || bits > (family === 4 ? 32 : 128)) return false
  const list = new BlockList()
  list.addSubnet(start, bits, family === 4 ? 'ipv4' : 'ipv6')
  return contains(list, host)
}

function listOf(address: string): BlockList {
  const list = new BlockList()
  list.addAddress(address, isIPv4(address) ? 'ipv4' : 'ipv6')
  return list
}

function contains(list: BlockList, host: string): boolean {
  const family = isIP(host)
  return family !== 0 && list.check(host, family === 4 ? 'ipv4' : 'ipv6')
}
