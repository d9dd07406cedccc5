import { type Command, SECTIONS } from './command.ts'
import { COMMANDS } from './commandList.ts'
import { defaultOf } from './helpText.ts'
import { GROUPS, type Option } from './option.ts'
import { COMMON } from './options.ts'

/** The page docs/reference/cli.md: every command and every option, from their declarations. */
export function cliReference(): string {
  const parts = [
    '# Command line',
    '<!-- Generated from src/cli by npm run reference. -->',
    'Every command and every option. `headrace COMMAND --help` prints the common options, `--help --all` prints all of them.',
    'Data goes to standard output; progress, warnings and errors go to standard error. [Jobs](jobs.md) lists the exit statuses.',
    index(),
  ]
  parts.push(
    '## Options of most commands',
    'Commands that connect to DynamoDB have these. The tables below do not repeat them.',
    optionTable(COMMON),
  )
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
  const usage = ['Usage: headrace', command.name, command.arguments, '[options]']
    .filter((part) => part !== '')
    .join(' ')
  const parts = [`### headrace ${command.name}`, `${command.summary}. ${command.description ?? ''}`.trim()]
  parts.push(`\`\`\`\n${usage}\n\`\`\``)
  parts.push(`Examples:\n\n\`\`\`\n${command.examples.map((example) => `$ ${example}`).join('\n')}\n\`\`\``)
  const shared = new Set<Option>(COMMON)
  const isConnected = COMMON.every((option) => command.options.includes(option))
  const own = isConnected ? command.options.filter((option) => !shared.has(option)) : command.options
  if (own.length > 0) parts.push(optionTable(own))
  if (isConnected) parts.push('And the [options of most commands](#options-of-most-commands).')
  return parts
}

function optionTable(options: readonly Option[]): string {
  const rows = GROUPS.flatMap((group) => options.filter((option) => option.group === group)).map(row)
  return ['| option | meaning | default | in the library |', '|---|---|---|---|', ...rows].join('\n')
}

function row(option: Option): string {
  const { flag, description, choices, library } = option
  const accepted = choices === undefined ? '' : `: ${choices.map((choice) => `\`${choice}\``).join(', ')}`
  const fallback = option.isRequired ? 'required' : (defaultOf(option) ?? '')
  return `| \`${flag}\` | ${cell(description)}${accepted} | ${cell(fallback)} | ${library === undefined ? '' : `\`${library}\``} |`
}

/** Text between the bars of a table. */
function cell(text: string): string {
  return text
    .replaceAll(/https?:\/\/[\w.:]+/g, '`$&`')
    .replaceAll('|', '\\|')
    .replaceAll('<', '&lt;')
    .replaceAll('{{', '&#123;&#123;')
}
