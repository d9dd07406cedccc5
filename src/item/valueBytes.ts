/** What surrounds a value in its text: `{"S":"` and `"}`. */
const AROUND = 8

/**
 * Bytes that a value counts (developer guide, "DynamoDB item sizes and formats"), by its text in compact DynamoDB JSON
 * from `start` to `end`. Exact for most strings, numbers and bytes; what has parts, escapes or long characters counts as
 * its text does, which is near enough to know its units.
 */
export function valueBytes(text: string, start: number = 0, end: number = text.length): number {
  const isPlain = text.charCodeAt(start + 3) === QUOTE && text.charCodeAt(start + 5) === QUOTE
  if (!isPlain) return Math.max(1, end - start - AROUND)
  const length = end - start - AROUND
  switch (text.charCodeAt(start + 2)) {
    case LETTER_N:
      return 1 + ((length + 1) >> 1)
    case LETTER_B:
      return (length * 3) >> 2
    default:
      return length
  }
}

/** As {@link valueBytes}, of an item in AttributeValue objects. */
export function attributesBytes(attributes: { readonly [name: string]: unknown }): number {
  let bytes = 0
  for (const name in attributes) bytes += name.length + valueBytes(JSON.stringify(attributes[name]))
  return bytes
}

const QUOTE = 34
const LETTER_B = 66
const LETTER_N = 78
