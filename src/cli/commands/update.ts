import { type Edit, parsePlainJson, updateAll, type Visitor } from '../../index.ts'
import { dryRun, readPrices } from '../dryRun.ts'
import { exitCodeOf } from '../exitCode.ts'
import { openDatabase } from '../openDatabase.ts'
import {
  type CommonFlags,
  type PlanFlags,
  type ReadFlags,
  readOptions,
  type WriteFlags,
  writeOptions,
} from '../options.ts'
import { runJob } from '../runJob.ts'
import { Talk } from '../talk.ts'
import { loadVisitor } from '../visitorModule.ts'

/** `headrace update` */
export async function updateCommand(
  name: string,
  path: string | undefined,
  flags: CommonFlags &
    WriteFlags &
    ReadFlags &
    PlanFlags & { set?: string[]; remove?: string[]; visitTimeout?: number },
): Promise<void> {
  let visitor: Visitor
  let prices: Awaited<ReturnType<typeof readPrices>>
  try {
    visitor = await chooseVisitor(path, flags.set ?? [], flags.remove ?? [])
    prices = await readPrices(flags)
  } catch (error) {
    new Talk(flags).failure(error)
    process.exitCode = exitCodeOf(error)
    return
  }
  const database = openDatabase(flags)
  const visits = flags.visitTimeout === undefined ? {} : { visitTimeoutMs: flags.visitTimeout * 1_000 }
  const options = { ...readOptions(flags), ...writeOptions(flags), ...visits, ...prices }
  if (flags.dryRun === true) {
    const job = updateAll(database.table(name), visitor, options)
    return dryRun(flags, database, (planOptions) => job.plan(planOptions))
  }
  await runJob('update', name, flags, database, (onReject) =>
    updateAll(database.table(name), visitor, { ...options, onReject }),
  )
}

async function chooseVisitor(
  path: string | undefined,
  sets: readonly string[],
  removes: readonly string[],
): Promise<Visitor> {
  if (path !== undefined) {
    if (sets.length + removes.length > 0) throw new TypeError('give either a visitor module, or --set and --remove')
    return loadVisitor(path)
  }
  if (sets.length + removes.length === 0) {
    throw new TypeError('say what to change: a visitor module, or --set NAME=JSON, or --remove NAME')
  }
  const set = Object.fromEntries(sets.map(parseSet))
  const edit: Edit = { set, remove: removes }
  return () => edit
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
