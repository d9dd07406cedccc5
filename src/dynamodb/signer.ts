import { createHmac, hash } from 'node:crypto'
import type { Credentials } from '../network/credentialSource.ts'

/** Of SHA-256 (FIPS 180-4). */
const BLOCK_BYTES = 64
const DIGEST_BYTES = 32

/**
 * AWS Signature Version 4 for `POST /` to DynamoDB. What changes by the day (the signing key) and by the second (date
 * and the head of the canonical request) is kept, so that a request costs two SHA-256 and one HMAC.
 *
 * Source: IAM user guide, "Signature Version 4 signing process"; checked in the tests against the SDK's own signer.
 */
export class Signer {
  readonly #host: string
  readonly #region: string
  #credentials: Credentials | undefined
  #second = -1
  #date = ''
  #day = ''
  /** The signing key mixed with HMAC's two pads; the second with room for a digest behind it (RFC 2104). */
  #inner: Buffer = Buffer.alloc(0)
  #outer: Buffer = Buffer.alloc(0)
  #keyOf = ''

  /**
   * @param host as it goes on the wire, with a port where it is not the scheme's own
   */
  constructor(host: string, region: string) {
    this.#host = host
    this.#region = region
  }

  /**
   * The headers of one signed request, names and values in turn.
   *
   * @param target such as `DynamoDB_20120810.BatchWriteItem`
   * @param wallTimeMs the service's time: the machine's, corrected by the skew that has been learnt
   */
  sign(credentials: Credentials, target: string, body: Uint8Array, wallTimeMs: number): string[] {
    this.#tick(credentials, wallTimeMs)
    const { sessionToken } = credentials
    const token = sessionToken === undefined ? '' : `x-amz-security-token:${sessionToken}\n`
    const signedHeaders =
      sessionToken === undefined
        ? 'content-type;host;x-amz-date;x-amz-target'
        : 'content-type;host;x-amz-date;x-amz-security-token;x-amz-target'
    const canonicalRequest =
      `POST\n/\n\ncontent-type:application/x-amz-json-1.0\nhost:${this.#host}\nx-amz-date:${this.#date}\n${token}` +
      `x-amz-target:${target}\n\n${signedHeaders}\n${hash('sha256', body, 'hex')}`
    const scope = `${this.#day}/${this.#region}/dynamodb/aws4_request`
    const stringToSign = `AWS4-HMAC-SHA256\n${this.#date}\n${scope}\n${hash('sha256', canonicalRequest, 'hex')}`
    const signature = this.#hmac(stringToSign)
    const headers = [
      'host',
      this.#host,
      'content-type',
      'application/x-amz-json-1.0',
      'x-amz-date',
      this.#date,
      'x-amz-target',
      target,
      'authorization',
      `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`,
    ]
    if (sessionToken !== undefined) headers.push('x-amz-security-token', sessionToken)
    return headers
  }

  #tick(credentials: Credentials, wallTimeMs: number): void {
    const second = Math.floor(wallTimeMs / 1_000)
    if (second === this.#second && credentials === this.#credentials) return
    this.#second = second
    this.#credentials = credentials
    this.#date = new Date(second * 1_000).toISOString().replace(/[-:]|\.\d{3}/g, '')
    this.#day = this.#date.slice(0, 8)
    const keyOf = `${this.#day}/${credentials.secretAccessKey}`
    if (keyOf === this.#keyOf) return
    this.#keyOf = keyOf
    let key: Buffer | string = `AWS4${credentials.secretAccessKey}`
    for (const part of [this.#day, this.#region, 'dynamodb', 'aws4_request']) {
      key = createHmac('sha256', key).update(part).digest()
    }
    this.#inner = Buffer.alloc(BLOCK_BYTES, 0x36)
    this.#outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES, 0x5c)
    for (const [index, byte] of (key as Buffer).entries()) {
      this.#inner[index]! ^= byte
      this.#outer[index]! ^= byte
    }
  }

  /** Two one-shot hashes over the prepared pads cost half of what an Hmac object does. */
  #hmac(text: string): string {
    const message = Buffer.allocUnsafe(BLOCK_BYTES + text.length)
    this.#inner.copy(message)
    message.write(text, BLOCK_BYTES, 'latin1')
    hash('sha256', message, 'buffer').copy(this.#outer, BLOCK_BYTES)
    return hash('sha256', this.#outer, 'hex')
  }
}
