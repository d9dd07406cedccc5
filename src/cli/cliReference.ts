import { type Command, SECTIONS } from './command.ts'
import { COMMANDS } from './commandList.ts'
import { defaultOf } from './helpText.ts'
import { GROUPS, type Option } from './option.ts'

/** The page docs/reference/cli.md: every command and every option, from their declarations. */
export function cliReference(): string {
  const parts = [
    '# Command line',
    '<!-- Generated from src/cli by npm run reference. -->',
    'Every command and every option. `headrace COMMAND --help` prints the common options, `--help --all` prints all of them.',
    'Data goes to standard output; progress, warnings and errors go to standard error. [Jobs](jobs.md) lists the exit statuses.',
    index(),
  ]
  for (const section of SECTIONS) {
    parts.push(`## ${section}`)
    for (const command of COMMANDS) if (command.section === section) parts.push(...describe(command))
  }
  return `${parts.join('\n\n')}\n`
}

function index(): string {
  const rows = COMMANDS.map(
    ({ name, summary }) => `| [\`${name}\`](#headrace-${name.replaceAll(' ', '-')}) | ${cell(summary)} |`,
  )
  return ['| command | what it does |', '|---|---|', ...rows].join('\n')
}

function describe(command: Command): string[] {
  const usage = ['Usage: headrace', command.name, command.arguments, '[options]'].filter((part) => part !== '').join(' ')
  const parts = [`### headrace ${command.name}`, `${command.summary}. ${command.description ?? ''}`.trim()]
  parts.push(`\`\`\`\n${usage}\n\`\`\``)
  parts.push(`Examples:\n\n\`\`\`\n${command.examples.map((example) => `$ ${example}`).join('\n')}\n\`\`\``)
  const rows = GROUPS.flatMap((group) => command.options.filter((option) => option.group === group)).map(row)
  if (rows.length > 0)
    parts.push(['| option | meaning | default | in the library |', '|---|---|---|---|', ...rows].join('\n'))
  return parts
}

function row(option: Option): string {
  const { flag, description, choices, library } = option
  const accepted = choices === undefined ? '' : `: ${choices.map((choice) => `\`${choice}\``).join(', ')}`
  const fallback = option.isRequired ? 'required' : (defaultOf(option) ?? '')
  return `| \`${flag}\` | ${cell(description)}${accepted} | ${cell(fallback)} | ${library === undefined ? '' : `\`${library}\``} |`
}

/** Text between the bars of a table. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('{{', '&#123;&#123;')
}
