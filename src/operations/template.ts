import type { PlainItem } from '../item/attributeValue.ts'
import { ItemEncoder } from '../item/encode.ts'
import type { KeyAttribute, KeySchema } from '../item/itemKey.ts'
import type { Random } from '../runtime/random.ts'

/** Makes item number `index`. The same template, seed and index give the same item. */
export type ItemMaker = (index: number, random: Random) => PlainItem

const PLACEHOLDER = /\{\{\s*([a-z]+)((?:\s+[^{}]*?)?)\s*\}\}/g
const WORDS =
  'river stone cloud north lamp field amber glass harbor meadow copper violet signal paper orchard winter'.split(' ')
const NAMES =
  'Ada Grace Edsger Barbara Donald Frances Niklaus Margaret Alan Radia Ken Lynn Leslie Adele Tony Jean'.split(' ')
const HEX = '0123456789abcdef'

type Generate = (index: number, random: Random) => unknown

/**
 * Compiles a template, which is an item whose texts hold placeholders:
 *
 * | placeholder | gives |
 * |---|---|
 * | `{{index}}` | the item's number, from 0 |
 * | `{{whole LOW HIGH}}` | a whole number, both ends included |
 * | `{{decimal LOW HIGH PLACES}}` | a number with so many places |
 * | `{{pick a\|b\|c}}` | one of these |
 * | `{{word}}`, `{{name}}` | a word, a first name |
 * | `{{hex N}}` | N hexadecimal digits |
 * | `{{flag}}` | true or false |
 * | `{{time FROM TO}}` | a moment between two dates, as ISO 8601 text |
 *
 * A text that is one placeholder and nothing else becomes its value (a number, a boolean); otherwise it is filled in.
 *
 * @throws {TypeError} naming the placeholder that is not known or not rightly used
 */
export function compileTemplate(template: PlainItem): ItemMaker {
  const attributes = Object.entries(template).map(([name, value]) => [name, compileValue(value)] as const)
  return (index, random) => {
    const item: { [name: string]: unknown } = Object.create(null)
    for (const [name, generate] of attributes) item[name] = generate(index, random)
    return item
  }
}

/** An order of a shop, with the key that the table wants: what `generate` makes when it is given no template. */
export function orderTemplate(schema: KeySchema): PlainItem {
  const keyValue = ({ type, name }: KeyAttribute, sort: boolean): unknown => {
    if (type === 'B')
      throw new TypeError(`the key attribute "${name}" is binary: set template (--template) for such a table`)
    if (type === 'N') return '{{index}}'
    return sort ? 'order' : 'order-{{index}}'
  }
  return {
    [schema.partition.name]: keyValue(schema.partition, false),
    ...(schema.sort === undefined ? {} : { [schema.sort.name]: keyValue(schema.sort, true) }),
    customer: '{{name}} {{word}}',
    status: '{{pick new|paid|packed|shipped|returned}}',
    total: '{{decimal 1 500 2}}',
    express: '{{flag}}',
    placedAt: '{{time 2024-01-01 2026-01-01}}',
    lines: [{ article: '{{word}}-{{hex 6}}', pieces: '{{whole 1 9}}' }],
  }
}

/**
 * Fills items up to a size with an attribute `padding`.
 *
 * @param sizeBytes by the service's rules; items that are larger without padding stay as they are
 */
export function padded(make: ItemMaker, sizeBytes: number): ItemMaker {
  const encoder = new ItemEncoder()
  const paddingNameBytes = 'padding'.length
  const filling = 'x'.repeat(Math.max(0, sizeBytes))
  return (index, random) => {
    const item = make(index, random)
    encoder.encode(item)
    const missing = sizeBytes - encoder.sizeBytes - paddingNameBytes
    return missing <= 0 ? item : { ...item, padding: filling.slice(0, missing) }
  }
}

function compileValue(value: unknown): Generate {
  if (typeof value === 'string') return compileText(value)
  if (Array.isArray(value)) {
    const elements = value.map(compileValue)
    return (index, random) => elements.map((generate) => generate(index, random))
  }
  if (value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
    return compileTemplate(value as PlainItem)
  }
  return () => value
}

function compileText(text: string): Generate {
  const parts: (string | Generate)[] = []
  let end = 0
  for (const match of text.matchAll(PLACEHOLDER)) {
    if (match.index > end) parts.push(text.slice(end, match.index))
    parts.push(compilePlaceholder(match[1]!, match[2]!.trim(), match[0]))
    end = match.index + match[0].length
  }
  if (end < text.length) parts.push(text.slice(end))
  const [only] = parts
  if (parts.length === 1 && typeof only === 'function') return only
  if (parts.every((part) => typeof part === 'string')) return () => text
  return (index, random) => {
    let filled = ''
    for (const part of parts) filled += typeof part === 'string' ? part : `${part(index, random)}`
    return filled
  }
}

function compilePlaceholder(name: string, argument: string, whole: string): Generate {
  const words = argument === '' ? [] : argument.split(/\s+/)
  const numbers = words.map(Number)
  const refuse = (usage: string): never => {
    throw new TypeError(`the template placeholder ${whole} is not valid: use ${usage}`)
  }
  switch (name) {
    case 'index':
      return (index) => index
    case 'whole': {
      const [low, high] = numbers
      if (!Number.isInteger(low) || !Number.isInteger(high) || low! > high!) return refuse('{{whole LOW HIGH}}')
      return (_index, random) => low! + Math.floor(random() * (high! - low! + 1))
    }
    case 'decimal': {
      const [low, high, places = 2] = numbers
      if (!Number.isFinite(low) || !Number.isFinite(high) || !(places >= 0 && places <= 10))
        return refuse('{{decimal LOW HIGH PLACES}}')
      const scale = 10 ** places
      return (_index, random) => Math.round((low! + random() * (high! - low!)) * scale) / scale
    }
    case 'pick': {
      const choices = argument.split('|').map((choice) => choice.trim())
      if (argument === '') return refuse('{{pick a|b|c}}')
      return (_index, random) => choices[Math.floor(random() * choices.length)]
    }
    case 'word':
      return (_index, random) => WORDS[Math.floor(random() * WORDS.length)]
    case 'name':
      return (_index, random) => NAMES[Math.floor(random() * NAMES.length)]
    case 'hex': {
      const [digits] = numbers
      if (!Number.isInteger(digits) || digits! < 1 || digits! > 10_000) return refuse('{{hex N}}, N from 1 to 10000')
      return (_index, random) => {
        let text = ''
        for (let count = 0; count < digits!; count += 1) text += HEX[Math.floor(random() * 16)]
        return text
      }
    }
    case 'flag':
      return (_index, random) => random() < 0.5
    case 'time': {
      const [from, to] = words.map((word) => Date.parse(word))
      if (!Number.isFinite(from) || !Number.isFinite(to)) return refuse('{{time 2024-01-01 2026-01-01}}')
      return (_index, random) => new Date(from! + Math.floor(random() * (to! - from!))).toISOString()
    }
    default:
      return refuse('index, whole, decimal, pick, word, name, hex, flag or time')
  }
}
