import { createInterface } from 'node:readline/promises'
import { printable } from '../runtime/printable.ts'

/** Asks a question that is answered with y or n, on a terminal. */
export async function agree(question: string): Promise<boolean> {
  const prompt = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await prompt.question(printable(`${question} [y/N] `))
  prompt.close()
  return /^y(?:es)?$/i.test(answer.trim())
}

/**
 * Nothing with items in it goes unless its name was typed, or `--yes` was.
 *
 * @param does what is about to happen, such as `This drops table "users" with everything in it`
 * @throws {TypeError} when it was not, or nobody can be asked
 */
export async function confirm(does: string, name: string, yes: boolean): Promise<void> {
  if (yes) return
  if (process.stdin.isTTY !== true) throw new TypeError(`${does}. Say --yes where nobody can be asked`)
  const prompt = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await prompt.question(printable(`${does}. Type its name to go on: `))
  prompt.close()
  if (answer.trim() !== name) throw new TypeError('nothing was changed: the name was not typed')
}
