import { readFileSync } from 'node:fs'
import type { encodeItem, PlainItem } from '../../index.ts'
import { parseJson } from '../../runtime/parseJson.ts'
import { command } from '../command.ts'
import { option, required, withDefault } from '../option.ts'
import { COMMON, maxInFlight, STATE, WRITE_RATE, writeOptions } from '../options.ts'
import { wholeFrom } from '../values.ts'

export const generateItems = command({
  name: 'generate',
  arguments: '<table>',
  section: 'Learn and try',
  summary: 'Fill a table with test data',
  description: 'The same seed makes the same items.',
  examples: [
    'headrace generate orders --items 50000',
    'headrace generate orders --items 1000000 --item-bytes 1000 --seed 7',
    `headrace generate users --items 1000 --template '{"id":"user-{{index}}","age":"{{whole 18 99}}"}'`,
  ],
  options: [
    required(option('--items <n>', { group: 'Common options', description: 'number of items', parse: wholeFrom(1) })),
    option('--template <json>', {
      group: 'Common options',
      description: 'an item with {{placeholders}} (index, whole, decimal, pick, word, name, hex, flag, time), or @FILE',
      library: 'template',
    }),
    option('--item-bytes <n>', {
      group: 'Common options',
      description: 'pad each item to this size',
      library: 'itemBytes',
      parse: wholeFrom(1),
    }),
    withDefault(
      option('--seed <n>', {
        group: 'Common options',
        description: 'random seed',
        library: 'seed',
        parse: wholeFrom(0),
      }),
      1,
    ),
    ...WRITE_RATE,
    ...STATE,
    maxInFlight,
    ...COMMON,
  ],
  async run([name], flags) {
    const { encodeItem, generate } = await import('../../index.ts')
    const { openDatabase } = await import('../openDatabase.ts')
    const { runJob } = await import('../runJob.ts')
    const template = flags.template === undefined ? undefined : readTemplate(flags.template, encodeItem)
    const database = openDatabase(flags)
    await runJob({
      operation: 'generate',
      table: name,
      flags,
      database,
      rates: writeOptions(flags),
      make: (made) =>
        generate(database.table(name), {
          items: flags.items,
          seed: flags.seed,
          template,
          itemBytes: flags.itemBytes,
          ...writeOptions(flags),
          ...made,
        }),
    })
  },
})

function readTemplate(text: string, encode: typeof encodeItem): PlainItem {
  const json = text.startsWith('@') ? readTemplateFile(text.slice(1)) : text
  let template: unknown
  try {
    template = parseJson(json)
  } catch (error) {
    throw new TypeError(`--template is not JSON: ${error instanceof Error ? error.message : error}`)
  }
  if (template === null || typeof template !== 'object' || Array.isArray(template)) {
    throw new TypeError('--template must be one JSON object: the attributes of an item')
  }
  try {
    encode(template as PlainItem)
  } catch (error) {
    if (!(error instanceof Error && error.name === 'ItemError')) throw error
    throw new TypeError(`--template is not an item that DynamoDB can store: ${error.message}`)
  }
  return template as PlainItem
}

function readTemplateFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new TypeError(`--template cannot be read from ${path}: ${(error as Error).message}`)
  }
}
