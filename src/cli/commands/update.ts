import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parsePlainJson, updateAll, type VisitorSource } from '../../index.ts'
import { exitCodeOf } from '../exitCode.ts'
import { openDatabase } from '../openDatabase.ts'
import {
  type CommonFlags,
  type JobFlags,
  type PlanFlags,
  type ReadFlags,
  readOptions,
  type WriteFlags,
  writeOptions,
} from '../options.ts'
import { runJob } from '../runJob.ts'
import { Talk } from '../talk.ts'

interface UpdateFlags {
  set?: string[]
  remove?: string[]
  visitTimeout?: number
  once?: boolean
  keepOld?: boolean
  allowUnknownAttributes?: boolean
  workers?: number | 'auto'
}

/** `headrace update` */
export async function updateCommand(
  name: string,
  path: string | undefined,
  flags: CommonFlags & JobFlags & WriteFlags & ReadFlags & PlanFlags & UpdateFlags,
): Promise<void> {
  let visitor: VisitorSource
  try {
    visitor = chooseVisitor(path, flags.set ?? [], flags.remove ?? [])
  } catch (error) {
    new Talk(flags).failure(error)
    process.exitCode = exitCodeOf(error)
    return
  }
  const database = openDatabase(flags)
  const visits = flags.visitTimeout === undefined ? {} : { visitTimeoutMs: flags.visitTimeout * 1_000 }
  const once = flags.once === undefined ? {} : { once: flags.once }
  const keepOld = flags.keepOld === undefined ? {} : { keepOld: flags.keepOld }
  const workers = flags.workers === undefined ? {} : { workers: flags.workers }
  const { allowUnknownAttributes } = flags
  const unknown = allowUnknownAttributes === undefined ? {} : { allowUnknownAttributes }
  const options = {
    ...readOptions(flags),
    ...writeOptions(flags),
    ...visits,
    ...once,
    ...keepOld,
    ...unknown,
    ...workers,
  }
  await runJob({
    operation: 'update',
    table: name,
    flags,
    database,
    rates: options,
    make: (made) => updateAll(database.table(name), visitor, { ...options, ...made }),
  })
}

function chooseVisitor(path: string | undefined, sets: readonly string[], removes: readonly string[]): VisitorSource {
  if (path !== undefined) {
    if (sets.length + removes.length > 0) throw new TypeError('give either a visitor module, or --set and --remove')
    return pathToFileURL(resolve(path))
  }
  if (sets.length + removes.length === 0) {
    throw new TypeError('say what to change: a visitor module, or --set NAME=JSON, or --remove NAME')
  }
  if (removes.includes('')) throw new TypeError('--remove needs the name of an attribute')
  return { set: Object.fromEntries(sets.map(parseSet)), remove: removes }
}

function parseSet(text: string): [string, ReturnType<typeof parsePlainJson>] {
  const separator = text.indexOf('=')
  if (separator < 1) throw new TypeError(`--set takes NAME=JSON; "${text}" has no name`)
  const name = text.slice(0, separator)
  try {
    return [name, parsePlainJson(text.slice(separator + 1))]
  } catch (error) {
    const reason = error instanceof Error ? error.message : `${error}`
    throw new TypeError(
      `--set ${name}: the value must be JSON, text in double quotes such as --set ${name}='"text"' (${reason})`,
    )
  }
}
