import { readFileSync } from 'node:fs'
import { generate, type PlainItem } from '../../index.ts'
import { parseJson } from '../../runtime/parseJson.ts'
import { openDatabase } from '../openDatabase.ts'
import { type CommonFlags, type JobFlags, type WriteFlags, writeOptions } from '../options.ts'
import { runJob } from '../runJob.ts'

/** `headrace generate` */
export async function generateCommand(
  name: string,
  flags: CommonFlags & JobFlags & WriteFlags & { items: number; seed: number; template?: string; itemBytes?: number },
): Promise<void> {
  const database = openDatabase(flags)
  const template = flags.template === undefined ? undefined : readTemplate(flags.template)
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
        ...(template === undefined ? {} : { template }),
        ...(flags.itemBytes === undefined ? {} : { itemBytes: flags.itemBytes }),
        ...writeOptions(flags),
        ...made,
      }),
  })
}

function readTemplate(text: string): PlainItem {
  const json = text.startsWith('@') ? readFileSync(text.slice(1), 'utf8') : text
  let template: unknown
  try {
    template = parseJson(json)
  } catch (error) {
    throw new TypeError(`--template is not JSON: ${error instanceof Error ? error.message : error}`)
  }
  if (template === null || typeof template !== 'object' || Array.isArray(template)) {
    throw new TypeError('--template must be one JSON object: the attributes of an item')
  }
  return template as PlainItem
}
