import type { JobReject } from './reject.ts'

/** A value, a name, or what surrounds a reject. */
const EACH_BYTES = 32
/** No item is deeper, but what is rejected need not be an item: it may hold itself. */
const DEPTH_MAX = 32

/** What a reject takes in memory, about. */
export function rejectBytes({ message, place, item, raw = '', rawBytes }: JobReject): number {
  const bytes = rawBytes?.length ?? 0
  return (
    EACH_BYTES +
    message.length +
    place.length +
    raw.length +
    bytes +
    (item === undefined ? 0 : bytesOf(item, DEPTH_MAX))
  )
}

function bytesOf(value: unknown, depth: number): number {
  if (typeof value === 'string') return EACH_BYTES + value.length
  if (value instanceof Uint8Array) return EACH_BYTES + value.byteLength
  let bytes = EACH_BYTES
  if (typeof value !== 'object' || value === null || depth === 0) return bytes
  if (Array.isArray(value) || value instanceof Set) {
    for (const part of value) bytes += bytesOf(part, depth - 1)
    return bytes
  }
  for (const [name, part] of Object.entries(value)) bytes += name.length + bytesOf(part, depth - 1)
  return bytes
}
