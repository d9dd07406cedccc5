import { readFileSync } from 'node:fs'
import { encodeItem, generate, ItemError, type PlainItem } from '../../index.ts'
import { parseJson } from '../../runtime/parseJson.ts'
import { openDatabase } from '../openDatabase.ts'
import { type CommonFlags, type JobFlags, type WriteFlags, writeOptions } from '../options.ts'
import { runJob } from '../runJob.ts'

/** `headrace generate` */
export async function generateCommand(
  name: string,
  flags: CommonFlags & JobFlags & WriteFlags & { items: number; seed: number; template?: string; itemBytes?: number },
): Promise<void> {
  const template = flags.template === undefined ? undefined : readTemplate(flags.template)
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
        ...(template === undefined ? {} : { template }),
        ...(flags.itemBytes === undefined ? {} : { itemBytes: flags.itemBytes }),
        ...writeOptions(flags),
        ...made,
      }),
  })
}

function readTemplate(text: string): PlainItem {
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
    encodeItem(template as PlainItem)
  } catch (error) {
    if (!(error instanceof ItemError)) throw error
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
