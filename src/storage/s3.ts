import { setMaxListeners } from 'node:events'
import type { Readable } from 'node:stream'
import type { GetObjectCommandOutput, S3Client, S3ServiceException } from '@aws-sdk/client-s3'
import { CredentialSource, PROVIDER_MS } from '../network/credentialSource.ts'
import { sdkRequestHandler } from '../network/routedAgent.ts'
import { isUnknownAuthority } from '../network/trust.ts'
import { sleep, systemClock } from '../runtime/clock.ts'
import { CursorTrail } from '../runtime/cursorTrail.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { StorageError } from './storageError.ts'

export interface S3Options {
  /** Of the bucket; another one is found out. Default: `AWS_REGION`, or the profile's. */
  readonly region?: string | undefined
  /** Of `~/.aws/config`. Default: `AWS_PROFILE`. */
  readonly profile?: string | undefined
  /** The account, twelve digits, whose bucket it must be: a bucket of that name that is another's is refused. */
  readonly expectedBucketOwner?: string | undefined
  /** How objects are encrypted that are written. Default: as the bucket says. */
  readonly serverSideEncryption?: 'AES256' | 'aws:kms' | 'aws:kms:dsse' | undefined
  /** The key for it, with `aws:kms`. Default: the one that AWS keeps for the account. */
  readonly kmsKeyId?: string | undefined
}

/** What `s3://bucket/key` stands for. */
export interface S3Address {
  readonly bucket: string
  /** Of an object, or what the keys of several begin with. */
  readonly key: string
}

/** An object as it was when it was looked at. */
export interface S3Object {
  readonly sizeBytes: number
  /** Tells its content from any other. */
  readonly etag: string
}

export interface S3Part {
  readonly number: number
  readonly etag: string
  readonly sizeBytes: number
  readonly checksum: string | undefined
}

const ATTEMPTS = 8
/** Between two attempts at a range whose answer was not the range. */
const AGAIN_BASE_MS = 50
const AGAIN_CAP_MS = 2_000
/** Objects that one request removes (API reference, "DeleteObjects"). */
const REMOVES_MAX = 1_000

export function isS3(path: string): boolean {
  return path.startsWith('s3://')
}

/** @throws {TypeError} for what is no such address */
export function readS3Address(text: string): S3Address {
  const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/s.exec(text)
  if (match === null) throw new TypeError(`"${text}" is not a valid S3 address: use s3://BUCKET/KEY`)
  return { bucket: match[1]!, key: match[2] ?? '' }
}

type AwsCredentialIdentity = Awaited<ReturnType<S3Client['config']['credentials']>>
type Module = typeof import('@aws-sdk/client-s3')

/** Objects in S3, over the SDK's client, which is loaded when it is needed first. */
export class S3 {
  readonly options: S3Options
  /** Nobody waits for anything any more. */
  readonly #stop = new AbortController()
  #credentials: CredentialSource | undefined
  #opened: Promise<{ readonly module: Module; readonly client: S3Client }> | undefined

  constructor(options: S3Options = {}) {
    this.options = options
    // Each request listens.
    setMaxListeners(0, this.#stop.signal)
  }

  /** @throws {StorageError} for an object that is not there or may not be read */
  async head(address: S3Address): Promise<S3Object> {
    const found = await this.find(address)
    if (found !== undefined) return found
    throw new StorageError(`There is no object ${nameOf(address)}. Check bucket and key.`, nameOf(address))
  }

  /** As {@link head}; undefined where there is no such object. */
  async find(address: S3Address): Promise<S3Object | undefined> {
    const { module, client } = await this.#open()
    try {
      const answer = await client.send(new module.HeadObjectCommand(this.#place(address)), this.#untilClosed)
      return { sizeBytes: answer.ContentLength ?? 0, etag: answer.ETag ?? '' }
    } catch (error) {
      if (isMissing(error)) return undefined
      throw s3Error(address, error, 'read')
    }
  }

  /**
   * Bytes of an object, as many as asked for, or as many as it has from there on. Each answer is checked: a store or a
   * proxy that ignores the range, gives less, or gives another object is asked again, and refused at last.
   *
   * @param object that is meant: another one that took its name is refused
   * @throws {StorageError} for an object that was replaced, or cannot be read
   */
  async read(
    address: S3Address,
    object: S3Object,
    start: number,
    length: number,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const { module, client } = await this.#open()
    const range: Range = { start, length: Math.min(length, object.sizeBytes - start) }
    for (let attempt = 1; ; attempt += 1) {
      try {
        const answer = await client.send(
          new module.GetObjectCommand({
            ...this.#place(address),
            Range: `bytes=${start}-${start + range.length - 1}`,
            IfMatch: object.etag,
          }),
          { abortSignal: AbortSignal.any([signal, this.#stop.signal]) },
        )
        const flaw = flawOf(answer, object, range)
        if (flaw !== undefined) {
          // What comes may be all of an object that is larger than the memory.
          ;(answer.Body as Partial<Readable> | undefined)?.destroy?.()
          throw new WrongAnswer(flaw)
        }
        const bytes = await answer.Body!.transformToByteArray()
        if (bytes.length === range.length) return bytes
        throw new WrongAnswer(`received ${bytes.length} bytes instead of ${range.length}`)
      } catch (error) {
        if (statusOf(error) === 412) {
          const message = `${nameOf(address)} was replaced while it was read. Read it again from the start.`
          throw new StorageError(message, nameOf(address), { cause: error })
        }
        // The client tries again what fails before an answer begins; a body that breaks off is for whoever reads it.
        const hasAnswer = statusOf(error) !== undefined
        if (signal.aborted || hasAnswer || attempt === ATTEMPTS) {
          throw error instanceof WrongAnswer ? wrongAnswerError(address, range, error) : s3Error(address, error, 'read')
        }
      }
      await sleep(systemClock, Math.min(AGAIN_CAP_MS, AGAIN_BASE_MS * 2 ** (attempt - 1)), signal)
    }
  }

  /** The keys that begin so, in the order of their UTF-8, with what they stand for. */
  async list({ bucket, key }: S3Address): Promise<(S3Object & { readonly key: string })[]> {
    const { module, client } = await this.#open()
    const found: (S3Object & { readonly key: string })[] = []
    let token: string | undefined
    const trail = new CursorTrail(undefined)
    do {
      try {
        const answer = await client.send(
          new module.ListObjectsV2Command({
            Bucket: bucket,
            Prefix: key,
            ContinuationToken: token,
            ...this.#owner,
          }),
          this.#untilClosed,
        )
        for (const { Key, Size, ETag } of answer.Contents ?? [])
          if (Key !== undefined) found.push({ key: Key, sizeBytes: Size ?? 0, etag: ETag ?? '' })
        const next = answer.IsTruncated === true ? answer.NextContinuationToken : undefined
        if (answer.IsTruncated === true && (!next || !trail.isNew(next))) {
          // To follow it would list the same keys for ever.
          const name = nameOf({ bucket, key })
          const told = next ? `the continuation token ${JSON.stringify(next)} again` : 'no continuation token'
          throw new StorageError(
            `cannot list ${name}: the store reports more objects but returns ${told}. Check that the endpoint is S3.`,
            name,
          )
        }
        token = next
      } catch (error) {
        throw s3Error({ bucket, key }, error, 'listed')
      }
    } while (token !== undefined)
    return found
  }

  /** @param replaces whether there may be an object of that name */
  async put(address: S3Address, body: Uint8Array, replaces: boolean): Promise<void> {
    const { module, client } = await this.#open()
    try {
      await client.send(
        new module.PutObjectCommand({
          ...this.#place(address),
          ...this.#encryption,
          Body: body,
          ChecksumAlgorithm: 'CRC32',
          ...(replaces ? {} : { IfNoneMatch: '*' }),
        }),
        this.#untilClosed,
      )
    } catch (error) {
      throw s3Error(address, error, 'written')
    }
  }

  /**
   * Makes an object that nobody has made: of several that try, one succeeds.
   *
   * @returns false where there is one of that name
   */
  async putNew(address: S3Address, body: Uint8Array): Promise<boolean> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.put(address, body, false)
        return true
      } catch (error) {
        const status = error instanceof StorageError ? statusOf(error.cause) : undefined
        if (status === 412) return false
        // Somebody else makes it at the same time, and may fail.
        if (status !== 409 || attempt === ATTEMPTS) throw error
      }
    }
  }

  /** All of an object; undefined where there is none. */
  async get(address: S3Address): Promise<Buffer | undefined> {
    const found = await this.find(address)
    if (found === undefined) return undefined
    if (found.sizeBytes === 0) return Buffer.alloc(0)
    return Buffer.from(await this.read(address, found, 0, found.sizeBytes, this.#stop.signal))
  }

  /** Harmless for objects that are not there. */
  async remove(addresses: readonly S3Address[]): Promise<void> {
    const { module, client } = await this.#open()
    for (let start = 0; start < addresses.length; start += REMOVES_MAX) {
      const some = addresses.slice(start, start + REMOVES_MAX)
      const [{ bucket }] = some as [S3Address]
      const answer = await client
        .send(
          new module.DeleteObjectsCommand({
            Bucket: bucket,
            Delete: { Objects: some.map(({ key }) => ({ Key: key })), Quiet: true },
            ...this.#owner,
          }),
          this.#untilClosed,
        )
        .catch((error: unknown) => {
          throw s3Error(some[0]!, error, 'removed')
        })
      const [failed] = answer.Errors ?? []
      if (failed !== undefined) {
        const name = nameOf({ bucket, key: failed.Key ?? '' })
        throw new StorageError(`cannot delete ${name}: ${failed.Message ?? failed.Code}`, name)
      }
    }
  }

  /** @returns what its parts are to name */
  async beginUpload(address: S3Address): Promise<string> {
    const { module, client } = await this.#open()
    try {
      const answer = await client.send(
        new module.CreateMultipartUploadCommand({
          ...this.#place(address),
          ...this.#encryption,
          ChecksumAlgorithm: 'CRC32',
        }),
        this.#untilClosed,
      )
      return answer.UploadId!
    } catch (error) {
      throw s3Error(address, error, 'written')
    }
  }

  async uploadPart(address: S3Address, uploadId: string, number: number, body: Uint8Array): Promise<S3Part> {
    const { module, client } = await this.#open()
    try {
      const answer = await client.send(
        new module.UploadPartCommand({
          ...this.#place(address),
          UploadId: uploadId,
          PartNumber: number,
          Body: body,
          ChecksumAlgorithm: 'CRC32',
        }),
        this.#untilClosed,
      )
      return { number, etag: answer.ETag!, sizeBytes: body.length, checksum: answer.ChecksumCRC32 }
    } catch (error) {
      throw s3Error(address, error, 'written')
    }
  }

  /**
   * A part that S3 takes from another object.
   *
   * @param etag of that object: another one that took its name is refused
   */
  async copyPart(
    address: S3Address,
    uploadId: string,
    number: number,
    from: S3Address & { readonly etag: string; readonly start: number; readonly sizeBytes: number },
  ): Promise<S3Part> {
    const { module, client } = await this.#open()
    try {
      const answer = await client.send(
        new module.UploadPartCopyCommand({
          ...this.#place(address),
          UploadId: uploadId,
          PartNumber: number,
          CopySource: `${from.bucket}/${from.key.split('/').map(encodeURIComponent).join('/')}`,
          CopySourceRange: `bytes=${from.start}-${from.start + from.sizeBytes - 1}`,
          CopySourceIfMatch: from.etag,
        }),
        this.#untilClosed,
      )
      const { ETag: etag, ChecksumCRC32: checksum } = answer.CopyPartResult!
      return { number, etag: etag!, sizeBytes: from.sizeBytes, checksum }
    } catch (error) {
      throw s3Error(from, error, 'copied')
    }
  }

  /** @returns false where there is no such upload any more */
  async completeUpload(
    address: S3Address,
    uploadId: string,
    parts: readonly S3Part[],
    replaces: boolean,
  ): Promise<boolean> {
    const { module, client } = await this.#open()
    try {
      await client.send(
        new module.CompleteMultipartUploadCommand({
          ...this.#place(address),
          UploadId: uploadId,
          MultipartUpload: {
            Parts: parts.map(({ number, etag, checksum }) => ({
              PartNumber: number,
              ETag: etag,
              ChecksumCRC32: checksum,
            })),
          },
          ...(replaces ? {} : { IfNoneMatch: '*' }),
        }),
        this.#untilClosed,
      )
      return true
    } catch (error) {
      if (isMissing(error)) return false
      throw s3Error(address, error, 'written')
    }
  }

  /** Its parts are dropped; harmless where there is no such upload. */
  async abortUpload(address: S3Address, uploadId: string): Promise<void> {
    const { module, client } = await this.#open()
    try {
      await client.send(
        new module.AbortMultipartUploadCommand({ ...this.#place(address), UploadId: uploadId }),
        this.#untilClosed,
      )
    } catch (error) {
      if (!isMissing(error)) throw s3Error(address, error, 'written')
    }
  }

  /** Releases its sockets. */
  async close(): Promise<void> {
    this.#stop.abort(new Error('the S3 client was closed'))
    if (this.#opened === undefined) return
    this.#credentials?.close()
    const opened = await this.#opened.catch(() => undefined)
    this.#credentials?.close()
    opened?.client.destroy()
  }

  get #untilClosed(): { readonly abortSignal: AbortSignal } {
    return { abortSignal: this.#stop.signal }
  }

  #place({ bucket, key }: S3Address): { Bucket: string; Key: string; ExpectedBucketOwner?: string } {
    return { Bucket: bucket, Key: key, ...this.#owner }
  }

  get #owner(): { ExpectedBucketOwner?: string } {
    const { expectedBucketOwner } = this.options
    return expectedBucketOwner === undefined ? {} : { ExpectedBucketOwner: expectedBucketOwner }
  }

  get #encryption(): {
    ServerSideEncryption?: S3Options['serverSideEncryption']
    SSEKMSKeyId?: string | undefined
  } {
    const { serverSideEncryption, kmsKeyId } = this.options
    return {
      ServerSideEncryption: serverSideEncryption,
      SSEKMSKeyId: kmsKeyId,
    }
  }

  #open(): Promise<{ readonly module: Module; readonly client: S3Client }> {
    this.#opened ??= this.#load()
    return this.#opened
  }

  async #load(): Promise<{ readonly module: Module; readonly client: S3Client }> {
    let module: Module
    try {
      module = await import('@aws-sdk/client-s3')
    } catch (cause) {
      const message = 'S3 needs the package @aws-sdk/client-s3, which is not installed: npm install @aws-sdk/client-s3'
      throw new HeadraceError('CONFIGURATION', message, { cause })
    }
    const { region, profile } = this.options
    const { AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL } = process.env
    const endpoint = AWS_ENDPOINT_URL_S3 ?? AWS_ENDPOINT_URL
    const settings = {
      ...(region === undefined ? {} : { region }),
      ...(profile === undefined ? {} : { profile }),
      // Other stores than Amazon's have no host name for each bucket.
      ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
      followRegionRedirects: true,
      maxAttempts: ATTEMPTS,
      requestHandler: await sdkRequestHandler(process.env),
    }
    // The first one is made for its chain of providers only, which has no deadline and no end of its own.
    const { credentials: provider } = new module.S3Client({
      ...settings,
      ...{ clientConfig: { requestHandler: settings.requestHandler } },
    }).config
    const source = new CredentialSource((options) => provider({ ...options, forceRefresh: true }), systemClock)
    this.#credentials = source
    if (this.#stop.signal.aborted) source.close()
    const client = new module.S3Client({
      ...settings,
      // The same, but for a session token that may be undefined in our type and must be left out in the SDK's.
      credentials: async () => (source.current() ?? (await source.get(PROVIDER_MS))) as AwsCredentialIdentity,
    })
    return { module, client }
  }
}

export function nameOf({ bucket, key }: S3Address): string {
  return `s3://${bucket}/${key}`
}

function statusOf(error: unknown): number | undefined {
  return (error as Partial<S3ServiceException> | undefined)?.$metadata?.httpStatusCode
}

function isMissing(error: unknown): boolean {
  const name = error instanceof Error ? error.name : ''
  return name === 'NotFound' || name === 'NoSuchKey' || name === 'NoSuchUpload' || statusOf(error) === 404
}

interface Range {
  readonly start: number
  readonly length: number
}

/** An answer that is not what was asked for, although its status says so. */
class WrongAnswer extends Error {}

/** What is wrong with an answer to a range; undefined where its head is as it must be. */
function flawOf(answer: GetObjectCommandOutput, object: S3Object, { start, length }: Range): string | undefined {
  if (object.etag !== '' && answer.ETag !== object.etag) {
    return `the answer has the ETag ${answer.ETag ?? '(none)'} instead of ${object.etag}`
  }
  const { ContentRange: range, ContentLength: told } = answer
  if (range === undefined) {
    const isAll = start === 0 && length === object.sizeBytes
    if (!isAll) return 'the answer is the whole object instead of the requested range'
  } else {
    const match = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(range)
    const isRange = match !== null && Number(match[1]) === start && Number(match[2]) === start + length - 1
    const isWhole = match !== null && (match[3] === '*' || Number(match[3]) === object.sizeBytes)
    if (!isRange || !isWhole) {
      return `the answer has the range "${range}" instead of bytes ${start}-${start + length - 1}/${object.sizeBytes}`
    }
  }
  return told !== undefined && told !== length ? `the answer has ${told} bytes instead of ${length}` : undefined
}

function wrongAnswerError(address: S3Address, { start, length }: Range, error: WrongAnswer): StorageError {
  const name = nameOf(address)
  return new StorageError(
    `cannot read ${name}: gave up after ${ATTEMPTS} attempts for bytes ${start} to ${start + length - 1}: ` +
      `${error.message}. Check that the endpoint is S3, not a proxy or cache.`,
    name,
    { cause: error },
  )
}

/** Why it could not be done, and what to do. */
function s3Error(address: S3Address, error: unknown, done: string): unknown {
  if (error instanceof HeadraceError || !(error instanceof Error)) return error
  const name = nameOf(address)
  const sentence = (advice: string): StorageError =>
    new StorageError(`${name} cannot be ${done}: ${advice}`, name, { cause: error })
  if (error.name === 'NoSuchBucket') return sentence(`there is no bucket ${address.bucket}. Check its name.`)
  if (error.name === 'NoSuchUpload')
    return sentence('its upload was aborted, perhaps by a lifecycle rule. Start the job again in another directory.')
  if (isUnknownAuthority(error)) {
    return sentence(
      `the certificate is not trusted (${error.message}). If it is your own, set AWS_CA_BUNDLE or NODE_EXTRA_CA_CERTS to its CA file.`,
    )
  }
  if (error.name === 'CredentialsProviderError') {
    return new HeadraceError(
      'CREDENTIALS',
      `${name} cannot be ${done}: no credentials were found for S3. Set AWS_PROFILE, or sign in with "aws sso login"`,
      {
        cause: error,
      },
    )
  }
  switch (statusOf(error)) {
    case 403:
      return sentence(
        `access is denied (${error.message}). Reading needs s3:GetObject and s3:ListBucket; writing needs s3:PutObject and ` +
          's3:AbortMultipartUpload; an encrypted bucket also needs its KMS key.',
      )
    case 412:
      return sentence('the object already exists. Pass --overwrite to replace it, or choose another name.')
    case 404:
      return sentence('it does not exist. Check bucket and key.')
    default:
      return sentence(error.message)
  }
}
