import { HeadraceError } from '../index.ts'

/** What a command's exit status says; `--help` lists them. */
export const EXIT = {
  done: 0,
  failure: 1,
  usage: 2,
  rejects: 3,
  configuration: 4,
  refused: 5,
  limit: 6,
  interrupted: 130,
  terminated: 143,
} as const

export function exitCodeOf(error: unknown): number {
  if (error instanceof TypeError) return EXIT.usage
  if (!(error instanceof HeadraceError)) return EXIT.failure
  switch (error.code) {
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
