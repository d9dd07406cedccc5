import type { FlagsOf, Option } from './option.ts'

/** Headings of the list of commands, in their order. */
export const SECTIONS = ['Change items', 'Read items', 'Jobs', 'Tables', 'Run elsewhere', 'Learn and try'] as const

type Section = (typeof SECTIONS)[number]

/** What a command is: its flags, help, validation and action stand in one file. */
export interface CommandDefinition<Arguments extends string, Options extends readonly Option[]> {
  /** `load`; or `table create` for one that belongs to another. */
  readonly name: string
  /** As in help: `<table> [file]`. Empty for none. */
  readonly arguments: Arguments
  readonly section: Section
  /** One sentence, without a full stop, for the list of commands. */
  readonly summary: string
  /** What more there is to know, in a few sentences. */
  readonly description?: string | undefined
  /** Whole command lines. */
  readonly examples: readonly string[]
  readonly options: Options
  /** Loads what it needs only when it runs, so that help and completion answer at once. */
  readonly run: (
    args: ArgumentsOf<Arguments>,
    flags: FlagsOf<Options>,
    commands: readonly Command[],
  ) => Promise<void> | void
}

/** A command of the program, whatever its arguments and options. */
export interface Command extends Omit<CommandDefinition<string, readonly Option[]>, 'run'> {
  // biome-ignore lint/suspicious/noExplicitAny: each has arguments and flags of its own
  readonly run: (args: any, flags: any, commands: readonly Command[]) => Promise<void> | void
}

/** Declares a command; the types of its action's arguments and flags follow from the rest. */
export function command<const Arguments extends string, const Options extends readonly Option[]>(
  definition: CommandDefinition<Arguments, Options>,
): Command {
  return definition
}

/** `<table> [file]` gives `[string, string | undefined]`, `<files...>` gives `[string[]]`. */
type ArgumentsOf<Text extends string> = Text extends ''
  ? []
  : Text extends `${infer First} ${infer Rest}`
    ? [ArgumentOf<First>, ...ArgumentsOf<Rest>]
    : [ArgumentOf<Text>]
type ArgumentOf<Text extends string> = Text extends `${string}...${string}`
  ? string[]
  : Text extends `<${string}`
    ? string
    : string | undefined
