import { parseJson } from '../runtime/parseJson.ts'

/** @returns why this text of a `LastEvaluatedKey` is not a key; undefined where it may be one */
export function cursorFlaw(text: string): string | undefined {
  const key = parseJson(text)
  if (key === null || typeof key !== 'object' || Array.isArray(key)) return 'which is not a key'
  const values = Object.values(key)
  if (values.length === 0) return 'a key without attributes'
  return values.every(isKeyValue) ? undefined : 'whose attributes are not of type S, N or B'
}

function isKeyValue(value: unknown): boolean {
  if (value === null || typeof value !== 'object') return false
  const entries = Object.entries(value)
  return entries.length === 1 && /^[SNB]$/.test(entries[0]![0]) && typeof entries[0]![1] === 'string'
}
