import { createInterface } from 'node:readline/promises'
import { printable } from '../runtime/printable.ts'

/**
 * Asks a question that is answered with y or n, on a terminal.
 *
 * @param signal ends the wait, which counts as a no
 */
export async function agree(question: string, signal: AbortSignal): Promise<boolean> {
  const prompt = createInterface({ input: process.stdin, output: process.stderr })
  // While it waits, readline takes Ctrl-C for itself.
  prompt.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  try {
    const answer = await prompt.question(printable(`${question} [y/N] `), { signal })
    return /^y(?:es)?$/i.test(answer.trim())
  } catch (error) {
    if (!signal.aborted) throw error
    process.stderr.write('\n')
    return false
  } finally {
    prompt.close()
  }
}

/**
 * Nothing with items in it goes unless its name was typed, or `--yes` was.
 *
 * @param does what is about to happen, such as `This drops table "users" with everything in it`
 * @throws {TypeError} when it was not, or nobody can be asked
 */
export async function confirm(does: string, name: string, yes: boolean): Promise<void> {
  if (yes) return
  if (process.stdin.isTTY !== true) throw new TypeError(`${does}. There is no terminal to ask: pass --yes to confirm`)
  const prompt = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await prompt.question(printable(`${does}. Type its name to confirm: `))
  prompt.close()
  if (answer.trim() !== name) throw new TypeError('nothing was changed: the name you typed does not match')
}
