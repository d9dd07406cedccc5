import type { Clock } from '../runtime/clock.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import type { Credentials } from './signer.ts'

/** Gives credentials when asked; `forceRefresh` says that those it gave before were refused as expired. */
export type CredentialProvider = (options?: { forceRefresh?: boolean }) => Promise<Credentials>

/** Credentials with less than this left are replaced in the background while they still work. */
const REFRESH_BEFORE_MS = 5 * 60_000
/** Credentials with less than this left are not used any more. */
const UNUSABLE_BEFORE_MS = 10_000
/** A provider that fails is asked again no sooner than this, while the old credentials still work. */
const ASK_AGAIN_AFTER_MS = 15_000

/**
 * Credentials that last longer than a session: at hand at once for each request, renewed before they expire, and dropped
 * when the service calls them expired.
 */
export class CredentialSource {
  readonly #provider: CredentialProvider
  readonly #clock: Clock
  #current: Credentials | undefined
  #asking: Promise<Credentials> | undefined
  #askAgainAt = Number.NEGATIVE_INFINITY
  #force = false

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
   * @throws {HeadraceError} `CREDENTIALS` when the provider has none
   */
  get(): Promise<Credentials> {
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
      this.#current = await this.#provider(this.#force ? { forceRefresh: true } : {})
      this.#force = false
      return this.#current
    } catch (error) {
      const reason = error instanceof Error ? error.message : `${error}`
      throw new HeadraceError(
        'CREDENTIALS',
        `no AWS credentials: ${reason.replace(/\.$/, '')}. Set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, ` +
          'or sign in with "aws sso login" or "aws login"; for a local DynamoDB give --endpoint-url http://localhost:PORT',
        { cause: error },
      )
    }
  }
}
