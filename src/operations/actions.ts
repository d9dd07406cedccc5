import type { Operation } from '../dynamodb/service.ts'

/** A right, as IAM names it behind `dynamodb:`. */
export type Action = Exclude<Operation, 'BatchExecuteStatement'> | 'PartiQLInsert' | 'PartiQLUpdate' | 'PartiQLDelete'

/**
 * What IAM calls the right to an operation (service authorization reference, "Actions for Amazon DynamoDB"). A batch of
 * statements needs the right to each kind of statement in it.
 */
export const ACTIONS_OF_OPERATION: { readonly [Name in Operation]: readonly Action[] } = {
  BatchWriteItem: ['BatchWriteItem'],
  BatchExecuteStatement: ['PartiQLInsert', 'PartiQLUpdate', 'PartiQLDelete'],
  BatchGetItem: ['BatchGetItem'],
  PutItem: ['PutItem'],
  UpdateItem: ['UpdateItem'],
  DeleteItem: ['DeleteItem'],
  GetItem: ['GetItem'],
  Query: ['Query'],
  Scan: ['Scan'],
  DescribeTable: ['DescribeTable'],
  DescribeTimeToLive: ['DescribeTimeToLive'],
  DescribeContinuousBackups: ['DescribeContinuousBackups'],
  DescribeKinesisStreamingDestination: ['DescribeKinesisStreamingDestination'],
  CreateTable: ['CreateTable'],
  DeleteTable: ['DeleteTable'],
  ExportTableToPointInTime: ['ExportTableToPointInTime'],
  DescribeExport: ['DescribeExport'],
  ListTables: ['ListTables'],
}

/** Of the names of tables that `headrace doctor --probe` creates. */
export const PROBE_TABLE_PREFIX = 'headrace-doctor-'

export interface OptionalAction {
  readonly action: Action
  /** What is lost without it, as the end of a sentence. */
  readonly without: string
  /** It is a right to the tables that `headrace doctor --probe` creates and drops, not to the table itself. */
  readonly isForProbe?: boolean | undefined
}

/** What a verb does to one table. */
export interface TableActions {
  readonly needs: readonly Action[]
  readonly optional: readonly OptionalAction[]
  /** Rights to the table's exports, which have ARNs of their own. */
  readonly exports?: readonly Action[] | undefined
  /** Rights that IAM grants for no single table. */
  readonly account?: readonly Action[] | undefined
}

/** What a verb does: to its table, and to another where there is one. */
export interface VerbActions {
  readonly table: TableActions
  readonly other?: TableActions | undefined
  /** Where only one table is named it is the other one, and what is read is no table. */
  readonly mayReadNoTable?: boolean | undefined
}

const SAFETY: readonly OptionalAction[] = [
  { action: 'DescribeContinuousBackups', without: 'a plan cannot tell whether point-in-time recovery is on' },
  {
    action: 'DescribeKinesisStreamingDestination',
    without: 'a plan cannot tell whether a Kinesis stream receives each change',
  },
]
const FACTS: readonly OptionalAction[] = [
  { action: 'DescribeTimeToLive', without: 'time to live is not known' },
  { action: 'DescribeContinuousBackups', without: 'point-in-time recovery is not known' },
  { action: 'DescribeKinesisStreamingDestination', without: 'Kinesis streams are not known' },
]
/** What `headrace doctor --probe` sends to the tables of its own. */
const PROBE: readonly OptionalAction[] = (
  [
    'CreateTable',
    'DescribeTable',
    'BatchWriteItem',
    'PutItem',
    'UpdateItem',
    'PartiQLInsert',
    'PartiQLUpdate',
    'DeleteTable',
  ] as const
).map((action) => ({ action, without: '--probe checks nothing', isForProbe: true }))
const MAKE: OptionalAction = { action: 'CreateTable', without: '--key cannot create a missing table' }
/** What is replaced is read, and replaced by a change. */
const KEEP: readonly OptionalAction[] = (['BatchGetItem', 'PartiQLUpdate', 'UpdateItem'] as const).map((action) => ({
  action,
  without: '--keep-old does not work',
}))
/** Only what is not there is written; after a lost answer the item is looked at. */
const INSERT: readonly OptionalAction[] = [
  ...(['PartiQLInsert', 'PutItem'] as const).map((action) => ({
    action,
    without: '--keep-old and --if-exists skip or reject cannot write new items',
  })),
  { action: 'Query', without: '--if-exists skip or reject cannot recognize its own writes after a lost answer' },
]
const READ: TableActions = { needs: ['DescribeTable', 'Scan'], optional: [] }
/** An item that was changed meanwhile is read again. */
const DELETE: readonly Action[] = ['DescribeTable', 'Scan', 'Query', 'BatchWriteItem', 'PartiQLDelete', 'DeleteItem']

/**
 * The rights that each verb needs. It is what the policies of `headrace iam` are made of, and a test holds it to what a run
 * of each verb really asks for: whoever sends something new adds it here.
 */
export const VERB_ACTIONS: { readonly [verb: string]: VerbActions } = {
  load: { table: { needs: ['DescribeTable', 'BatchWriteItem'], optional: [MAKE, ...KEEP, ...INSERT, ...SAFETY] } },
  generate: { table: { needs: ['DescribeTable', 'BatchWriteItem'], optional: [] } },
  update: {
    table: {
      // Names and statements that PartiQL does not take go by UpdateItem.
      needs: ['DescribeTable', 'Scan', 'Query', 'PartiQLUpdate', 'UpdateItem'],
      optional: [
        { action: 'PartiQLDelete', without: 'a visitor cannot delete items' },
        { action: 'DeleteItem', without: 'a visitor cannot delete items' },
        ...SAFETY,
      ],
    },
  },
  delete: { table: { needs: DELETE, optional: SAFETY } },
  copy: {
    table: READ,
    other: { needs: ['DescribeTable', 'BatchWriteItem'], optional: [...KEEP, ...INSERT, ...SAFETY] },
  },
  run: {
    table: READ,
    other: {
      needs: ['DescribeTable', 'BatchWriteItem'],
      optional: [
        { action: 'PartiQLUpdate', without: 'changes cannot update' },
        { action: 'UpdateItem', without: 'changes cannot update names that PartiQL does not support' },
        { action: 'Query', without: 'a refused update cannot be recognized as already made' },
        { action: 'PartiQLInsert', without: '--if-exists skip or reject cannot write' },
        { action: 'PutItem', without: '--if-exists skip or reject cannot write' },
        ...SAFETY,
      ],
    },
    mayReadNoTable: true,
  },
  export: { table: { needs: READ.needs, optional: [SAFETY[0]!] } },
  'export native': {
    table: { needs: ['DescribeTable', 'ExportTableToPointInTime'], optional: [], exports: ['DescribeExport'] },
  },
  count: { table: READ },
  scan: { table: READ },
  diff: {
    // What seems to differ is looked at by its key; where there is a filter, by a Query.
    table: { needs: [...READ.needs, 'BatchGetItem', 'Query'], optional: [] },
    other: {
      needs: [...READ.needs, 'BatchGetItem'],
      optional: [
        { action: 'PartiQLUpdate', without: '--fix cannot change items' },
        { action: 'UpdateItem', without: '--fix cannot change names that PartiQL does not support' },
        { action: 'PartiQLInsert', without: '--fix cannot create missing items' },
        { action: 'PutItem', without: '--fix cannot create missing items' },
      ],
    },
  },
  // What was deleted is inserted again.
  undo: {
    table: {
      needs: ['DescribeTable', 'Query', 'PartiQLInsert', 'PartiQLUpdate', 'PutItem', 'UpdateItem'],
      optional: [
        { action: 'PartiQLDelete', without: 'items created by a load or a copy cannot be deleted' },
        { action: 'DeleteItem', without: 'items created by a load or a copy cannot be deleted' },
      ],
    },
  },
  'table create': {
    table: {
      needs: ['CreateTable', 'DescribeTable'],
      optional: [{ action: 'DeleteTable', without: '--replace cannot drop a table' }],
    },
  },
  'table drop': { table: { needs: ['DescribeTable', 'DeleteTable'], optional: [] } },
  'table describe': { table: { needs: ['DescribeTable'], optional: FACTS } },
  'table list': { table: { needs: [], optional: [], account: ['ListTables'] } },
  'table wait': { table: { needs: ['DescribeTable'], optional: [] } },
  doctor: {
    table: {
      needs: ['DescribeTable', ...FACTS.map(({ action }) => action)],
      optional: PROBE,
      account: ['ListTables'],
    },
  },
}
