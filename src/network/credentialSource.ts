import { ChildProcesses } from '../runtime/childProcesses.ts'
import type { Clock, Timer } from '../runtime/clock.ts'
import { type Deferred, deferred } from '../runtime/deferred.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { explainCredentials } from './explainCredentials.ts'

/** What signs a request. */
export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
  /** When they stop working; undefined for those that do not. */
  readonly expiration?: Date | undefined
}

/** Gives credentials when asked; `forceRefresh` says that those it gave before were refused as expired. */
export type CredentialProvider = (options?: { forceRefresh?: boolean }) => Promise<Credentials>

/** Credentials with less than this left are replaced in the background while they still work. */
const REFRESH_BEFORE_MS = 5 * 60_000
/** Credentials with less than this left are not used any more. */
const UNUSABLE_BEFORE_MS = 10_000
/** A provider that gave credentials before and now fails is asked again no sooner than this. */
const ASK_AGAIN_AFTER_MS = 15_000
/** Longest wait for a provider's answer. Some ask a person for a code. */
export const PROVIDER_MS = 60_000
/** A request that waits for the provider is told that it waits, so that whoever sent it can count that as a failure. */
const WAIT_MS = 2_000

/**
 * Credentials that last longer than a session: at hand at once for each request, renewed before they expire, and dropped
 * when the service calls them expired. A provider that has none any more, because a session is over, is asked again each
 * 15 s, however many requests wait for it: someone may sign in again. No wait for a provider is without a limit, and
 * {@link close} ends all of them, also the processes that the provider has started.
 */
export class CredentialSource {
  readonly #provider: CredentialProvider
  readonly #clock: Clock
  #current: Credentials | undefined
  #asking: Asking | undefined
  #askAgainAt = Number.NEGATIVE_INFINITY
  #force = false
  /** Why the provider failed when it was asked last; undefined when it did not. */
  #failure: HeadraceError | undefined
  #gaveOnce = false
  #tookMs: number | undefined
  #closed = false

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
    if (
      leftMs < REFRESH_BEFORE_MS &&
      this.#asking === undefined &&
      this.#clock.now() >= this.#askAgainAt &&
      !this.#closed
    ) {
      // The old ones still work; a failure shows itself when they no longer do.
      this.#ask().answer.promise.catch(() => undefined)
    }
    return this.#current
  }

  /**
   * How long the provider is not asked again, from 0 to 15,000 ms; undefined when waiting is no use, since it never had
   * any credentials.
   */
  get askAgainInMs(): number | undefined {
    if (this.#asking !== undefined) return 0
    return this.#gaveOnce ? Math.max(0, Math.ceil(this.#askAgainAt - this.#clock.now())) : undefined
  }

  /** How long the provider took for the latest credentials, in milliseconds; undefined where it gave none yet. */
  get tookMs(): number | undefined {
    return this.#tookMs
  }

  /** Whether the provider is being asked for the first time, which may take as long as a person takes. */
  get isFirstAsk(): boolean {
    return this.#asking !== undefined && !this.#gaveOnce
  }

  /**
   * @param waitMs longest wait for a provider that is being asked
   * @throws {HeadraceError} `CREDENTIALS` when the provider has none, had none less than 15 s ago, or has not answered yet;
   *   `CLOSED` after {@link close}
   */
  get(waitMs: number = WAIT_MS): Promise<Credentials> {
    if (this.#closed) return Promise.reject(closedError())
    if (this.#failure !== undefined && this.#gaveOnce && this.#clock.now() < this.#askAgainAt) {
      return Promise.reject(this.#failure)
    }
    const { answer, sinceMs } = this.#asking ?? this.#ask()
    return new Promise((resolve, reject) => {
      const timer = this.#clock.setTimer(() => {
        const seconds = Math.round((this.#clock.now() - sinceMs) / 1_000)
        reject(new HeadraceError('CREDENTIALS', `the credentials provider has not answered for ${seconds} s`))
      }, waitMs)
      answer.promise.then(resolve, reject).finally(() => timer.clear())
    })
  }

  /** The service called these expired: never use them again, and tell the provider so. */
  invalidate(expired: Credentials | undefined): void {
    if (expired !== undefined && expired !== this.#current) return
    this.#current = undefined
    this.#force = true
  }

  /** Ends every wait as `CLOSED`. Credentials that are at hand can still be used. */
  close(): void {
    this.#closed = true
    this.#asking?.end(closedError())
  }

  /** Asks the provider, which is not being asked. */
  #ask(): Asking {
    this.#askAgainAt = this.#clock.now() + ASK_AGAIN_AFTER_MS
    const children = new ChildProcesses()
    const answer = deferred<Credentials>()
    const asking: Asking = {
      answer,
      sinceMs: this.#clock.now(),
      end: (error) => {
        if (this.#asking !== asking) return
        this.#asking = undefined
        timer.clear()
        children.kill()
        answer.reject(error)
      },
    }
    const timer: Timer = this.#clock.setTimer(() => {
      const message = `the credentials provider did not answer within ${PROVIDER_MS / 1_000} s`
      asking.end(this.#fail(new Error(message), children))
    }, PROVIDER_MS)
    this.#asking = asking
    const force = this.#force
    children
      // A provider may also throw before it gives a promise.
      .during(async () => this.#provider(force ? { forceRefresh: true } : {}))
      .then((credentials) => {
        if (this.#asking !== asking) return
        checkPrintable('access key id', credentials.accessKeyId)
        checkPrintable('session token', credentials.sessionToken ?? '')
        this.#asking = undefined
        timer.clear()
        this.#current = credentials
        this.#force = false
        this.#gaveOnce = true
        this.#tookMs = this.#clock.now() - asking.sinceMs
        this.#failure = undefined
        answer.resolve(credentials)
      })
      .catch((error: unknown) => {
        if (this.#asking === asking) asking.end(this.#fail(error, children))
      })
    return asking
  }

  #fail(error: unknown, children: ChildProcesses): HeadraceError {
    // From now on, since a provider may take long to find out that it has none.
    this.#askAgainAt = this.#clock.now() + ASK_AGAIN_AFTER_MS
    this.#failure = new HeadraceError('CREDENTIALS', explainCredentials(error, children.ends), { cause: error })
    return this.#failure
  }
}

/** A question to the provider that is not answered. */
interface Asking {
  readonly answer: Deferred<Credentials>
  readonly sinceMs: number
  /** Gives it up. */
  end(error: HeadraceError): void
}

function closedError(): HeadraceError {
  return new HeadraceError('CLOSED', 'the connection was closed while waiting for credentials')
}

/** These two go into the head of each request as they are. */
function checkPrintable(name: string, text: string): void {
  if (/[^\x20-\x7e]/.test(text)) throw new Error(`the ${name} contains a line break or another invalid character`)
}
