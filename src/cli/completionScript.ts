import type { Command } from './command.ts'
import type { Option } from './option.ts'

/** A command as completion sees it: its words, its flags, and the values of flags that have few. */
interface Entry {
  readonly words: string
  readonly summary: string
  readonly options: readonly Option[]
}

/** A script that completes commands, options and values. It names all of them, so that nothing is started to complete. */
export function completionScript(shell: 'bash' | 'zsh' | 'fish', commands: readonly Command[]): string {
  const entries = commands.map(({ name, summary, options }): Entry => ({ words: name, summary, options }))
  if (shell === 'fish') return fishScript(entries)
  return shell === 'bash' ? bashScript(entries) : `autoload -U +X bashcompinit && bashcompinit\n${bashScript(entries)}`
}

/** zsh runs it, too. */
function bashScript(entries: readonly Entry[]): string {
  const flags = entries.map(({ words, options }) => `    '${words}') words='${namesOf(options).join(' ')}' ;;`)
  const values = entries.flatMap(({ words, options }) =>
    options
      .filter(({ choices }) => choices !== undefined)
      .map((option) => `    '${words} ${longName(option)}') words='${option.choices!.join(' ')}' ;;`),
  )
  const families = [...childrenOf(entries)].map(
    ([family, children]) => `    '${family}') words='${children.join(' ')}' ;;`,
  )
  return `# headrace completion
_headrace() {
  local current previous command words
  current="\${COMP_WORDS[COMP_CWORD]}"
  previous="\${COMP_WORDS[COMP_CWORD-1]}"
  command="\${COMP_WORDS[1]}"
  words=''
  COMPREPLY=()
  case "$command" in
    ${[...childrenOf(entries).keys()].join('|')})
      if [ "$COMP_CWORD" -gt 2 ]; then command="$command \${COMP_WORDS[2]}"; fi ;;
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '${firstWords(entries).join(' ')}' -- "$current"))
    return
  fi
  case "$command $previous" in
${values.join('\n')}
  esac
  if [ -z "$words" ]; then
    case "$current" in
      -*) case "$command" in
${flags.join('\n')}
      esac ;;
      *) if [ "$COMP_CWORD" -eq 2 ]; then case "$command" in
${families.join('\n')}
      esac; fi ;;
    esac
  fi
  if [ -n "$words" ]; then COMPREPLY=($(compgen -W "$words" -- "$current"));
  else COMPREPLY=($(compgen -f -- "$current")); fi
}
complete -F _headrace headrace
`
}

function fishScript(entries: readonly Entry[]): string {
  const lines = ['# headrace completion']
  const children = childrenOf(entries)
  const first = (word: string, text: string): string =>
    `complete -c headrace -n __fish_use_subcommand -f -a ${word} -d ${quoted(text)}`
  for (const family of children.keys()) lines.push(first(family, `${family} commands`))
  for (const { words, summary, options } of entries) {
    const [family, child] = words.split(' ')
    let condition = `__fish_seen_subcommand_from ${family}`
    if (child === undefined) lines.push(first(words, summary))
    else {
      lines.push(
        `complete -c headrace -n '${condition}; and not __fish_seen_subcommand_from ${children.get(family!)!.join(' ')}' -f -a ${child} -d ${quoted(summary)}`,
      )
      condition += `; and __fish_seen_subcommand_from ${child}`
    }
    for (const option of options) {
      const takes =
        option.choices !== undefined ? ` -x -a '${option.choices.join(' ')}'` : / [<[]/.test(option.flag) ? ' -r' : ''
      lines.push(
        `complete -c headrace -n '${condition}' -l ${longName(option).slice(2)}${takes} -d ${quoted(option.description)}`,
      )
    }
  }
  return `${lines.join('\n')}\n`
}

/** Of `table`: create, describe, wait, drop. */
function childrenOf(entries: readonly Entry[]): Map<string, string[]> {
  const children = new Map<string, string[]>()
  for (const { words } of entries) {
    const [family, child] = words.split(' ')
    if (child !== undefined) children.set(family!, [...(children.get(family!) ?? []), child])
  }
  return children
}

function firstWords(entries: readonly Entry[]): string[] {
  return [...new Set(entries.map(({ words }) => words.split(' ')[0]!))]
}

function namesOf(options: readonly Option[]): string[] {
  return [...options.map(longName), '--help']
}

function longName({ flag }: Option): string {
  return flag.split(' ')[0]!
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
