/** Names that a pattern stands for. */
export interface Wildcard {
  /** With what all of them begin. */
  readonly prefix: string
  matches(name: string): boolean
}

/**
 * `*` stands for any characters but `/`, `**` for any at all, `?` for one that is no `/`.
 *
 * @returns undefined for a name that has none of them
 */
export function readWildcard(pattern: string): Wildcard | undefined {
  const first = pattern.search(/[*?]/)
  if (first === -1) return undefined
  const source = pattern
    .split(/(\*\*|\*|\?)/)
    .map((part) => MEANINGS[part] ?? part.replace(/[\\^$.|+()[\]{}/]/g, '\\$&'))
    .join('')
  const expression = new RegExp(`^${source}$`, 's')
  return { prefix: pattern.slice(0, first), matches: (name) => expression.test(name) }
}

const MEANINGS: { readonly [part: string]: string } = { '**': '.*', '*': '[^/]*', '?': '[^/]' }
