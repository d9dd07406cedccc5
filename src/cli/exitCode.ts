import type { HeadraceError } from '../index.ts'

/** What a command's exit status says; `--help` lists them. */
export const EXIT = {
  done: 0,
  failure: 1,
  usage: 2,
  rejects: 3,
  configuration: 4,
  refused: 5,
  limit: 6,
  differences: 7,
  interrupted: 130,
  terminated: 143,
} as const

export function exitCodeOf(error: unknown): number {
  if (error instanceof TypeError || (error instanceof Error && error.name === 'ItemError')) return EXIT.usage
  // By name, so that help does not wait for all of Headrace to be loaded.
  if (!(error instanceof Error) || error.name !== 'HeadraceError') return EXIT.failure
  if ((error as HeadraceError).place.option !== undefined) return EXIT.usage
  switch ((error as HeadraceError).code) {
    case 'CREDENTIALS':
    case 'CONFIGURATION':
      return EXIT.configuration
    case 'TABLE':
    case 'DENIED':
    case 'REFUSED':
      return EXIT.refused
    case 'NO_PROGRESS':
      return EXIT.limit
    case 'VISITOR':
      return EXIT.usage
    default:
      return EXIT.failure
  }
}
