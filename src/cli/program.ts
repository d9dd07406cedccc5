import { Command as CommanderCommand, Option as CommanderOption } from 'commander'
import { printable } from '../runtime/printable.ts'
import type { Command } from './command.ts'
import { COMMANDS, FAMILIES } from './commandList.ts'
import { exitCodeOf } from './exitCode.ts'
import { commandHelp, familyHelp, helpColumns, programHelp } from './helpText.ts'
import { flagOf, nameOf, type Option } from './option.ts'
import { readVersion } from './readVersion.ts'
import { Talk } from './talk.ts'

const DESCRIPTION =
  'Bulk work on Amazon DynamoDB: load, update, copy and export millions of items at the speed your table allows, without losing one.'

/** Values of options by their names, as commander collects them. */
interface Flags {
  [name: string]: unknown
}

/** The program: all commands, as commander runs them. */
export function makeProgram(): CommanderCommand {
  const program = new CommanderCommand('headrace')
    .version(readVersion())
    .showHelpAfterError('(add --help for usage)')
    // Commands take it over.
    .configureOutput({ writeErr: (text) => void process.stderr.write(printable(text)) })
    .configureHelp({ formatHelp: () => programHelp(DESCRIPTION, helpColumns()) })
    .exitOverride()
  const parents = new Map([['', program]])
  for (const family of Object.keys(FAMILIES)) {
    const parent = program
      .command(family)
      .configureHelp({ formatHelp: () => familyHelp(family, helpColumns()) })
      .exitOverride()
    parents.set(family, parent)
  }
  for (const command of COMMANDS) {
    const words = command.name.split(' ')
    const name = words.pop()!
    add(parents.get(words.join(' '))!, name, command)
  }
  return program
}

function add(parent: CommanderCommand, name: string, command: Command): void {
  const made = parent
    .command(`${name} ${command.arguments}`.trim())
    .configureHelp({ formatHelp: () => commandHelp(command, helpColumns(), process.argv.includes('--all')) })
    .exitOverride()
  for (const each of command.options) addOption(made, each)
  made.action(async (...given: unknown[]) => {
    const flags = given[command.arguments === '' ? 0 : command.arguments.split(' ').length] as Flags
    const talk = new Talk(flags)
    try {
      takeFormer(command, flags, talk)
      await command.run(given, flags, COMMANDS)
    } catch (error) {
      talk.failure(error)
      process.exitCode = exitCodeOf(error)
    }
  })
}

function addOption(made: CommanderCommand, given: Option): void {
  const { flag, description, parse, choices, isRepeatable, isRequired, formerly } = given
  const option = new CommanderOption(flag, description)
  if (choices !== undefined) option.choices(choices)
  if (parse !== undefined) option.argParser((text) => parse(text))
  if (isRepeatable)
    option.argParser((text, earlier: unknown[] | undefined) => [
      ...(earlier ?? []),
      parse === undefined ? text : parse(text),
    ])
  if (given.default !== undefined) option.default(given.default)
  if (isRequired) option.makeOptionMandatory()
  made.addOption(option)
  if (formerly === undefined) return
  const former = new CommanderOption(formerly).hideHelp()
  if (parse !== undefined) former.argParser((text) => parse(text))
  made.addOption(former)
}

/** An earlier flag stands for the present one, and says so. */
function takeFormer({ options }: Command, flags: Flags, talk: Talk): void {
  for (const { name, formerly } of options) {
    if (formerly === undefined) continue
    const former = nameOf(formerly)
    const value = flags[former]
    if (value === undefined) continue
    const both = flags[name] === undefined ? '' : `, and both are given: ${flagOf(former)} counts`
    delete flags[former]
    flags[name] = value
    talk.warn(`${flagOf(former)} is now called ${flagOf(name)}; the earlier name still works${both}`)
  }
}
