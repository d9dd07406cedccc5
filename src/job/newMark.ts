import type { Random } from '../runtime/random.ts'

/** Something to know a job or a lock by: eleven characters, 53 bits of chance. */
export function newMark(random: Random): string {
  return Math.floor(random() * Number.MAX_SAFE_INTEGER)
    .toString(36)
    .padStart(11, '0')
}
