import type { Table } from '../database/table.ts'
import type { TableDescription } from '../database/tableDescription.ts'
import { type Action, VERB_ACTIONS } from '../operations/actions.ts'
import { probeActions } from '../operations/missingActions.ts'
import { askTableFacts, type TableFacts, type Told } from '../operations/tableFacts.ts'
import type { Clock } from '../runtime/clock.ts'
import { counted } from '../runtime/counted.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { type Finding, failure, failureOf, notChecked, ok, unknown, warning } from './finding.ts'
import { withTimeLimit } from './timeLimit.ts'

export interface TableExamination {
  readonly clock: Clock
  readonly signal: AbortSignal
  /** The commands that must be allowed; the others are not looked at. Undefined to look at all of them. */
  readonly verbs: readonly string[] | undefined
}

const FACTS_MS = 8_000
const PERMISSIONS_MS = 20_000
const PATIENCE_MS = 4_000

/** What a table is, has against accidents, and which commands this identity may run on it. Changes nothing. */
export async function examineTable(
  table: Table,
  { clock, signal, verbs }: TableExamination,
  report: (finding: Finding) => void,
): Promise<void> {
  let facts: TableFacts | undefined
  try {
    facts = await withTimeLimit(clock, FACTS_MS, signal, `Describing ${table.name}`, (limited) =>
      askTableFacts(table, { patienceMs: PATIENCE_MS, signal: limited }),
    )
  } catch (error) {
    if (!(error instanceof HeadraceError)) throw error
    report(failureOf('table', error, 'Check the name, the region (--region) and the account (--profile)'))
    if (error.code !== 'DENIED') {
      report(notChecked('permissions', `${table.name} cannot be described`))
      return
    }
  }
  if (facts !== undefined) for (const finding of factFindings(facts)) report(finding)
  try {
    for (const finding of await withTimeLimit(clock, PERMISSIONS_MS, signal, 'Checking permissions', (limited) =>
      permissionFindings(table, facts?.description.arn, verbs, limited),
    ))
      report(finding)
  } catch (error) {
    if (!(error instanceof HeadraceError)) throw error
    report(failureOf('permissions', error, 'Run headrace doctor again'))
  }
}

function factFindings(facts: TableFacts): Finding[] {
  const { description, timeToLiveAttribute, hasPointInTimeRecovery, kinesisStreams } = facts
  const { name, status, billing, localIndexes, deletionProtection, replicas } = description
  const key = [description.key.partition, description.key.sort].flatMap((part) =>
    part === undefined ? [] : [`${part.name}:${part.type}`],
  )
  const isUsable = status === 'ACTIVE' || status === 'UPDATING'
  const capacity =
    billing === 'on demand'
      ? `on-demand${maximum(description)}`
      : `provisioned: ${description.readUnitsPerSecond} RCU/s, ${description.writeUnitsPerSecond} WCU/s`
  const building = description.indexes.filter(({ status: state }) => state !== '' && state !== 'ACTIVE')
  const indexes = [
    ...description.indexes.map((index) => `${index.name} (${index.status || 'global'})`),
    ...localIndexes.map((index) => `${index.name} (local)`),
  ]
  return [
    isUsable
      ? ok(
          'table',
          `${name} is ${status}; key ${key.join(', ')}${replicas.length === 0 ? '' : `; replicas in ${replicas.join(', ')}`}`,
        )
      : failure('table', `${name} is ${status}`, `Wait for it with headrace table wait ${name}`, 'refused'),
    ok('capacity', capacity),
    building.length === 0
      ? ok('indexes', indexes.length === 0 ? 'none' : indexes.join(', '))
      : warning(
          'indexes',
          indexes.join(', '),
          `Wait with jobs until ${building.map((index) => index.name).join(', ')} is ACTIVE: it cannot be read before`,
        ),
    told('time to live', timeToLiveAttribute, (attribute) =>
      ok('time to live', attribute === undefined ? 'off' : `on: items expire at ${attribute}`),
    ),
    told('streams', kinesisStreams, (streams) => {
      const receivers = [
        ...(description.hasStream ? ['a DynamoDB stream'] : []),
        ...(streams > 0 ? [counted(streams, 'Kinesis stream')] : []),
      ]
      return ok('streams', receivers.length === 0 ? 'none' : `each change goes to ${receivers.join(' and ')}`)
    }),
    told('point-in-time recovery', hasPointInTimeRecovery, (isOn) =>
      isOn
        ? ok('point-in-time recovery', 'on')
        : warning('point-in-time recovery', 'off', 'Enable it, or keep old items with --keep-old'),
    ),
    deletionProtection ? ok('deletion protection', 'on') : ok('deletion protection', 'off'),
  ]
}

function maximum({ readUnitsPerSecondMax: read, writeUnitsPerSecondMax: write }: TableDescription): string {
  const parts = [...(read === undefined ? [] : [`${read} RCU/s`]), ...(write === undefined ? [] : [`${write} WCU/s`])]
  return parts.length === 0 ? '' : `, at most ${parts.join(', ')}`
}

function told<Value>(check: string, answer: Told<Value>, finding: (value: Value) => Finding): Finding {
  if (answer.isKnown) return finding(answer.value)
  // What an emulator does not have, nobody can grant.
  if (answer.missingAction === undefined) return unknown(check, answer.why)
  return notChecked(check, answer.why, 'headrace iam doctor prints the policy that it needs')
}

const NOT_OF_ONE_TABLE: ReadonlySet<string> = new Set(['doctor', 'table create', 'table list'])

/** Verbs of `headrace iam` that work on a table that is there. */
export function verbsOfTable(): string[] {
  return Object.keys(VERB_ACTIONS).filter((verb) => !NOT_OF_ONE_TABLE.has(verb))
}

async function permissionFindings(
  table: Table,
  arn: string | undefined,
  verbs: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<Finding[]> {
  const names = (verbs ?? verbsOfTable()).flatMap((verb) =>
    VERB_ACTIONS[verb]?.other === undefined ? [verb] : [`${verb} from`, `${verb} to`],
  )
  const needs = new Map(names.map((name) => [name, needsOf(name)]))
  const isDenied = await probeActions([...new Set([...needs.values()].flat())], table, signal)
  const allowed: string[] = []
  const untold: string[] = []
  const denials: Finding[] = []
  const doubts: Finding[] = []
  for (const [name, actions] of needs) {
    const lacking = actions.filter((action) => isDenied.get(action) === true)
    const unknown = actions.filter((action) => isDenied.get(action) === undefined)
    const advice = `${policyCommand(name, arn || 'ARN')} prints the policy`
    if (lacking.length > 0) {
      const message = `${name}: this identity lacks ${list(lacking)}`
      denials.push(
        verbs === undefined
          ? warning('permissions', message, advice)
          : failure('permissions', message, advice, 'refused'),
      )
    } else if (unknown.length === 0) {
      allowed.push(name)
    } else if (verbs === undefined) {
      untold.push(name)
    } else {
      doubts.push(notChecked('permissions', `${name}: no harmless request tells about ${list(unknown)}`, advice))
    }
  }
  const rest = untold.length === 0 ? '' : `; not checked, since no harmless request tells: ${untold.join(', ')}`
  if (allowed.length > 0)
    return [ok('permissions', `this identity may run ${allowed.join(', ')}${rest}`), ...denials, ...doubts]
  if (verbs !== undefined) return [...denials, ...doubts]
  // Not even one: it is the wrong identity, or the wrong table.
  return denials.map((finding) => ({ ...finding, state: 'failure', kind: 'refused' }))
}

/** The command with two tables needs both. */
function policyCommand(name: string, arn: string): string {
  const [, verb, side] = /^(.*?)(?: (from|to))?$/.exec(name)!
  if (side === undefined) return `headrace iam ${verb} --table ${arn}`
  return `headrace iam ${verb} ${side === 'from' ? `--table ${arn} --other-table ARN` : `--table ARN --other-table ${arn}`}`
}

function list(actions: readonly Action[]): string {
  return actions.map((action) => `dynamodb:${action}`).join(', ')
}

/** Of `load`, or `copy from` and `copy to`. */
function needsOf(name: string): readonly Action[] {
  const [, verb, side] = /^(.*?)(?: (from|to))?$/.exec(name)!
  const { table, other } = VERB_ACTIONS[verb!]!
  return side === 'to' ? other!.needs : table.needs
}
