import { base64 } from './base64.ts'
import { NumberValue } from './number.ts'

/** Deeper than any item; what is deeper still holds itself. */
const DEPTH_MAX = 200

/**
 * An item as DynamoDB JSON, whatever it holds: unlike `encodeItem` it knows no limits, so that what cannot be stored can be
 * written down with all its types, put right and loaded again.
 *
 * What has no type in DynamoDB is written as `{"unsupported":"Date","shown":"2026-11-30T…"}`, which no decoder takes for a
 * value: nothing becomes something else unseen.
 */
export function typedText(item: object): string {
  return isPlainObject(item) ? mapText(item, 0) : unsupported(item)
}

function valueText(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
      return `{"S":${JSON.stringify(value)}}`
    case 'number':
    case 'bigint':
      return `{"N":"${value}"}`
    case 'boolean':
      return `{"BOOL":${value}}`
    case 'object':
      return value === null ? '{"NULL":true}' : objectText(value, depth)
    default:
      return unsupported(value)
  }
}

function objectText(value: object, depth: number): string {
  if (depth >= DEPTH_MAX) return '{"unsupported":"what is nested this deep","shown":"…"}'
  if (value instanceof NumberValue) return `{"N":"${value.text}"}`
  if (value instanceof Uint8Array) return `{"B":"${base64(value)}"}`
  if (value instanceof Set) return setText(value)
  if (Array.isArray(value)) return `{"L":[${Array.from(value, (part) => valueText(part, depth + 1)).join(',')}]}`
  return isPlainObject(value) ? `{"M":${mapText(value, depth + 1)}}` : unsupported(value)
}

function mapText(map: { readonly [name: string]: unknown }, depth: number): string {
  const members = Object.entries(map).filter(([, value]) => value !== undefined)
  return `{${members.map(([name, value]) => `${JSON.stringify(name)}:${valueText(value, depth)}`).join(',')}}`
}

/** A set that is empty or of several kinds is written as it is, and is no set of DynamoDB. */
function setText(set: ReadonlySet<unknown>): string {
  const [first] = set
  const kind = typeof first === 'string' || first === undefined ? 'SS' : first instanceof Uint8Array ? 'BS' : 'NS'
  const elements = Array.from(set, (element) => {
    if (kind === 'SS' && typeof element === 'string') return JSON.stringify(element)
    if (kind === 'BS' && element instanceof Uint8Array) return `"${base64(element)}"`
    if (kind === 'NS' && element instanceof NumberValue) return `"${element.text}"`
    if (kind === 'NS' && (typeof element === 'number' || typeof element === 'bigint')) return `"${element}"`
    return valueText(element, 1)
  })
  return `{"${kind}":[${elements.join(',')}]}`
}

function unsupported(value: unknown): string {
  const kind = typeof value === 'object' ? (value?.constructor?.name ?? 'object') : typeof value
  let shown: string
  try {
    shown =
      value instanceof Map
        ? JSON.stringify([...value])
        : typeof value === 'object'
          ? JSON.stringify(value)
          : String(value)
  } catch (error) {
    shown = `cannot be shown: ${error instanceof Error ? error.message : error}`
  }
  return `{"unsupported":${JSON.stringify(kind)},"shown":${JSON.stringify(shown ?? '')}}`
}

function isPlainObject(value: object): value is { readonly [name: string]: unknown } {
  if (Array.isArray(value) || value instanceof Set || value instanceof Uint8Array || value instanceof NumberValue)
    return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null
}
