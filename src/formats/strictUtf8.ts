import { isAscii } from 'node:buffer'
import { ItemError } from '../item/itemError.ts'
import type { RawRecord } from '../item/rawRecord.ts'

/** The byte order mark. Where files were put together, it stands between records. */
export const MARK: Buffer = Buffer.from('\uFEFF')

export function withoutMark(bytes: Buffer): Buffer {
  const isMarked = bytes[0] === MARK[0] && bytes[1] === MARK[1] && bytes[2] === MARK[2]
  return isMarked ? bytes.subarray(MARK.length) : bytes
}

/** Of a record that is too long to be kept, so much. */
const BEGINNING_BYTES = 64 * 1024

/** Index of the first byte at or after `start` that is not part of well-formed UTF-8, or -1 (Unicode, table 3-7). */
function invalidUtf8At(bytes: Uint8Array, start = 0): number {
  let at = start
  while (at < bytes.length) {
    const first = bytes[at]!
    if (first < 0x80) {
      at += 1
      continue
    }
    const length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0
    // The second byte rules out overlong forms, surrogates, and what lies beyond U+10FFFF.
    const secondMin = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80
    const secondMax = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf
    const second = bytes[at + 1] ?? 0
    if (length === 0 || second < secondMin || second > secondMax) return at
    for (let next = at + 2; next < at + length; next += 1) if (((bytes[next] ?? 0) & 0xc0) !== 0x80) return at
    at += length
  }
  return -1
}

/**
 * @param what the bytes are, for the message
 * @throws {ItemError} naming the first byte that is no UTF-8
 */
export function strictText(bytes: Buffer, what = 'record'): string {
  if (isAscii(bytes)) return bytes.toString('latin1')
  const bad = invalidUtf8At(bytes)
  if (bad === -1) return bytes.toString('utf8')
  const byte = bytes[bad]!.toString(16).padStart(2, '0')
  throw new ItemError(`not valid UTF-8: byte 0x${byte} at offset ${bad} of the ${what}`)
}

/** A record that is too long to be kept: its first 64 KiB. */
export function beginningOf(bytes: Buffer): Pick<RawRecord, 'raw'> {
  let end = Math.min(bytes.length, BEGINNING_BYTES)
  if (end < bytes.length) while (end > BEGINNING_BYTES - 4 && (bytes[end]! & 0xc0) === 0x80) end -= 1
  return { raw: rawText(bytes.subarray(0, end)) }
}

/** Bytes as text; those that are not UTF-8 are written as `\xff`. */
export function rawText(shown: Buffer): string {
  const parts: string[] = []
  let from = 0
  for (let bad = invalidUtf8At(shown); bad !== -1; bad = invalidUtf8At(shown, from)) {
    parts.push(shown.toString('utf8', from, bad), `\\x${shown[bad]!.toString(16).padStart(2, '0')}`)
    from = bad + 1
  }
  parts.push(shown.toString('utf8', from))
  return parts.join('')
}
