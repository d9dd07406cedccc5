import { HeadraceError } from '../runtime/headraceError.ts'

/** Longest piece of an expression that a message quotes. */
const QUOTED_MAX = 24

/**
 * An expression that cannot be used, with the place and what to write there.
 *
 * @param position of the character, from 0 on
 * @param problem what is wrong there and what is expected, as a sentence without a full stop
 */
export function expressionError(source: string, position: number, problem: string): HeadraceError {
  return new HeadraceError('CONFIGURATION', `the expression ${placeIn(source, position)}: ${problem}`, {
    place: { option: 'filter' },
  })
}

function placeIn(source: string, position: number): string {
  if (source.trim() === '') return 'is empty'
  if (position >= source.trimEnd().length) return `ends too early, at character ${source.length + 1}`
  const rest = source.slice(position, position + QUOTED_MAX)
  return `is not valid at character ${position + 1} (${rest}${position + QUOTED_MAX < source.length ? '…' : ''})`
}
