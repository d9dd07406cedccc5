import type { Clock } from '../runtime/clock.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import type { Credentials } from './signer.ts'

/** Gives credentials when asked; `forceRefresh` says that those it gave before were refused as expired. */
export type CredentialProvider = (options?: { forceRefresh?: boolean }) => Promise<Credentials>

/** Credentials with less than this left are replaced in the background while they still work. */
const REFRESH_BEFORE_MS = 5 * 60_000
/** Credentials with less than this left are not used any more. */
const UNUSABLE_BEFORE_MS = 10_000
/** A provider that gave credentials before and now fails is asked again no sooner than this. */
const ASK_AGAIN_AFTER_MS = 15_000

/**
 * Credentials that last longer than a session: at hand at once for each request, renewed before they expire, and dropped
 * when the service calls them expired. A provider that has none any more, because a session is over, is asked again each
 * 15 s, however many requests wait for it: someone may sign in again.
 */
export class CredentialSource {
  readonly #provider: CredentialProvider
  readonly #clock: Clock
  #current: Credentials | undefined
  #asking: Promise<Credentials> | undefined
  #askAgainAt = Number.NEGATIVE_INFINITY
  #force = false
  /** Why the provider failed when it was asked last; undefined when it did not. */
  #failure: HeadraceError | undefined
  #gaveOnce = false

  constructor(provider: CredentialProvider, clock: Clock) {
    this.#provider = provider
    this.#clock = clock
  }

  /** Usable credentials, or undefined when {@link get} must be awaited. */
  current(): Credentials | undefined {
    const expiresAt = this.#current?.expiration?.getTime()
    if (expiresAt === undefined) return this.#current
    const leftMs = expiresAt - this.#clock.wallNow()
    if (leftMs < UNUSABLE_BEFORE_MS) return undefined
    if (leftMs < REFRESH_BEFORE_MS && this.#asking === undefined && this.#clock.now() >= this.#askAgainAt) {
      // The old ones still work; a failure shows itself when they no longer do.
      this.get().catch(() => undefined)
    }
    return this.#current
  }

  /**
   * How long the provider is not asked again, from 0 to 15,000 ms; undefined when it never had any credentials, so that
   * waiting is no use.
   */
  get askAgainInMs(): number | undefined {
    return this.#gaveOnce ? Math.max(0, Math.ceil(this.#askAgainAt - this.#clock.now())) : undefined
  }

  /**
   * @throws {HeadraceError} `CREDENTIALS` when the provider has none, or had none less than 15 s ago
   */
  get(): Promise<Credentials> {
    if (this.#failure !== undefined && this.#gaveOnce && this.#clock.now() < this.#askAgainAt) {
      return Promise.reject(this.#failure)
    }
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined
    })
    return this.#asking
  }

  /** The service called these expired: never use them again, and tell the provider so. */
  invalidate(expired: Credentials | undefined): void {
    if (expired !== undefined && expired !== this.#current) return
    this.#current = undefined
    this.#force = true
  }

  async #ask(): Promise<Credentials> {
    this.#askAgainAt = this.#clock.now() + ASK_AGAIN_AFTER_MS
    try {
      const credentials = await this.#provider(this.#force ? { forceRefresh: true } : {})
      checkPrintable('access key id', credentials.accessKeyId)
      checkPrintable('session token', credentials.sessionToken ?? '')
      this.#current = credentials
      this.#force = false
      this.#gaveOnce = true
      this.#failure = undefined
      return this.#current
    } catch (error) {
      const reason = error instanceof Error ? error.message : `${error}`
      // From now on, since a provider may take long to find out that it has none.
      this.#askAgainAt = this.#clock.now() + ASK_AGAIN_AFTER_MS
      this.#failure = new HeadraceError(
        'CREDENTIALS',
        `no AWS credentials: ${reason.replace(/\.$/, '')}. Set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, ` +
          'or sign in with "aws sso login" or "aws login"; for a local DynamoDB give --endpoint-url http://localhost:PORT',
        { cause: error },
      )
      throw this.#failure
    }
  }
}

/** These two go into the head of each request as they are. */
function checkPrintable(name: string, text: string): void {
  if (/[^\x20-\x7e]/.test(text)) throw new Error(`the ${name} has a line break or another character that none has`)
}
