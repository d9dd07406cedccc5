import { HeadraceError } from '../runtime/headraceError.ts'
import { type Random, systemRandom } from '../runtime/random.ts'
import { examineConnection, type Reached, type Surroundings } from './examineConnection.ts'
import { examineProgram } from './examineProgram.ts'
import { examineTable } from './examineTable.ts'
import { type Finding, failureOf, notChecked, ok, warning } from './finding.ts'
import { dropProbeTables, findLeftovers } from './leftovers.ts'
import { probeService } from './probe.ts'
import { probeReport } from './probeReport.ts'
import { withTimeLimit } from './timeLimit.ts'

export interface ExamineOptions extends Surroundings {
  readonly headraceVersion: string
  readonly table?: string | undefined
  /** Commands that must be allowed on the table. Default: all are looked at, and none has to be. */
  readonly verbs?: readonly string[] | undefined
  /** Whether to compare the service to what Headrace expects of it, with tables that it creates and drops. */
  readonly probe: boolean
  readonly random?: Random | undefined
  /** Told of each finding as soon as it is there. */
  readonly report: (finding: Finding) => void
  /** Asked before tables of an earlier probe are dropped. */
  readonly mayDrop: (names: readonly string[]) => Promise<boolean>
  /** Asked before tables are created. */
  readonly mayCreate: () => Promise<boolean>
}

const LEFTOVERS_MS = 8_000

/**
 * Looks at everything that a job depends on. Nothing that is found ends it, and no check takes longer than some seconds.
 *
 * @returns the report of the probe, in Markdown; undefined where there was none
 */
export async function examine(options: ExamineOptions): Promise<string | undefined> {
  const { report, table, signal, clock, probe, random = systemRandom } = options
  for (const finding of examineProgram(options.headraceVersion)) report(finding)
  const reached = await examineConnection(options, report)
  if (reached === undefined) {
    if (table !== undefined) report(notChecked('table', 'DynamoDB cannot be used'))
    if (probe) report(notChecked('probe', 'DynamoDB cannot be used'))
    return undefined
  }
  const { connection, database, wire } = reached
  try {
    if (table !== undefined) await examineTable(database.table(table), { clock, signal, verbs: options.verbs }, report)
    await examineLeftovers(options, reached)
    if (!probe || signal.aborted) return undefined
    if (!(await options.mayCreate()) || signal.aborted) {
      report(warning('probe', 'not checked: no tables may be created', 'Say yes, or pass --yes'))
      return undefined
    }
    const results = await probeService(reached, random, signal, report)
    if (results.length === 0) return undefined
    const head = {
      headraceVersion: options.headraceVersion,
      nodeVersion: process.versions.node,
      region: connection.region,
      isAws: /\.(?:amazonaws\.com(?:\.cn)?|api\.aws)$/.test(new URL(connection.endpoint).hostname),
      wallMs: clock.wallNow(),
    }
    return probeReport(head, results)
  } finally {
    await database.close()
    await wire.close()
  }
}

/** What an earlier probe has left, because it was killed. */
async function examineLeftovers(options: ExamineOptions, { database }: Reached): Promise<void> {
  const { report, clock, signal } = options
  const check = 'probe tables'
  let names: readonly string[]
  try {
    names = await withTimeLimit(clock, LEFTOVERS_MS, signal, 'Listing tables', (limited) =>
      findLeftovers(database, limited),
    )
  } catch (error) {
    if (!(error instanceof HeadraceError)) throw error
    const why = error.code === 'DENIED' ? 'this identity lacks dynamodb:ListTables' : error.message
    report(notChecked(check, why, 'Only needed to find tables that --probe could not drop'))
    return
  }
  if (names.length === 0) {
    report(ok(check, 'none left'))
    return
  }
  const list = names.join(', ')
  if (await options.mayDrop(names)) {
    try {
      await dropProbeTables(database, names)
      report(ok(check, `dropped ${list}, left by an earlier --probe`))
    } catch (error) {
      if (!(error instanceof HeadraceError)) throw error
      report(failureOf(check, error, names.map((name) => `headrace table drop ${name}`).join('; ')))
    }
    return
  }
  const advice = `Drop them: ${names.map((name) => `headrace table drop ${name}`).join('; ')}`
  report(warning(check, `left by an earlier --probe: ${list}`, advice))
}
