/**
 * `JSON.parse`, and right where that is wrong. V8 from 12.8 on (Node 24 and 26) may read a name that is written with an
 * escape as another one, which an earlier text had: after `{"a":1,"\\":2}`, the `\n` of `{"a":1,"\n":2}` is a backslash
 * (https://github.com/nodejs/node/issues/63785, open). Attributes may have any names, so all JSON is read here.
 *
 * @throws {SyntaxError} as `JSON.parse` does.
 */
export function parseJson(text: string): unknown {
  const places = text.includes('\\') ? escapedNames(text) : []
  if (places.length === 0) return parse(text)
  // Longer than any of its kind in the text, so that no name is taken for a stand-in.
  let mark = '~'
  for (const [run] of text.matchAll(/~+/g)) if (run.length >= mark.length) mark = `${run}~`
  const names: string[] = []
  let plain = ''
  let taken = 0
  for (const { start, end } of places) {
    plain += `${text.slice(taken, start)}"${mark}${names.length}"`
    names.push(parse(text.slice(start, end)))
    taken = end
  }
  const value: unknown = parse(plain + text.slice(taken))
  putBack(value, names, mark)
  return value
}

/** The text of one string in quotes, which has no names and is safe with the engine. */
export function parseJsonString(text: string): string {
  return parse(text)
}

/** Where names stand, quotes and all, that are written with an escape. */
function escapedNames(text: string): { start: number; end: number }[] {
  const places: { start: number; end: number }[] = []
  for (let at = text.indexOf('\\'); at !== -1; ) {
    const quote = closingQuote(text, at)
    if (quote === -1) break
    // It is the first escape of its string, so the quote before it is the opening one.
    if (isFollowedByColon(text, quote)) places.push({ start: text.lastIndexOf('"', at), end: quote + 1 })
    at = text.indexOf('\\', quote + 1)
  }
  return places
}

/** The quote that closes the string in which an escape begins at `at`; -1 where there is none. */
function closingQuote(text: string, at: number): number {
  for (let position = at; position < text.length; position += 1) {
    const code = text.charCodeAt(position)
    if (code === QUOTE) return position
    if (code === BACKSLASH) position += 1
  }
  return -1
}

function isFollowedByColon(text: string, quote: number): boolean {
  for (let position = quote + 1; ; position += 1) {
    const code = text.charCodeAt(position)
    if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return code === COLON
  }
}

/** Gives members back the names that numbers behind a mark stand for, in their order; nested as deep as it may be. */
function putBack(root: unknown, names: readonly string[], mark: string): void {
  const open = [root]
  while (open.length > 0) {
    const value = open.pop()
    if (typeof value !== 'object' || value === null) continue
    const members = Object.entries(value)
    for (const [, member] of members) open.push(member)
    if (Array.isArray(value) || !members.some(([name]) => name.startsWith(mark))) continue
    for (const [name] of members) delete (value as { [name: string]: unknown })[name]
    for (const [standIn, member] of members) {
      const name = standIn.startsWith(mark) ? names[+standIn.slice(mark.length)]! : standIn
      // Assigning to __proto__ would change what the object is instead of what it holds.
      Object.defineProperty(value, name, { value: member, enumerable: true, configurable: true, writable: true })
    }
  }
}

/** As it is before anybody replaces it. */
const { parse } = JSON

const QUOTE = 34
const COLON = 58
const BACKSLASH = 92
