import { readFile } from 'node:fs/promises'
import { createSecureContext, type PeerCertificate, type TLSSocket } from 'node:tls'
import { HeadraceError } from '../runtime/headraceError.ts'
import type { Environment } from './proxy.ts'

/** Codes of a chain that ends at an authority which is not trusted (OpenSSL, X509_verify_cert_error_string). */
const UNKNOWN_AUTHORITY =
  /^(?:UNABLE_TO_GET_ISSUER_CERT(?:_LOCALLY)?|UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT)$/

/**
 * The certificate authorities of `AWS_CA_BUNDLE`. They take the place of those that Node trusts, as in the AWS CLI; those
 * of `NODE_EXTRA_CA_CERTS` are trusted besides, as Node does.
 *
 * @returns PEM texts; undefined where Node's own authorities are meant
 * @throws {HeadraceError} `CONFIGURATION` for a file that cannot be read or holds no certificate
 */
export async function readTrust(environment: Environment): Promise<string[] | undefined> {
  const path = environment['AWS_CA_BUNDLE']
  if (path === undefined || path === '') return undefined
  let bundle: string
  try {
    bundle = await readFile(path, 'utf8')
    if (!bundle.includes('-----BEGIN ')) throw new Error('it does not contain a certificate in PEM format')
    createSecureContext({ ca: bundle })
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : `${cause}`
    throw new HeadraceError(
      'CONFIGURATION',
      `AWS_CA_BUNDLE names ${path}, which cannot be used: ${reason}. Name a file of CA certificates in PEM format`,
      { cause, place: { setting: 'certificates' } },
    )
  }
  const extra = environment['NODE_EXTRA_CA_CERTS']
  // Node itself warns of a file that cannot be read, and goes on without it.
  const more = extra ? await readFile(extra, 'utf8').catch(() => undefined) : undefined
  return more === undefined ? [bundle] : [bundle, more]
}

/** Whether an error says that a certificate was issued by an authority which is not trusted. */
export function isUnknownAuthority(error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code
  return typeof code === 'string' && UNKNOWN_AUTHORITY.test(code)
}

/**
 * Adds the name of the authority to the error of a handshake that fails for it. Node's own message does not say whose
 * certificate is missing, and after the failure the certificate can no longer be asked for.
 */
export function nameAuthority(socket: TLSSocket): void {
  let issuer: string | undefined
  // Emitted before the chain is judged; where it is not, the message only lacks the name.
  socket.prependListener('secure', () => {
    issuer = topIssuer(socket.getPeerCertificate(true))
  })
  socket.prependListener('error', (error: Error) => {
    if (issuer !== undefined && isUnknownAuthority(error)) error.message += `; it was issued by "${issuer}"`
  })
}

/** Who issued the last certificate of the chain that the server sent. */
function topIssuer(certificate: PeerCertificate | undefined): string | undefined {
  let top = certificate as (PeerCertificate & { issuerCertificate?: PeerCertificate }) | undefined
  while (top?.issuerCertificate !== undefined && top.issuerCertificate !== top) top = top.issuerCertificate
  const { CN, O, OU } = (top?.issuer ?? {}) as { CN?: string; O?: string; OU?: string }
  return CN ?? O ?? OU
}
