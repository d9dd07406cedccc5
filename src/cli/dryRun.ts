import { type Database, type Plan, type PlanOptions, type PriceTable, readPriceFile, writePlainJson } from '../index.ts'
import { planText } from '../report/planText.ts'
import { exitCodeOf } from './exitCode.ts'
import { Interruption } from './interruption.ts'
import type { CommonFlags, PlanFlags } from './options.ts'
import { Talk } from './talk.ts'

/**
 * What `--dry-run` does in place of the run: the plan on standard output, for people or with `--json` as one object.
 * Closes the database.
 */
export async function dryRun(
  flags: CommonFlags & PlanFlags,
  database: Database,
  plan: (options: PlanOptions) => Promise<Plan>,
): Promise<void> {
  const talk = new Talk(flags)
  const interruption = new Interruption(talk)
  try {
    const { samples } = flags
    const planned = await plan({ samples, signal: interruption.signal })
    talk.show(flags.json === true ? planJson(planned) : planText(planned, writePlainJson))
  } catch (error) {
    if (interruption.exitCode === undefined) talk.failure(error)
    process.exitCode = interruption.exitCode ?? exitCodeOf(error)
  } finally {
    interruption.release()
    await database.close()
  }
}

/** The prices that `--price-file` names, for jobs and plans alike. */
export async function readPrices({ priceFile }: PlanFlags): Promise<{ prices?: PriceTable }> {
  return priceFile === undefined ? {} : { prices: await readPriceFile(priceFile) }
}

/** Items hold what JSON.stringify does not know; a bound that is not known is null. */
function planJson(plan: Plan): string {
  const { samples, ...rest } = plan
  const texts = samples.map(({ before, after }) => {
    const [old, fresh] = [before, after].map((item) => (item === undefined ? 'null' : writePlainJson(item)))
    return `{"before":${old},"after":${fresh}}`
  })
  return `${JSON.stringify({ event: 'plan', ...rest }).slice(0, -1)},"samples":[${texts.join(',')}]}`
}
