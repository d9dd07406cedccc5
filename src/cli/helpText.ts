import { Help } from 'commander'
import { type Command, SECTIONS } from './command.ts'
import { COMMANDS, FAMILIES } from './commandList.ts'
import { GROUPS, type Option } from './option.ts'

/** Help is readable in a terminal of any width, and its lines do not become too long to follow. */
const COLUMNS_MIN = 60
const COLUMNS_MAX = 120
const COLUMNS_ELSEWHERE = 80
/** A flag that is longer has its description on the next line. */
const TERM_COLUMNS_MAX = 28
/** In a narrower terminal every description stands on a line of its own. */
const TWO_COLUMNS_FROM = 72

const EXIT_STATUS: readonly (readonly [string, string])[] = [
  ['0', 'done'],
  ['1', 'failure'],
  ['2', 'wrong usage'],
  ['3', 'done, but records were rejected or the input was incomplete'],
  ['4', 'credentials or configuration'],
  ['5', 'refused by DynamoDB'],
  ['6', 'stopped at a limit, or no progress'],
  ['7', 'diff found differences'],
  ['130, 143', 'stopped by a signal'],
]

/** Columns of the terminal that help is printed on, within reason. */
export function helpColumns(): number {
  const columns = process.stdout.columns ?? (Number(process.env['COLUMNS']) || COLUMNS_ELSEWHERE)
  return Math.max(COLUMNS_MIN, Math.min(COLUMNS_MAX, columns))
}

/** `headrace --help` */
export function programHelp(description: string, columns: number): string {
  const blocks = [`Usage: headrace <command> [options]`, wrap(description, columns)]
  for (const section of SECTIONS) {
    const rows = COMMANDS.filter((command) => command.section === section).map(
      ({ name, summary }) => [name, summary] as const,
    )
    if (rows.length > 0) blocks.push(`${section}:\n${table(rows, columns)}`)
  }
  blocks.push(`Exit status:\n${table(EXIT_STATUS, columns)}`)
  blocks.push(
    wrap(
      'Region, endpoint and credentials come from flags, the environment and ~/.aws, as for other AWS tools. To try Headrace without AWS: headrace local, then add --endpoint-url http://localhost:8000.',
      columns,
    ),
  )
  blocks.push('Help for a command: headrace <command> --help')
  return `${blocks.join('\n\n')}\n`
}

/** `headrace table --help`, of commands with others below them. */
export function familyHelp(family: string, columns: number): string {
  const rows = COMMANDS.filter(({ name }) => name.startsWith(`${family} `)).map(
    ({ name, summary }) => [name.slice(family.length + 1), summary] as const,
  )
  const blocks = [
    `Usage: headrace ${family} <command> [options]`,
    `${FAMILIES[family]}.`,
    `Commands:\n${table(rows, columns)}`,
  ]
  return `${blocks.join('\n\n')}\n`
}

/**
 * `headrace load --help`.
 *
 * @param isWhole whether rare options are shown, too
 */
export function commandHelp(command: Command, columns: number, isWhole: boolean): string {
  const usage = ['Usage: headrace', command.name, command.arguments, '[options]'].filter((part) => part !== '')
  const blocks = [usage.join(' '), wrap(`${command.summary}.`, columns)]
  if (command.description !== undefined) blocks.push(wrap(command.description, columns))
  blocks.push(`Examples:\n${command.examples.map((example) => commandLine(example, columns)).join('\n')}`)
  let hidden = 0
  for (const group of GROUPS) {
    const ofGroup = command.options.filter((each) => each.group === group)
    const shown = ofGroup.filter(({ isRare }) => isWhole || !isRare)
    hidden += ofGroup.length - shown.length
    const rows = shown.map((each) => [each.flag, describe(each)] as const)
    if (rows.length > 0) blocks.push(`${group}:\n${table(rows, columns)}`)
  }
  if (hidden > 0) blocks.push(wrap(`${hidden} more options: headrace ${command.name} --help --all`, columns))
  return `${blocks.join('\n\n')}\n`
}

/** An option's description, with the accepted values and the default. */
export function describe(given: Option): string {
  const { choices } = given
  return given.description + (choices === undefined ? '' : `: ${choices.join(', ')}`) + notes(given)
}

function notes(given: Option): string {
  if (given.isRequired) return ' (required)'
  const text = defaultOf(given)
  return text === undefined ? '' : ` (default: ${text})`
}

/** How an option's default is shown; undefined for none. */
export function defaultOf({ default: value, defaultText }: Option): string | undefined {
  if (defaultText !== undefined) return defaultText
  return value === undefined ? undefined : Array.isArray(value) ? value.join(',') : `${value}`
}

/** Terms and what they mean, side by side where the terminal is wide enough. */
function table(rows: readonly (readonly [string, string])[], columns: number): string {
  if (columns < TWO_COLUMNS_FROM) return rows.map(([term, text]) => `  ${term}\n${indent(text, 6, columns)}`).join('\n')
  const fitting = rows.map(([term]) => term.length).filter((length) => length <= TERM_COLUMNS_MAX)
  const width = Math.max(0, ...fitting)
  return rows
    .map(([term, text]) => {
      const lines = indent(text, width + 4, columns)
      return term.length > width ? `  ${term}\n${lines}` : `  ${term.padEnd(width)}  ${lines.trimStart()}`
    })
    .join('\n')
}

/** A command line that can be pasted into a shell, however many lines it takes. */
function commandLine(example: string, columns: number): string {
  const words = example.match(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g)!
  const lines = ['']
  for (const word of words) {
    const line = lines.at(-1)!
    // Room for the backslash, too.
    if (line === '') lines[lines.length - 1] = `  ${word}`
    else if (line.length + word.length + 3 <= columns) lines[lines.length - 1] = `${line} ${word}`
    else {
      lines[lines.length - 1] = `${line} \\`
      lines.push(`    ${word}`)
    }
  }
  return lines.join('\n')
}

function indent(text: string, by: number, columns: number): string {
  return wrap(text, columns - by)
    .split('\n')
    .map((line) => ' '.repeat(by) + line)
    .join('\n')
}

function wrap(text: string, columns: number): string {
  const help = new Help()
  help.minWidthToWrap = 1
  return help.boxWrap(text, columns)
}
