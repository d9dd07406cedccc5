/** Where the first JSON value of a text ends, or why it does not. */
export type FirstValue =
  | { readonly state: 'complete'; readonly end: number }
  /** The text ends within the value, which is sound so far. */
  | { readonly state: 'cut' }
  /** What stands there can follow in no JSON. */
  | { readonly state: 'broken'; readonly at: number }

/**
 * Follows the brackets, names and commas of the first value of a text. What is between them (numbers, words, escapes) is not
 * looked at closely: it only has to tell a value that goes on from one that is broken.
 */
export function firstValue(text: string): FirstValue {
  const open: ('{' | '[')[] = []
  let wants: 'value' | 'value or end' | 'name' | 'name or end' | 'colon' | 'comma or end' = 'value'
  for (let at = 0; at < text.length; ) {
    const character = text[at]!
    if (/\s/.test(character)) {
      at += 1
      continue
    }
    const wantsValue: boolean = wants === 'value' || wants === 'value or end'
    const wantsName: boolean = wants === 'name' || wants === 'name or end'
    if (character === '"' && (wantsValue || wantsName)) {
      const end = stringEnd(text, at)
      if (end === 'cut') return { state: 'cut' }
      if (end === 'broken') return { state: 'broken', at }
      at = end
      wants = wantsName ? 'colon' : 'comma or end'
    } else if ((character === '{' || character === '[') && wantsValue) {
      open.push(character)
      wants = character === '{' ? 'name or end' : 'value or end'
      at += 1
    } else if (character === ':' && wants === 'colon') {
      wants = 'value'
      at += 1
    } else if (character === ',' && wants === 'comma or end') {
      wants = open.at(-1) === '{' ? 'name' : 'value'
      at += 1
    } else if (character === '}' || character === ']') {
      const isEnd = wants === 'comma or end' || wants === (character === '}' ? 'name or end' : 'value or end')
      if (!isEnd || open.pop() !== (character === '}' ? '{' : '[')) return { state: 'broken', at }
      wants = 'comma or end'
      at += 1
    } else {
      const word = wantsValue ? /^[-+.\w]+/.exec(text.slice(at, at + 1_000)) : null
      if (word === null) return { state: 'broken', at }
      at += word[0].length
      wants = 'comma or end'
    }
    if (open.length === 0 && wants === 'comma or end') return { state: 'complete', end: at }
  }
  return { state: 'cut' }
}

/** A line's end is in no string. */
function stringEnd(text: string, start: number): number | 'cut' | 'broken' {
  for (let at = start + 1; at < text.length; at += 1) {
    const character = text[at]
    if (character === '\\') at += 1
    else if (character === '"') return at + 1
    else if (character === '\n' || character === '\r') return 'broken'
  }
  return 'cut'
}

/**
 * The members of an object in front of its member of this name, where that is an array of objects.
 *
 * @returns the place of the array's `[`, and the names in front of it
 */
export function arrayMember(
  text: string,
  name: string,
): { readonly at: number; readonly names: readonly string[] } | undefined {
  const names: string[] = []
  let at = text.indexOf('{') + 1
  for (;;) {
    const head = /^[\s,]*("(?:[^"\\]|\\.)*")\s*:\s*/.exec(text.slice(at))
    if (head === null) return undefined
    at += head[0].length
    if (head[1] === JSON.stringify(name)) {
      return /^\[\s*(?:\{|\]|$)/.test(text.slice(at)) ? { at, names } : undefined
    }
    names.push(head[1]!.slice(1, -1))
    const value = firstValue(text.slice(at))
    if (value.state !== 'complete') return undefined
    at += value.end
  }
}
