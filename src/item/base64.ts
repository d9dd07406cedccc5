const OTHER_THAN_BASE64 = /[^A-Za-z0-9+/]/

/** The bytes that a standard, padded base64 text stands for; undefined for any other text. */
export function bytesFromBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  if (OTHER_THAN_BASE64.test(text.slice(0, text.length - padding))) return undefined
  // A copy, since small Buffers share memory with others, and since what callers get should be no Buffer.
  return new Uint8Array(Buffer.from(text, 'base64'))
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}
