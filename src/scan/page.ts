import { isAscii } from 'node:buffer'
import type { PlainItem } from '../item/attributeValue.ts'
import { type AttributeSpans, decodeItem, type ItemDecoder, UnexpectedText } from '../item/decode.ts'
import { reportedUnits } from '../item/units.ts'
import { attributesBytes, valueBytes } from '../item/valueBytes.ts'
import { parseJson } from '../runtime/parseJson.ts'

/**
 * What one request of a scan brought.
 *
 * @typeParam Item the type of the items. Default: {@link PlainItem}
 * @example
 * for await (const page of table.scan().pages()) console.log(page.segment, page.items.length)
 */
export interface Page<Item extends object = PlainItem> {
  readonly items: readonly Item[]
  readonly segment: number
  /** Where this segment goes on: the text of `LastEvaluatedKey`, whatever that is; undefined at its end. */
  readonly cursor: string | undefined
  /** Items that matched the filter, and items that were looked at. */
  readonly count: number
  readonly scannedCount: number
  /** Read units; undefined where the endpoint does not tell, or tells what no page can consume. */
  readonly consumedUnits: number | undefined
}

/**
 * A page that can also give an attribute's value just as it came, in DynamoDB JSON.
 *
 * @internal
 */
export interface RawPage extends Page {
  /** @returns undefined when the item has no such attribute */
  rawAttribute(itemIndex: number, name: string): string | undefined
  /** The names of an item's attributes, whatever was done to the object since. */
  rawNames(itemIndex: number): readonly string[]
  /** Bytes that an item counts, about. */
  rawBytes(itemIndex: number): number
}

/**
 * Reads the answer to a Scan, its items without the detour over AttributeValue objects.
 *
 * @internal
 * @throws {Error} when it is not such an answer
 */
export function readPage(decoder: ItemDecoder, body: Buffer, segment: number): Page {
  return read(decoder, body, segment, undefined)
}

/**
 * As {@link readPage}, keeping the text for `rawAttribute`.
 *
 * @internal
 */
export function readRawPage(decoder: ItemDecoder, body: Buffer, segment: number): RawPage {
  const spans: AttributeSpans = { itemStarts: [], names: [], starts: [], ends: [] }
  return read(decoder, body, segment, spans)
}

/**
 * As {@link readPage}, handing out each item as soon as it is decoded: what is then dropped dies young, and costs the garbage
 * collector nothing. The page has no items.
 *
 * @internal
 */
export function readPageEach(
  decoder: ItemDecoder,
  body: Buffer,
  segment: number,
  take: (item: PlainItem) => void,
): Page {
  let taken = 0
  const counting = (item: PlainItem): void => {
    taken += 1
    take(item)
  }
  const page = read(decoder, body, segment, undefined, counting)
  // Where the page had to be read once more, the other way.
  for (const item of page.items.slice(taken)) take(item)
  return page
}

function read(
  decoder: ItemDecoder,
  body: Buffer,
  segment: number,
  spans: AttributeSpans | undefined,
  take?: (item: PlainItem) => void,
): RawPage {
  // Where every byte is a character, taking them as such is three times as fast.
  const text = body.toString(isAscii(body) ? 'latin1' : 'utf8')
  const items: PlainItem[] = []
  try {
    const fields = readFields(decoder, text, take ?? ((item) => void items.push(item)), spans)
    const end = (itemIndex: number): number => spans?.itemStarts[itemIndex + 1] ?? spans?.names.length ?? 0
    return assemble(fields, items, segment, {
      rawAttribute: (itemIndex, name) => {
        if (spans === undefined) return undefined
        const stop = end(itemIndex)
        for (let index = spans.itemStarts[itemIndex]!; index < stop; index += 1) {
          if (spans.names[index] === name) return text.slice(spans.starts[index], spans.ends[index])
        }
        return undefined
      },
      rawNames: (itemIndex) => spans?.names.slice(spans.itemStarts[itemIndex], end(itemIndex)) ?? [],
      rawBytes: (itemIndex) => {
        if (spans === undefined) return 0
        let bytes = 0
        const stop = end(itemIndex)
        for (let index = spans.itemStarts[itemIndex]!; index < stop; index += 1) {
          bytes += spans.names[index]!.length + valueBytes(text, spans.starts[index], spans.ends[index])
        }
        return bytes
      },
    })
  } catch (error) {
    if (!(error instanceof UnexpectedText)) throw error
    // Blanks, escapes in names, or a field that is not known: JSON.parse understands all of it.
    const fields = parseJson(text) as Fields & { Items?: { [name: string]: unknown }[] }
    const raw = fields.Items ?? []
    return assemble(fields, raw.map(decodeItem), segment, {
      rawAttribute: (itemIndex, name) => {
        const attributes = raw[itemIndex]
        return attributes !== undefined && Object.hasOwn(attributes, name)
          ? JSON.stringify(attributes[name])
          : undefined
      },
      rawNames: (itemIndex) => Object.keys(raw[itemIndex] ?? {}),
      rawBytes: (itemIndex) => attributesBytes(raw[itemIndex] ?? {}),
    })
  } finally {
    decoder.close()
  }
}

interface Fields {
  Count?: unknown | undefined
  ScannedCount?: unknown | undefined
  LastEvaluatedKey?: unknown | undefined
  ConsumedCapacity?: { CapacityUnits?: unknown } | null | undefined
}

function assemble(
  fields: Fields,
  items: readonly PlainItem[],
  segment: number,
  raw: Pick<RawPage, 'rawAttribute' | 'rawNames' | 'rawBytes'>,
): RawPage {
  const scannedCount = countOf(fields.ScannedCount) ?? items.length
  const units = reportedUnits(fields.ConsumedCapacity?.CapacityUnits)
  return {
    items,
    segment,
    cursor: fields.LastEvaluatedKey === undefined ? undefined : JSON.stringify(fields.LastEvaluatedKey),
    count: countOf(fields.Count) ?? items.length,
    scannedCount,
    // To look at items for nothing is what no endpoint does that counts.
    consumedUnits: units === 0 && scannedCount > 0 ? undefined : units,
    ...raw,
  }
}

function countOf(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined
}

const QUOTE = 34
const COMMA = 44
const COLON = 58
const BRACKET_OPEN = 91
const BRACE_OPEN = 123
const BRACE_CLOSE = 125

function readFields(
  decoder: ItemDecoder,
  text: string,
  take: (item: PlainItem) => void,
  spans: AttributeSpans | undefined,
): Fields {
  const fields: { [name: string]: unknown } = {}
  if (text.charCodeAt(0) !== BRACE_OPEN) throw new UnexpectedText(0)
  let position = 1
  if (text.charCodeAt(1) === BRACE_CLOSE) return fields
  for (;;) {
    if (text.charCodeAt(position) !== QUOTE) throw new UnexpectedText(position)
    const nameEnd = text.indexOf('":', position + 1)
    const name = text.slice(position + 1, nameEnd)
    if (nameEnd === -1 || !/^\w+$/.test(name)) throw new UnexpectedText(position)
    position = nameEnd + 2
    if (name === 'Items' && text.charCodeAt(position) === BRACKET_OPEN) {
      decoder.open(text, position + 1)
      if (spans !== undefined) decoder.record(spans)
      decoder.readItems(take)
      position = decoder.position
    } else {
      const end = valueEnd(text, position)
      fields[name] = parse(text.slice(position, end), position)
      position = end
    }
    const code = text.charCodeAt(position)
    position += 1
    if (code === BRACE_CLOSE) return fields
    if (code !== COMMA) throw new UnexpectedText(position - 1)
  }
}

function parse(text: string, position: number): unknown {
  try {
    return parseJson(text)
  } catch {
    throw new UnexpectedText(position)
  }
}

/** Where the JSON value that begins at `start` ends: at the comma or brace behind it, whatever is inside. */
function valueEnd(text: string, start: number): number {
  let depth = 0
  let inString = false
  for (let position = start; position < text.length; position += 1) {
    const code = text.charCodeAt(position)
    if (inString) {
      if (code === 92) position += 1
      else if (code === QUOTE) inString = false
    } else if (code === QUOTE) {
      inString = true
    } else if (code === BRACE_OPEN || code === BRACKET_OPEN) {
      depth += 1
    } else if (code === BRACE_CLOSE || code === 93) {
      if (depth === 0) return position
      depth -= 1
    } else if (code === COMMA && depth === 0) {
      return position
    } else if (code === COLON && depth === 0) {
      break
    }
  }
  throw new UnexpectedText(start)
}
