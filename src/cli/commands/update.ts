import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { parsePlainJson, VisitorSource } from '../../index.ts'
import { command } from '../command.ts'
import { option, rare, repeatable } from '../option.ts'
import {
  allowUnknownAttributes,
  COMMON,
  keepOld,
  maxInFlight,
  PLANNING,
  READ_AND_WRITE_RATES,
  READING,
  readOptions,
  STATE,
  threads,
  writeOptions,
} from '../options.ts'
import { wholeFrom, workerCount } from '../values.ts'

export const update = command({
  name: 'update',
  arguments: '<table> [visitor]',
  section: 'Change items',
  summary: 'Change every item, or those that match a filter',
  description:
    'The visitor is a module (.ts, .js) whose function gets each item and returns the change to make. --set and --remove need no module. A write is conditional on the attributes that it changes.',
  examples: [
    'headrace update users add-tier.ts',
    `headrace update users --set tier='"basic"' --where 'attribute_not_exists(tier)'`,
    'headrace update users --remove legacyFlag --rate 50% --dry-run',
  ],
  options: [
    repeatable(
      option('--set <name=json>', {
        group: 'Common options',
        description: 'set this attribute in every item (repeatable)',
      }),
    ),
    repeatable(
      option('--remove <name>', {
        group: 'Common options',
        description: 'remove this attribute from every item (repeatable)',
      }),
    ),
    ...PLANNING,
    ...READING,
    allowUnknownAttributes,
    keepOld,
    option('--once', {
      group: 'How to write',
      description: 'mark changed items (headrace_once), so that none is changed twice: for edits such as adding 1',
      library: 'once',
    }),
    ...READ_AND_WRITE_RATES,
    ...STATE,
    maxInFlight,
    rare(
      option('--visit-timeout <seconds>', {
        group: 'Advanced',
        description: 'reject an item when its visitor takes longer',
        defaultText: '60',
        library: 'visitTimeoutMs',
        parse: wholeFrom(1),
      }),
    ),
    rare(
      option('--workers <n>', {
        group: 'Advanced',
        description:
          'run the visitor in this many worker threads: for CPU-heavy or untrusted modules (auto decides by measuring)',
        library: 'workers',
        parse: workerCount,
      }),
    ),
    threads,
    ...COMMON,
  ],
  async run([name, path], flags) {
    const library = await import('../../index.ts')
    const { openDatabase } = await import('../openDatabase.ts')
    const { runJob } = await import('../runJob.ts')
    const visitor = chooseVisitor(path, flags.set ?? [], flags.remove ?? [], library.parsePlainJson)
    const database = openDatabase(flags)
    const { visitTimeout, once, keepOld, workers, allowUnknownAttributes } = flags
    const options = {
      ...readOptions(flags),
      ...writeOptions(flags),
      ...(visitTimeout === undefined ? {} : { visitTimeoutMs: visitTimeout * 1_000 }),
      once,
      keepOld,
      workers,
      allowUnknownAttributes,
    }
    await runJob({
      operation: 'update',
      table: name,
      flags,
      database,
      rates: options,
      make: (made) => library.updateAll(database.table(name), visitor, { ...options, ...made }),
    })
  },
})

function chooseVisitor(
  path: string | undefined,
  sets: readonly string[],
  removes: readonly string[],
  parse: typeof parsePlainJson,
): VisitorSource {
  if (path !== undefined) {
    if (sets.length + removes.length > 0) throw new TypeError('pass either a visitor module, or --set and --remove')
    return pathToFileURL(resolve(path))
  }
  if (sets.length + removes.length === 0)
    throw new TypeError('nothing to change: pass a visitor module, --set NAME=JSON or --remove NAME')
  if (removes.includes('')) throw new TypeError('--remove needs the name of an attribute')
  const remove = removes.map((name) => attributeName('--remove', name, parse))
  return { set: Object.fromEntries(sets.map((text) => parseSet(text, parse))), remove }
}

/** A name as it is given: plain, or in double quotes where it has a dot, which in expressions leads into a map. */
function attributeName(flag: string, text: string, parse: typeof parsePlainJson): string {
  if (/^"[^"]*"$/.test(text)) return `${parse(text)}`
  if (!text.includes('.')) return text
  throw new TypeError(
    `${flag} ${text} names a member of a map, which needs a module. For an attribute with a dot in its name, write '"${text}"' with both quotes`,
  )
}

function parseSet(text: string, parse: typeof parsePlainJson): [string, ReturnType<typeof parsePlainJson>] {
  const separator = text.indexOf('=')
  if (separator < 1) throw new TypeError(`--set takes NAME=JSON; "${text}" has no name`)
  const name = attributeName('--set', text.slice(0, separator), parse)
  try {
    return [name, parse(text.slice(separator + 1))]
  } catch (error) {
    const reason = error instanceof Error ? error.message : `${error}`
    throw new TypeError(
      `--set ${name}: the value must be JSON, text in double quotes such as --set ${name}='"text"' (${reason})`,
    )
  }
}
