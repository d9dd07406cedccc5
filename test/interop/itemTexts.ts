import type { Dice } from '../expression/generatedFilters.ts'
import type { Item, Member, Value } from './generatedItems.ts'

// Items as text, with nothing of the product's writers.

/** How JSON is set: on one line, on one line with blanks, or over many lines that end so. */
export interface JsonStyle {
  readonly dice: Dice
  readonly blanks: boolean
  /** Undefined for one line. */
  readonly lineEnd?: string | undefined
}

/** A tree whose leaves are JSON already. */
type Node = string | { readonly members: readonly (readonly [string, Node])[] } | { readonly elements: readonly Node[] }

/** Ordinary JSON; bytes are base64 texts. */
export function plainText(item: Item, style: JsonStyle): string {
  return written(plainMap(item, style.dice), style, '')
}

/** DynamoDB JSON. */
export function typedText(item: Item, style: JsonStyle, isWrapped: boolean): string {
  const node = typedMap(item, style.dice)
  return written(isWrapped ? { members: [['"Item"', node]] } : node, style, '')
}

/** DynamoDB JSON as plainly as can be. */
export function canonicalItem(item: Item): string {
  return written(typedMap(item, undefined), undefined, '')
}

/** What stands in a cell of that type; undefined where it has no such form. */
export function cellText(value: Value, type: string): string | undefined {
  const [kind, content] = Object.entries(value)[0] as [string, unknown]
  if (type === 'ddb') return written(typedNode(value, undefined), undefined, '')
  if (type === 'json') return ['B', 'SS', 'NS', 'BS'].includes(kind) ? undefined : plainLeaf(value)
  if (kind !== type) return undefined
  return type === 'NULL' ? 'null' : `${content}`
}

function plainLeaf(value: Value): string {
  return written(plainNode(value, undefined), undefined, '')
}

function plainMap(members: readonly Member[], dice: Dice | undefined): Node {
  return { members: members.map(([name, value]) => [quoted(name, dice), plainNode(value, dice)] as const) }
}

function plainNode(value: Value, dice: Dice | undefined): Node {
  if ('S' in value) return quoted(value.S, dice)
  if ('N' in value) return value.N
  if ('B' in value) return quoted(value.B, dice)
  if ('BOOL' in value) return `${value.BOOL}`
  if ('NULL' in value) return 'null'
  if ('L' in value) return { elements: value.L.map((one) => plainNode(one, dice)) }
  if ('M' in value) return plainMap(value.M, dice)
  return { elements: [] }
}

function typedMap(members: readonly Member[], dice: Dice | undefined): Node {
  return { members: members.map(([name, value]) => [quoted(name, dice), typedNode(value, dice)] as const) }
}

function typedNode(value: Value, dice: Dice | undefined): Node {
  const [kind, content] = Object.entries(value)[0] as [string, unknown]
  return { members: [[`"${kind}"`, typedContent(value, content, dice)]] }
}

function typedContent(value: Value, content: unknown, dice: Dice | undefined): Node {
  if ('M' in value) return typedMap(value.M, dice)
  if ('L' in value) return { elements: value.L.map((one) => typedNode(one, dice)) }
  if (Array.isArray(content)) return { elements: content.map((one) => quoted(one, dice)) }
  return typeof content === 'string' ? quoted(content, dice) : `${content}`
}

function quoted(text: string, dice: Dice | undefined): string {
  const json = JSON.stringify(text)
  if (dice?.chance(0.1) !== true) return json
  // Other escapes of the same.
  return json.replace(/\/|[\u0080-\u00ff]/g, (one) =>
    one === '/' ? '\\/' : `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function written(node: Node, style: JsonStyle | undefined, indent: string): string {
  if (typeof node === 'string') return node
  const isMap = 'members' in node
  const lineEnd = style?.lineEnd
  const gap = (): string => (style?.blanks === true ? style.dice.pick(['', ' ', '  ', '\t']) : '')
  const inner = lineEnd === undefined ? indent : `${indent}    `
  const parts = isMap
    ? node.members.map(([name, value]) => {
        const colon = lineEnd === undefined ? `${gap()}:${gap()}` : ': '
        return `${name}${colon}${written(value, style, inner)}`
      })
    : node.elements.map((value) => written(value, style, inner))
  const [open, close] = isMap ? ['{', '}'] : ['[', ']']
  if (parts.length === 0) return `${open}${gap()}${close}`
  if (lineEnd !== undefined)
    return `${open}${lineEnd}${inner}${parts.join(`,${lineEnd}${inner}`)}${lineEnd}${indent}${close}`
  return `${open}${gap()}${parts.join(`${gap()},${gap()}`)}${gap()}${close}`
}

/** Amazon Ion text, as an export has it. */
export function ionText(item: Item, dice: Dice): string {
  return `$ion_1_0 {Item:${ionMap(item, dice)}}`
}

function ionMap(members: readonly Member[], dice: Dice): string {
  const named = members.map(([name, value]) => {
    const isSymbol = /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !/^(?:null|true|false|nan)$/.test(name)
    return `${isSymbol && dice.chance(0.7) ? name : ionString(name)}:${ionValue(value, dice)}`
  })
  return `{${named.join(dice.chance(0.2) ? ', ' : ',')}}`
}

function ionValue(value: Value, dice: Dice): string {
  if ('S' in value) return ionString(value.S)
  if ('N' in value) return ionNumber(value.N)
  if ('B' in value) return `{{${value.B}}}`
  if ('BOOL' in value) return `${value.BOOL}`
  if ('NULL' in value) return dice.pick(['null', 'null.null', 'null.string'])
  if ('L' in value) return `[${value.L.map((one) => ionValue(one, dice)).join(',')}]`
  if ('M' in value) return ionMap(value.M, dice)
  const [kind, elements] = Object.entries(value)[0] as [string, readonly string[]]
  const texts = elements.map((one) => (kind === 'SS' ? ionString(one) : kind === 'NS' ? ionNumber(one) : `{{${one}}}`))
  return `$dynamodb_${kind}::[${texts.join(',')}]`
}

/** Ion writes characters above U+FFFF as themselves, or with eight digits. */
function ionString(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function ionNumber(text: string): string {
  const lower = text.toLowerCase().replace('e+', 'e')
  return /[.e]/.test(lower) ? lower.replace('e', 'd') : `${lower}.`
}
