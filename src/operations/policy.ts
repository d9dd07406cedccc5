import {
  type Action,
  type OptionalAction,
  PROBE_TABLE_PREFIX,
  type TableActions,
  VERB_ACTIONS,
  type VerbActions,
} from './actions.ts'

export interface PolicyOptions {
  /** `arn:aws:dynamodb:eu-west-1:123456789012:table/users` */
  readonly tableArn: string
  /**
   * Of the other table, for verbs with two: the target of a copy, the second of a diff, the sink of a job of one's own. Such a
   * job that reads no table has one table, which it writes.
   */
  readonly otherTableArn?: string | undefined
  /** A secondary index that is read in place of the table. */
  readonly index?: string | undefined
  /** Optional rights to grant too; `all` for all that the verb has. Default none. */
  readonly optional?: readonly string[] | 'all' | undefined
}

/** An IAM policy, ready for JSON. */
export interface Policy {
  readonly Version: '2012-10-17'
  readonly Statement: readonly {
    readonly Sid: string
    readonly Effect: 'Allow'
    readonly Action: readonly string[]
    readonly Resource: readonly string[]
  }[]
}

/** Verbs, as {@link policyFor} takes them. */
export const POLICY_VERBS: readonly string[] = Object.keys(VERB_ACTIONS)

/**
 * The least policy under which a verb runs. Optional rights stand in statements of their own.
 *
 * @throws {TypeError} for a verb, an ARN or an optional right that is none
 */
export function policyFor(verb: string, options: PolicyOptions): Policy {
  const { table, other, mayReadNoTable } = actionsOf(verb)
  const { tableArn, otherTableArn, index, optional = [] } = options
  checkArn(tableArn)
  const writesOnly = mayReadNoTable === true && otherTableArn === undefined
  if (!writesOnly && (other === undefined) !== (otherTableArn === undefined)) {
    throw new TypeError(
      other === undefined
        ? `${verb} uses one table: omit otherTableArn (--other-table)`
        : `${verb} uses two tables: set otherTableArn too (--other-table)`,
    )
  }
  const known = new Set(optionalActions(verb).map(({ action }): string => action))
  const unknown = optional === 'all' ? undefined : optional.find((name) => !known.has(name))
  if (unknown !== undefined) {
    const list = known.size === 0 ? 'it has none' : `use ${[...known].join(', ')}`
    throw new TypeError(`"${unknown}" is not an optional action of ${verb}: ${list}`)
  }
  const isGranted = ({ action }: OptionalAction): boolean => optional === 'all' || optional.includes(action)
  const statements = (actions: TableActions, arn: string, name: string): Policy['Statement'][number][] => {
    const granted = actions.optional.filter(isGranted)
    const extra = granted.filter(({ isForProbe }) => isForProbe !== true).map(({ action }) => action)
    const probe = granted.filter(({ isForProbe }) => isForProbe === true).map(({ action }) => action)
    // A read of an index is a right to the index; the table is still described.
    const resources = index === undefined ? [arn] : [arn, `${arn}/index/${index}`]
    return [
      statement(`Headrace${name}`, actions.needs, resources),
      ...(actions.exports === undefined
        ? []
        : [statement(`Headrace${name}Exports`, actions.exports, [`${arn}/export/*`])]),
      ...(actions.account === undefined ? [] : [statement(`Headrace${name}Account`, actions.account, ['*'])]),
      ...(probe.length === 0
        ? []
        : [statement(`Headrace${name}Probe`, probe, [`${arn.replace(/\/.*/, '')}/${PROBE_TABLE_PREFIX}*`])]),
      ...(extra.length === 0 ? [] : [statement(`Headrace${name}Optional`, extra, [arn])]),
    ]
  }
  if (writesOnly) return { Version: '2012-10-17', Statement: statements(other!, tableArn, 'Table') }
  const ofOther = other === undefined ? [] : statements(other, checkArn(otherTableArn!), 'Other')
  return { Version: '2012-10-17', Statement: [...statements(table, tableArn, 'Table'), ...ofOther] }
}

/**
 * Rights that a verb can do without, and what is lost then.
 *
 * @throws {TypeError} for a verb that is none
 */
export function optionalActions(verb: string): readonly OptionalAction[] {
  const { table, other } = actionsOf(verb)
  return [...table.optional, ...(other?.optional ?? [])]
}

function statement(Sid: string, actions: readonly Action[], resources: readonly string[]): Policy['Statement'][number] {
  return { Sid, Effect: 'Allow', Action: actions.map((action) => `dynamodb:${action}`), Resource: resources }
}

function actionsOf(verb: string): VerbActions {
  const found = POLICY_VERBS.find((name) => name === verb)
  if (found !== undefined) return VERB_ACTIONS[found]!
  if (verb === 'resume')
    throw new TypeError('resume needs the actions of the command whose job it resumes: pass that command')
  throw new TypeError(`"${verb}" is not a command that needs IAM actions: use one of ${POLICY_VERBS.join(', ')}`)
}

function checkArn(arn: string): string {
  if (/^arn:aws(?:-[a-z]+)*:dynamodb:[a-z0-9-]+:\d{12}:table\/[a-zA-Z0-9_.-]{3,255}$/.test(arn)) return arn
  throw new TypeError(
    `"${arn}" is not a table ARN such as arn:aws:dynamodb:eu-west-1:123456789012:table/users: "headrace table describe" shows it`,
  )
}
