import { hash } from 'node:crypto'

/** 64 bits of a text, as two signed numbers of 32, which take no memory of their own. */
export interface TextDigest {
  readonly high: number
  readonly low: number
}

/**
 * 64 bits of a text's SHA-256: of 2^64 pairs of different texts one has the same.
 */
export function textDigest(text: string): TextDigest {
  // As a string of bytes: a Buffer for each would cost more than the digest.
  const bytes = hash('sha256', text, 'binary')
  return { high: wordAt(bytes, 0), low: wordAt(bytes, 4) }
}

function wordAt(bytes: string, index: number): number {
  const [first, second] = [bytes.charCodeAt(index), bytes.charCodeAt(index + 1)]
  const [third, fourth] = [bytes.charCodeAt(index + 2), bytes.charCodeAt(index + 3)]
  return (first << 24) | (second << 16) | (third << 8) | fourth
}
