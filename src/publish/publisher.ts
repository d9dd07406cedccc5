import type { PlainItem } from '../item/attributeValue.ts'
import { decodeItemText } from '../item/decode.ts'
import type { Changes } from '../item/edit.ts'
import { encodeItem } from '../item/encode.ts'
import { ItemError } from '../item/itemError.ts'
import { describeItemKey, type KeySchema } from '../item/itemKey.ts'
import { keyHash } from '../item/keyHash.ts'
import { writeUnits } from '../item/units.ts'
import { counted } from '../runtime/counted.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { withSignal } from '../runtime/unlessAborted.ts'
import { type Rate, shareOf } from '../throughput/rate.ts'
import type { SharedRate } from '../throughput/sharedRate.ts'
import { CHANGE_HEAD_BYTES } from './changeBatch.ts'
import type { Conflict } from './conflictResolver.ts'
import { type Entry, type EntryOwner, entryEncoder, entryKeyText, unwrapEntry } from './entry.ts'
import type { PublishEngine } from './publishEngine.ts'
import { NO_STATS, type PublisherStats } from './publisherStats.ts'

export interface PublisherOptions {
  /** Entries at the service at once, 1 to 100,000. Each 25 need a connection. Default 1,000. */
  readonly maxInFlight?: number | undefined
  /** Entries waiting to be sent before `put` says `false`, 1 to 10,000,000. Default 10,000. */
  readonly maxQueueSize?: number | undefined
  /** Bytes waiting to be sent before `put` says `false`, from 1 KiB. Default 64 MiB. */
  readonly maxQueueBytes?: number | undefined
  /** Longest that an entry waits for company before a batch goes out that is not full, 0 to 60,000. Default 5. */
  readonly lingerMs?: number | undefined
  /** How long nothing at all may succeed before the publisher fails, from 0. Default 600,000, ten minutes. */
  readonly patienceMs?: number | undefined
  /**
   * Write units to spend a second, of the table and its indexes together, or a part of what the table has, such as `'50%'`.
   * Default `'80%'` of a provisioned table, which leaves room for its application; on demand, what the table turns out to
   * give; on an emulator on this machine, no limit.
   */
  readonly writeUnitsPerSecond?: Rate | undefined
  /** What other processes spend of, too, beside whatever else holds; see `sharedRate`. Default: nothing is shared. */
  readonly sharedWriteRate?: SharedRate | undefined
  /**
   * Told of each entry that can never be stored. Without it the first such entry fails the publisher: silence is never
   * the default.
   */
  readonly onReject?: ((reject: Reject) => void) | undefined
}

/** An entry that can never succeed. */
export interface Reject {
  /** The service's name for the error, or `InvalidItem` where Headrace saw it first. */
  readonly code: string
  readonly message: string
  /** The item (put), or the key (delete, update), as it was given; undefined where it could not be read at all. */
  readonly item: PlainItem | undefined
  readonly kind: 'put' | 'delete' | 'update'
}

/**
 * Takes entries from any number of producers, at the speed of a function call, and writes them in batches.
 *
 * The caller's object is encoded before `put` returns and not kept. There is no promise per entry: `flush()` and
 * `close()` resolve when everything is acknowledged. A publisher shares nothing with others but the connections, so
 * closing one never stops another. A producer may stop calling at any time; `close()` does not wait for it.
 *
 * @typeParam Item the type of the table's items. Default: {@link PlainItem}
 * @example
 * await using publisher = users.publisher()
 * for (const user of imported) if (!publisher.put(user)) await publisher.ready
 */
export class Publisher<out Item extends object = PlainItem> implements AsyncDisposable {
  readonly #onReject: ((reject: Reject) => void) | undefined
  readonly #putEncoder = entryEncoder('put')
  readonly #deleteEncoder = entryEncoder('delete')
  readonly #maxQueueSize: number
  readonly #maxQueueBytes: number
  #engine: PublishEngine | undefined
  #schema: KeySchema | undefined
  #failure: HeadraceError | undefined
  /** Asked for since the publisher was made. */
  #rate: Rate | undefined
  /** The caller has heard of the failure, or asked for the end. */
  #told = false
  /** Everything was acknowledged or rejected, and nothing is taken any more. */
  #isClosed = false
  readonly #opening: Promise<void>
  #endOpening!: () => void
  /** Entries taken before the table's key is known, in their text. */
  #early: ((schema: KeySchema, engine: PublishEngine) => void)[] = []
  #earlyBytes = 0

  /** What the engine tells of entries. */
  readonly #owner: EntryOwner = {
    // Counted by the engine.
    onStored: () => undefined,
    onRefused: (entry, code, message) => this.#onRefused(entry, code, message),
    onConflict: (entry, conflict, message) => this.#onConflict(entry, conflict, message),
  }

  /**
   * Made by `table.publisher()`.
   *
   * @internal
   */
  constructor(
    opening: Promise<{ engine: PublishEngine; schema: KeySchema }>,
    options: {
      maxQueueSize: number
      maxQueueBytes: number
      onReject: ((reject: Reject) => void) | undefined
    },
  ) {
    this.#onReject = options.onReject
    this.#maxQueueSize = options.maxQueueSize
    this.#maxQueueBytes = options.maxQueueBytes
    this.#opening = new Promise((resolve) => {
      this.#endOpening = resolve
    })
    opening
      .then(({ engine, schema }) => this.#open(engine, schema))
      .catch((error: unknown) => this.#failOpening(error))
      .finally(() => this.#endOpening())
  }

  /**
   * Takes an item to be written whole, in place of any that has its key.
   *
   * @returns whether there is room for more; after `false` await {@link ready} before the next
   * @throws {HeadraceError} `CLOSED`, `QUEUE_OVERRUN`, or the reason why the publisher failed
   * @example
   * if (!publisher.put({ id: 'u1', email: 'ann@example.com' })) await publisher.ready
   */
  put(item: Item): boolean {
    this.#check()
    try {
      if (this.#engine !== undefined) return this.#engine.put(item, this.#owner, undefined)
      const text = this.#putEncoder.encode(item)
      return this.#takeEarly('put', text, writeUnits(this.#putEncoder.sizeBytes))
    } catch (error) {
      return this.#rejectInvalid(error, item, 'put')
    }
  }

  /**
   * Takes the key of an item to delete. Deleting an item that does not exist succeeds.
   *
   * @param key the key attributes alone
   * @returns as {@link put}
   * @throws {HeadraceError} as {@link put}
   * @example
   * publisher.delete({ id: 'u1' })
   */
  delete(key: Partial<Item>): boolean {
    this.#check()
    try {
      const text = this.#deleteEncoder.encode(key)
      if (this.#engine === undefined) return this.#takeEarly('delete', text, 1)
      const hash = deleteHash(key, this.#schema!)
      return this.#engine.write('delete', text, Buffer.byteLength(text), hash, 1, this.#owner, undefined)
    } catch (error) {
      return this.#rejectInvalid(error, key, 'delete')
    }
  }

  /**
   * Takes changes of some attributes of an item that exists. A missing item is a reject, and so is one for which
   * `expect` does not hold.
   *
   * @param key the key attributes alone
   * @param changes what to set and remove (`add` needs the item's present value: use `updateAll`)
   * @param options.expect attributes that must be equal to these values, or missing where `undefined`. Default: none
   * @returns as {@link put}
   * @throws {HeadraceError} as {@link put}
   * @example
   * publisher.update({ id: 'u1' }, { set: { tier: 'gold' } }, { expect: { tier: 'silver' } })
   */
  update<Of extends Item = Item>(
    key: Partial<Item>,
    // With a parameter of its own, a publisher of users is one of anything that users are.
    changes: NoInfer<Omit<Changes<Of>, 'add'>>,
    options: { readonly expect?: { readonly [Name in keyof Item]?: Item[Name] | undefined } | undefined } = {},
  ): boolean {
    this.#check()
    const expect = options.expect ?? NOTHING_EXPECTED
    const given = changes as Omit<Changes, 'add'>
    try {
      if (this.#engine === undefined) return this.#updateEarly(key, given, expect)
      return this.#engine.update(key, given, expect, this.#owner, undefined)
    } catch (error) {
      return this.#rejectInvalid(error, key, 'update')
    }
  }

  /** Resolves when there is room; rejects with the reason when the publisher has failed. */
  get ready(): Promise<void> {
    if (this.#engine === undefined && this.#failure === undefined) return this.#opening.then(() => this.ready)
    const ready = this.#failure === undefined ? this.#engine!.ready : Promise.reject(this.#failure)
    ready.catch(() => {
      this.#told = true
    })
    return ready
  }

  /**
   * Puts every item of a source, at the publisher's speed.
   *
   * @param options.signal aborting stops reading the source; items already put are still written. Default: none
   * @throws {HeadraceError} as {@link put}; the signal's reason when it aborts
   * @example
   * await publisher.publish(readUsers(), { signal: AbortSignal.timeout(60_000) })
   */
  async publish(
    source: Iterable<Item> | AsyncIterable<Item>,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<void> {
    const { signal } = options
    signal?.throwIfAborted()
    if (signal === undefined) {
      for await (const item of source) if (!this.put(item)) await this.ready
      return
    }
    const items = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
    try {
      for (;;) {
        const { value, done } = await withSignal(signal, async () => items.next())
        if (done === true) return
        if (!this.put(value)) await withSignal(signal, () => this.ready)
      }
    } catch (error) {
      // A source that is still busy with its next item ends when it has it; nobody waits for that.
      Promise.resolve(items.return?.()).catch(() => undefined)
      throw error
    }
  }

  /**
   * Resolves when everything taken before is acknowledged or rejected.
   *
   * @param options.signal aborting ends the wait, not the writes. Default: none
   * @throws {HeadraceError} the reason why the publisher failed; the signal's reason when it aborts
   * @example
   * await publisher.flush()
   */
  async flush(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    await withSignal(options.signal, () => this.#settle((engine) => engine.flush()))
  }

  /**
   * Takes nothing more; resolves when everything is acknowledged or rejected.
   *
   * @param options.signal aborting ends the wait, not the writes: call {@link destroy} to drop them. Default: none
   * @throws {HeadraceError} the reason why the publisher failed; the signal's reason when it aborts
   * @example
   * await publisher.close()
   */
  async close(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    await withSignal(options.signal, () => this.#close())
  }

  async #close(): Promise<void> {
    // What was closed well stays so, whatever is said to it afterwards.
    if (this.#isClosed) return
    await this.#settle((engine) => engine.close())
    this.#isClosed = true
  }

  async #settle(how: (engine: PublishEngine) => Promise<void>): Promise<void> {
    try {
      await this.#opening
      if (this.#failure !== undefined) throw this.#failure
      await how(this.#engine!)
    } catch (error) {
      this.#told = true
      throw error
    }
  }

  /**
   * Another rate from now on, see {@link PublisherOptions.writeUnitsPerSecond}.
   *
   * @throws {TypeError} for what is no rate
   */
  setRate(writeUnitsPerSecond: Rate): void {
    shareOf('writeUnitsPerSecond', writeUnitsPerSecond)
    this.#rate = writeUnitsPerSecond
    this.#engine?.setRate(writeUnitsPerSecond)
  }

  /** Gives up, at once, what is not acknowledged yet. What is at the service may still be written. */
  destroy(): void {
    if (this.#isClosed) return
    const reason = new HeadraceError('CLOSED', 'the publisher was destroyed')
    this.#failure ??= reason
    this.#told = true
    this.#early = []
    this.#engine?.destroy(reason)
    this.#endOpening()
  }

  get stats(): PublisherStats {
    const stats = this.#engine?.stats ?? NO_STATS
    const early = this.#early.length
    return early === 0 ? stats : { ...stats, taken: stats.taken + early, buffered: stats.buffered + early }
  }

  /** Closes. A failure that the caller has heard of already is not thrown again: it would hide the first behind another. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#told && (this.#failure ?? this.#engine?.failure) !== undefined) return
    await this.close()
  }

  #onRefused(entry: Entry, code: string, message: string): void {
    const kind = entry.kind === 'change' ? 'update' : entry.kind
    const item = decodeItemText(entryKeyText(entry, this.#schema!))
    this.#report(
      { code, message, item, kind },
      `DynamoDB refuses to ${kind} ${describeItemKey(item, this.#schema!)}: ${message}`,
    )
  }

  #onConflict(entry: Entry, _conflict: Conflict, message: string): void {
    this.#onRefused(entry, 'ConditionalCheckFailedException', message)
  }

  #open(engine: PublishEngine, schema: KeySchema): void {
    if (this.#failure !== undefined) {
      engine.destroy(this.#failure)
      return
    }
    this.#engine = engine
    this.#schema = schema
    if (this.#rate !== undefined) engine.setRate(this.#rate)
    const early = this.#early
    this.#early = []
    for (const take of early) take(schema, engine)
  }

  #failOpening(error: unknown): void {
    this.#early = []
    this.#failure ??=
      error instanceof HeadraceError
        ? error
        : new HeadraceError('REFUSED', error instanceof Error ? error.message : `${error}`, { cause: error })
  }

  #takeEarly(kind: 'put' | 'delete', text: string, units: number): boolean {
    const bytes = Buffer.byteLength(text)
    return this.#pushEarly(bytes, (schema, engine) => {
      const item = decodeItemText(unwrapEntry(kind, text))
      try {
        const hash = kind === 'delete' ? deleteHash(item, schema) : keyHash(item, schema)
        engine.write(kind, text, bytes, hash, units, this.#owner, undefined)
      } catch (error) {
        this.#rejectInvalid(error, item, kind)
      }
    })
  }

  #updateEarly(key: PlainItem, changes: Omit<Changes, 'add'>, expect: { readonly [name: string]: unknown }): boolean {
    // Checked and copied now; the caller may change its objects.
    const frozen = snapshot(key, changes, expect)
    return this.#pushEarly(frozen.bytes, (_schema, engine) => {
      try {
        engine.update(frozen.key, frozen.changes, frozen.expect, this.#owner, undefined)
      } catch (error) {
        this.#rejectInvalid(error, frozen.key, 'update')
      }
    })
  }

  #pushEarly(bytes: number, take: (schema: KeySchema, engine: PublishEngine) => void): boolean {
    this.#early.push(take)
    this.#earlyBytes += bytes
    return this.#early.length < this.#maxQueueSize && this.#earlyBytes < this.#maxQueueBytes
  }

  #check(): void {
    if (this.#failure !== undefined) {
      this.#told = true
      throw this.#failure
    }
    const overrun = this.#engine === undefined ? this.#early.length - this.#maxQueueSize : this.#engine.overrun
    if (overrun > this.#maxQueueSize + OVERRUN_ALLOWED) {
      throw new HeadraceError(
        'QUEUE_OVERRUN',
        `the queue has ${counted(overrun, 'item')} more than maxQueueSize: when put() returns false, await publisher.ready before the next call`,
      )
    }
  }

  #rejectInvalid(error: unknown, item: PlainItem, kind: Reject['kind']): boolean {
    if (!(error instanceof ItemError)) {
      this.#told = true
      throw error
    }
    this.#engine?.countInvalid()
    this.#report(
      { code: 'InvalidItem', message: error.message, item, kind },
      `an item cannot be stored: ${error.message}`,
    )
    if (this.#failure !== undefined) throw this.#failure
    return true
  }

  #report(reject: Reject, message: string): void {
    if (this.#onReject === undefined) {
      this.#fail(new HeadraceError('REJECTED', `${message}. Set onReject to continue without such items`))
      return
    }
    try {
      this.#onReject(reject)
    } catch (error) {
      // Nobody was told of the reject, so going on would be silence.
      const reason = error instanceof Error ? error.message : `${error}`
      this.#fail(new HeadraceError('REJECTED', `onReject failed (${reason}) for: ${message}`, { cause: error }))
    }
  }

  #fail(error: HeadraceError): void {
    this.#failure ??= error
    this.#engine?.destroy(error)
  }
}

/** Producers that share a publisher may each overrun by one before they learn of it; there may be many. */
const OVERRUN_ALLOWED = 10_000

const NOTHING_EXPECTED: { readonly [name: string]: unknown } = {}

/**
 * Of a key that is to be deleted. @throws {ItemError} where it is no key, or more than one
 *
 * @internal
 */
export function deleteHash(key: PlainItem, schema: KeySchema): number {
  const hash = keyHash(key, schema)
  const names = schema.sort === undefined ? 1 : 2
  if (Object.keys(key).length !== names) throw new ItemError('a delete takes only the key attributes')
  return hash
}

/** Copies that later changes of the caller's objects do not reach, by way of their text, as all else is taken. */
function snapshot(
  key: PlainItem,
  changes: Omit<Changes, 'add'>,
  expect: { readonly [name: string]: unknown },
): {
  key: PlainItem
  changes: Omit<Changes, 'add'>
  expect: { readonly [name: string]: unknown }
  /** On the wire, about. */
  bytes: number
} {
  let bytes = CHANGE_HEAD_BYTES
  const copy = (item: PlainItem): PlainItem => {
    const text = encodeItem(item)
    bytes += Buffer.byteLength(text)
    return decodeItemText(text)
  }
  const missing = Object.keys(expect).filter((name) => expect[name] === undefined)
  const copies = {
    key: copy(key),
    changes: { set: copy(changes.set ?? {}), remove: [...(changes.remove ?? [])] },
    expect: { ...copy(expect), ...Object.fromEntries(missing.map((name) => [name, undefined])) },
  }
  return { ...copies, bytes }
}
