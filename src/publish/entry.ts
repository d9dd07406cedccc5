import { decodeItemText } from '../item/decode.ts'
import type { Change } from '../item/edit.ts'
import { itemKey, type KeySchema } from '../item/itemKey.ts'
import type { Slab } from './slab.ts'

/**
 * One write on its way. Made once, when it is taken, and never rebuilt: going again is the same object going again.
 *
 * An entry is in exactly one place, and `state` names it:
 *
 * ```
 *   buffered ──> in flight ──> settled (stored or refused)
 *      ^             │
 *      └── delayed <─┘ again
 *   following: another entry of its key is in flight or delayed; buffered when that one is settled
 *   superseded: a later put or delete of its key was taken before this one left; settled with it
 * ```
 */
export class Entry {
  readonly kind: 'put' | 'delete' | 'change'
  /**
   * What goes on the wire, `{"PutRequest":{"Item":…}}` or `{"DeleteRequest":{"Key":…}}`: these bytes of a slab. A change's
   * is made from `change` when it is sent.
   */
  readonly buffer: Buffer | undefined
  readonly start: number
  readonly end: number
  readonly change: Change | undefined
  /** Of the primary key, see `keyHash`. */
  readonly keyHash: number
  /** Bytes on the wire, about. */
  readonly wireBytes: number
  /** Estimate before sending. */
  readonly units: number
  /** Where its acknowledgement goes. */
  readonly owner: EntryOwner
  /** Whatever its owner needs to know it by: a place in a file, a page of a scan. */
  readonly origin: unknown
  state: 'buffered' | 'in flight' | 'delayed' | 'following' | 'superseded' | 'settled' = 'buffered'
  tries = 0
  /** An earlier try may have taken effect though it was not acknowledged. */
  ambiguous = false
  /** The entry of the same key that waits for this one, and the one that this one waits for. */
  next: Entry | undefined = undefined
  previous: Entry | undefined = undefined
  /** The earlier put or delete that this one stands for. */
  superseded: Entry | undefined = undefined
  epoch: Epoch

  constructor(
    kind: Entry['kind'],
    keyHash: number,
    wireBytes: number,
    units: number,
    owner: EntryOwner,
    origin: unknown,
    epoch: Epoch,
    slab: Slab | undefined,
    change: Change | undefined,
  ) {
    this.kind = kind
    this.buffer = slab?.buffer
    this.start = slab === undefined ? 0 : slab.start
    this.end = slab === undefined ? 0 : slab.end
    this.change = change
    this.keyHash = keyHash
    this.wireBytes = wireBytes
    this.units = units
    this.owner = owner
    this.origin = origin
    this.epoch = epoch
  }

  /** The item (put) or key (delete) in DynamoDB JSON. */
  get text(): string {
    const wrapping = this.kind === 'put' ? PUT_HEAD.length : DELETE_HEAD.length
    return this.buffer!.toString('utf8', this.start + wrapping, this.end - TAIL.length)
  }
}

export const PUT_HEAD = '{"PutRequest":{"Item":'
export const DELETE_HEAD = '{"DeleteRequest":{"Key":'
export const TAIL = '}}'

/** The primary key as one string, see `itemKey`. Read from the entry's bytes, so for rare use. */
export function entryKey(entry: Entry, schema: KeySchema): string {
  return itemKey(decodeItemText(entryKeyText(entry, schema)), schema)
}

/** The item (put) or the key (delete, change) in DynamoDB JSON. */
export function entryKeyText(entry: Entry, schema: KeySchema): string {
  const { change } = entry
  if (change === undefined) return entry.text
  const names = schema.sort === undefined ? [schema.partition.name] : [schema.partition.name, schema.sort.name]
  return `{${change.key.map((text, index) => `${JSON.stringify(names[index])}:${text}`).join(',')}}`
}

/** Told once how an entry ended. */
export interface EntryOwner {
  onStored(entry: Entry): void
  onRefused(entry: Entry, code: string, message: string): void
  /**
   * The item is no longer as it was read, or is gone. `ambiguous` in the entry says that its own earlier try may be why.
   */
  onConflict(entry: Entry, message: string): void
}

/** The entries taken between two calls of `flush()`. */
export interface Epoch {
  outstanding: number
  onEmpty: (() => void) | undefined
}
