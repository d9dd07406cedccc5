import { command } from '../command.ts'

const SHELLS = ['bash', 'zsh', 'fish'] as const

export const completion = command({
  name: 'completion',
  arguments: '<shell>',
  section: 'Learn and try',
  summary: 'Print a completion script for bash, zsh or fish',
  examples: [
    'source <(headrace completion bash)',
    'source <(headrace completion zsh)',
    'headrace completion fish > ~/.config/fish/completions/headrace.fish',
  ],
  options: [],
  async run([shell], _, commands) {
    const known = SHELLS.find((name) => name === shell)
    if (known === undefined) throw new TypeError(`no completion for "${shell}": pass ${SHELLS.join(', ')}`)
    const { completionScript } = await import('../completionScript.ts')
    process.stdout.write(completionScript(known, commands))
  },
})
