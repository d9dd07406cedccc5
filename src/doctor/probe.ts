import { PROBE_TABLE_PREFIX } from '../operations/actions.ts'
import { createTable } from '../operations/tables.ts'
import { sleep } from '../runtime/clock.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import type { Random } from '../runtime/random.ts'
import type { Reached } from './examineConnection.ts'
import { type Ask, EXPECTATIONS, type Expectation, type Observation } from './expectations.ts'
import { type Finding, failureOf, ok, warning } from './finding.ts'
import { dropProbeTables, PROBE_KEY } from './leftovers.ts'
import { withTimeLimit } from './timeLimit.ts'
import { WireError } from './wire.ts'

/** An expectation, and what was seen. */
export interface ProbeResult {
  readonly expectation: Expectation
  readonly observation: Observation
}

/** A table is made in seconds, rarely in a minute. */
const CREATE_MS = 120_000
const DROP_MS = 120_000
/** Of one expectation. */
const OBSERVE_MS = 30_000
const TRIES_MAX = 4
const RETRY_MS = 400
const NEVER: AbortSignal = new AbortController().signal
/** A new table may not be known everywhere yet. */
const FOR_A_MOMENT = /^(?:InternalServerError|ServiceUnavailable|ResourceNotFoundException|InternalFailure)/

/**
 * Creates two tables, compares what the service does to what Headrace expects, and drops them: also after a failure, or
 * when the signal comes.
 *
 * @returns what was seen, also of a probe that was stopped
 */
export async function probeService(
  reached: Reached,
  random: Random,
  signal: AbortSignal,
  report: (finding: Finding) => void,
): Promise<ProbeResult[]> {
  const { wire } = reached
  const names: readonly [string, string] = [newName(random), newName(random)]
  const results: ProbeResult[] = []
  try {
    // Also when the signal comes: what is still being created cannot be dropped.
    await withTimeLimit(wire.clock, CREATE_MS, NEVER, 'Creating the tables of the probe', (limited) =>
      createTables(reached, names, limited),
    )
    const [table, slowTable] = names
    const probe = { ask: askOf(reached, signal), table, slowTable, key: PROBE_KEY }
    for (const expectation of EXPECTATIONS) {
      if (signal.aborted) break
      const observation = await observe(reached, expectation, probe, signal)
      results.push({ expectation, observation })
      report(findingOf({ expectation, observation }))
    }
  } catch (error) {
    if (!signal.aborted) {
      if (!(error instanceof HeadraceError)) throw error
      report(failureOf('probe', error, 'headrace iam doctor --optional prints the policy that --probe needs'))
    }
  } finally {
    await dropTables(reached, names, report)
  }
  if (signal.aborted)
    report(warning('probe', `stopped after ${results.length} of ${EXPECTATIONS.length} checks`, 'Run it again'))
  return results
}

function newName(random: Random): string {
  const digits = Array.from({ length: 12 }, () => Math.floor(random() * 16).toString(16))
  return `${PROBE_TABLE_PREFIX}${digits.join('')}`
}

/** Waits for both, so that none of them is being made while it is dropped. */
async function createTables(
  { database }: Reached,
  [table, slowTable]: readonly [string, string],
  signal: AbortSignal,
): Promise<void> {
  const key = { partition: { name: PROBE_KEY, type: 'S' } } as const
  const ends = await Promise.allSettled([
    createTable(database, table, { key, signal }),
    createTable(database, slowTable, { key, readUnitsPerSecond: 1, writeUnitsPerSecond: 1, signal }),
  ])
  const failed = ends.find((end) => end.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

async function dropTables(
  { database, wire }: Reached,
  names: readonly string[],
  report: (finding: Finding) => void,
): Promise<void> {
  try {
    // Whatever stopped the probe does not stop this.
    await withTimeLimit(wire.clock, DROP_MS, NEVER, 'Dropping the tables of the probe', () =>
      dropProbeTables(database, names),
    )
    report(ok('probe tables', 'dropped'))
  } catch (error) {
    if (!(error instanceof HeadraceError)) throw error
    const commands = names.map((name) => `headrace table drop ${name}`)
    report(failureOf('probe tables', error, `Drop them: ${commands.join('; ')}`))
  }
}

/** Throttles are what some expectations look for: they are not retried. */
function askOf({ connection, wire }: Reached, signal: AbortSignal): Ask {
  return async (operation, payload) => {
    for (let attempt = 1; ; attempt += 1) {
      signal.throwIfAborted()
      const answer = await wire.send(operation, payload, await connection.credentials.get())
      if (attempt === TRIES_MAX || !FOR_A_MOMENT.test(answer.code)) return answer
      await sleep(wire.clock, RETRY_MS * attempt, signal)
    }
  }
}

async function observe(
  { wire }: Reached,
  expectation: Expectation,
  probe: Parameters<Expectation['observe']>[0],
  signal: AbortSignal,
): Promise<Observation> {
  try {
    return await withTimeLimit(wire.clock, OBSERVE_MS, signal, 'The check', () => expectation.observe(probe))
  } catch (error) {
    if (!(error instanceof WireError || error instanceof HeadraceError)) throw error
    return { value: undefined, detail: error.message }
  }
}

function findingOf({ expectation, observation }: ProbeResult): Finding {
  const { check, expected } = expectation
  const { value, detail } = observation
  if (value === undefined) {
    const advice = 'Emulators do not throttle. On AWS, run it again'
    return warning('probe', `${check}: not checked: ${detail ?? 'nothing was seen'}`, advice)
  }
  if (value === expected) return ok('probe', `${check}: ${value}`)
  return warning(
    'probe',
    `${check}: differs from what Headrace expects: expected "${expected}", got "${value}"`,
    'If this is AWS, attach the report to an issue of Headrace',
  )
}
