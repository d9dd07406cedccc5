/** Headings of a command's help, in their order. */
export const GROUPS = [
  'Common options',
  'What to read',
  'How to write',
  'Limits',
  'Output',
  'AWS',
  'S3',
  'Advanced',
] as const

type Group = (typeof GROUPS)[number]

/** What is declared of an option, once: its flag, its line of help, its entry in the reference and its validation come from it. */
export interface OptionDetails<Value> {
  /** For help and reference; a default and the accepted values are added. */
  readonly description: string
  readonly group: Group
  /** @throws {InvalidArgumentError} for a text that is not such a value */
  readonly parse?: ((text: string) => Value) | undefined
  /** The accepted values, where they are few. */
  readonly choices?: readonly (Value & string)[] | undefined
  /** How help shows the default, where it is not a constant. */
  readonly defaultText?: string | undefined
  /** The same option in the library, such as `writeUnitsPerSecond` or `csv.delimiter`. */
  readonly library?: string | undefined
  /** An earlier flag, which still works and says so, such as `--index <n>`. */
  readonly formerly?: string | undefined
}

/**
 * An option of a command.
 *
 * @typeParam IsSure whether it always has a value: because it is required, or has a default
 */
export interface Option<Name extends string = string, Value = unknown, IsSure extends boolean = boolean>
  // biome-ignore lint/suspicious/noExplicitAny: a list holds options of many types
  extends OptionDetails<any> {
  /** The member of the flags under which its value arrives. */
  readonly name: Name
  /** As in help: `--rate <rate>`. */
  readonly flag: string
  readonly isRequired: boolean
  readonly isRepeatable: boolean
  /** Only `--help --all` shows it. */
  readonly isRare: boolean
  readonly default: Value | undefined
  readonly isSure: IsSure
}

type Plain = Omit<OptionDetails<never>, 'parse' | 'choices'>

/** Declares an option, such as `option('--limit <n>', { description: 'stop after this many items', … })`. */
export function option<const Flag extends string, Value>(
  flag: Flag,
  details: Plain & { readonly parse: (text: string) => Value },
): Option<NameOf<Flag>, Value, false>
export function option<const Flag extends string, const Choice extends string>(
  flag: Flag,
  details: Plain & { readonly choices: readonly Choice[] },
): Option<NameOf<Flag>, Choice, false>
export function option<const Flag extends string>(
  flag: Flag,
  details: Plain,
): Option<NameOf<Flag>, PlainValue<Flag>, false>
export function option(flag: string, details: OptionDetails<unknown>): Option<string, unknown, false> {
  return {
    ...details,
    name: nameOf(flag),
    flag,
    isRequired: false,
    isRepeatable: false,
    isRare: false,
    default: undefined,
    isSure: false,
  }
}

/** The same option, which a command cannot do without. */
export function required<Name extends string, Value>(given: Option<Name, Value>): Option<Name, Value, true> {
  return { ...given, isRequired: true, isSure: true }
}

/** The same option, with a value where none is given. */
export function withDefault<Name extends string, Value>(
  given: Option<Name, Value>,
  value: Value,
): Option<Name, Value, true> {
  return { ...given, default: value, isSure: true }
}

/** The same option, which may be given several times. */
export function repeatable<Name extends string, Value>(
  given: Option<Name, Value, false>,
): Option<Name, Value[], false> {
  return { ...given, isRepeatable: true, default: undefined }
}

/** The same option, which only `--help --all` shows. */
export function rare<Given extends Option>(given: Given): Given {
  return { ...given, isRare: true }
}

/** The flags that an action gets, from the options of its command. */
export type FlagsOf<Options extends readonly Option[]> = {
  [Each in Options[number] as Each extends Option<string, unknown, true> ? Each['name'] : never]: ValueOf<Each>
} & {
  [Each in Options[number] as Each extends Option<string, unknown, false> ? Each['name'] : never]?:
    | ValueOf<Each>
    | undefined
}

type ValueOf<Each> = Each extends Option<string, infer Value> ? Value : never

/** Of `--max-errors <n>` it is `maxErrors`, of `--no-verify` it is `verify`. */
export function nameOf(flag: string): string {
  const [, words] = /^--(?:no-)?([a-z0-9-]+)/.exec(flag)!
  return words!.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

/** Of `maxErrors` it is `--max-errors`. */
export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

type NameOf<Flag extends string> = Flag extends `--no-${infer Words}`
  ? Camel<Word<Words>>
  : Flag extends `--${infer Words}`
    ? Camel<Word<Words>>
    : never
type Word<Text extends string> = Text extends `${infer First} ${string}` ? First : Text
type Camel<Text extends string> = Text extends `${infer First}-${infer Rest}`
  ? `${First}${Capitalize<Camel<Rest>>}`
  : Text
type PlainValue<Flag extends string> = Flag extends `${string}...>`
  ? string[]
  : Flag extends `${string} <${string}`
    ? string
    : Flag extends `${string} [${string}`
      ? string | true
      : boolean
