import { decodeItemText } from '../item/decode.ts'
import { ItemEncoder } from '../item/encode.ts'
import { itemKey, type KeySchema, keyNamesOf } from '../item/itemKey.ts'
import { parseJson } from '../runtime/parseJson.ts'
import type { ChangePlan } from './changeBatch.ts'
import type { Conflict, ConflictLook } from './conflictResolver.ts'

/**
 * One write on its way. Made once, when it is taken, and never rebuilt: going again is the same object going again.
 *
 * An entry is in exactly one place, and `state` names it:
 *
 * ```
 *   buffered ──> in flight ──> settled (stored, refused, or a conflict)
 *      ^             │  └──> resolving ──> settled: its condition did not hold, and why is being found out
 *      └── delayed <─┘ again
 *   following: another entry of its key is in flight or delayed; buffered when that one is settled
 *   superseded: a later put or delete of its key was taken before this one left; settled with it
 * ```
 *
 * Entries that were stored are used again for others, so that the garbage collector has none of them to copy. Whoever is
 * told that an entry is stored must not keep it.
 */
export class Entry {
  kind: 'put' | 'delete' | 'change' = 'put'
  /**
   * What goes on the wire: `{"PutRequest":{"Item":…}}`, `{"DeleteRequest":{"Key":…}}`, or the parameters of a change. These
   * bytes of a slab.
   */
  buffer: Buffer | undefined = undefined
  start = 0
  end = 0
  /** Of a change; undefined for puts and deletes. */
  plan: ChangePlan | undefined = undefined
  /** Of the primary key, see `keyHash`. */
  keyHash = 0
  /** 32 more bits of the key, see `keyCheck`; 0 where nobody counts keys. */
  keyCheck = 0
  /** Bytes on the wire, about. */
  wireBytes = 0
  /** Estimate before sending. */
  units = 0
  /** Where its acknowledgement goes. */
  owner: EntryOwner
  /** Whatever its owner needs to know it by: a place in a file, a page of a scan. */
  origin: unknown = undefined
  /** Which of several sources it comes from: what is throttled goes again in this order, see `AsideQueue`. */
  lane = 0
  state: 'buffered' | 'in flight' | 'resolving' | 'delayed' | 'following' | 'superseded' | 'settled' = 'buffered'
  tries = 0
  /** Set aside before it was tried: its partition key is hot. */
  isAside = false
  /** An earlier try may have taken effect though it was not acknowledged. */
  ambiguous = false
  /** Dialects of PartiQL in which a change of several clauses was refused, though another of them may be understood. */
  dialectsRefused = 0
  /** The entry of the same key that waits for this one, and the one that this one waits for. */
  next: Entry | undefined = undefined
  previous: Entry | undefined = undefined
  /** The earlier put or delete that this one stands for. */
  superseded: Entry | undefined = undefined
  epoch: Epoch

  constructor(owner: EntryOwner, epoch: Epoch) {
    this.owner = owner
    this.epoch = epoch
  }

  /** Nothing is kept alive by an entry that lies idle. */
  release(): void {
    this.buffer = undefined
    this.plan = undefined
    this.origin = undefined
    this.tries = 0
    this.isAside = false
    this.ambiguous = false
    this.dialectsRefused = 0
  }

  /** The item (put) or key (delete) in DynamoDB JSON. */
  get text(): string {
    return unwrapEntry(this.kind === 'put' ? 'put' : 'delete', this.buffer!.toString('utf8', this.start, this.end))
  }
}

const PUT_HEAD = '{"PutRequest":{"Item":'
const DELETE_HEAD = '{"DeleteRequest":{"Key":'
const TAIL = '}}'

/** Encodes items (put) or keys (delete) in the form in which an entry carries them. */
export function entryEncoder(kind: 'put' | 'delete'): ItemEncoder {
  return new ItemEncoder(kind === 'put' ? PUT_HEAD : DELETE_HEAD, TAIL)
}

/** A key in DynamoDB JSON, in the form in which an entry carries a deletion. */
export function deletionText(keyText: string): string {
  return `${DELETE_HEAD}${keyText}${TAIL}`
}

/** The item (put) or key (delete) of what {@link entryEncoder} made, in DynamoDB JSON. */
export function unwrapEntry(kind: 'put' | 'delete', text: string): string {
  return text.slice(kind === 'put' ? PUT_HEAD.length : DELETE_HEAD.length, -TAIL.length)
}

/** The primary key as one string, see `itemKey`. Read from the entry's bytes, so for rare use. */
export function entryKey(entry: Entry, schema: KeySchema): string {
  return itemKey(decodeItemText(entryKeyText(entry, schema)), schema)
}

/** The value of the partition key in DynamoDB JSON. Read from the entry's bytes, so for rare use. */
export function entryPartition(entry: Entry, schema: KeySchema): string {
  const attributes = parseJson(entryKeyText(entry, schema)) as { [name: string]: unknown }
  return JSON.stringify(attributes[schema.partition.name])
}

/** The item (put) or the key (delete, change) in DynamoDB JSON. */
export function entryKeyText(entry: Entry, schema: KeySchema): string {
  const { plan, buffer } = entry
  if (plan === undefined) return entry.text
  const parameters = parseJson(`[${buffer!.toString('utf8', entry.start, entry.end)}]`) as unknown[]
  const names = keyNamesOf(schema)
  return JSON.stringify(
    Object.fromEntries(names.map((name, index) => [name, parameters[plan.setNames.length + index]])),
  )
}

/** Told once how an entry ended. */
export interface EntryOwner {
  onStored(entry: Entry): void
  onRefused(entry: Entry, code: string, message: string): void
  /** What has to be known before it is told of a conflict. Default `doubt`. */
  conflictLook?(entry: Entry): ConflictLook
  /** Another writer was there first; see `ConflictResolver`. Without it, `onRefused` is told, with the code `Conflict`. */
  onConflict?(entry: Entry, conflict: Conflict, message: string): void
}

/** The entries taken between two calls of `flush()`. */
export interface Epoch {
  outstanding: number
  onEmpty: (() => void) | undefined
}
