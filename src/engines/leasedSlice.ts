import type { OpenDatabase } from '../database/database.ts'
import type { Table } from '../database/table.ts'
import { newMark } from '../job/newMark.ts'
import { noEndings } from '../job/tally.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { parseJson } from '../runtime/parseJson.ts'
import { type ProcessIdentity, systemProcesses } from '../runtime/processIdentity.ts'
import { runSlice, type SliceContext, type SliceCounters, type SliceResult } from './runSlice.ts'
import type { Slice, SliceCursor } from './slice.ts'

/** A holder that was not heard of for so long is gone; one that is there is heard of each ten seconds. */
const LEASE_MS = 60_000
const ASK_AGAIN_MS = 5_000

type Row = {
  readonly [name: string]:
    | { readonly S?: string | undefined; readonly N?: string | undefined; readonly BOOL?: boolean | undefined }
    | undefined
}

/**
 * As `runSlice`, and keeps where the slice is in a control table (any table with the partition key `pk`, text), so that any
 * machine may go on with it: again, until it is done or the signal comes. One process at a time has a slice. Of one that is not heard
 * of for a minute it is taken, by a number that counts up; whoever comes back with an older one is refused, and ends.
 *
 * Nothing keeps such a process from a last write to the table itself: changes are made on condition of what was read, and what
 * adds has its mark (`once`).
 *
 * @throws {HeadraceError} `LOCKED` when another process took the slice; else as {@link runSlice}
 */
export async function runLeasedSlice(slice: Slice, control: Table, context: SliceContext = {}): Promise<SliceResult> {
  const { job, index, of } = slice
  const lease = new Lease(control, await control.database.open(), `slice#${job.id}#${job.mark}#${of}#${index}`)
  let state = await lease.take(context.signal)
  const onto = context.signal
  while (!state.done && onto?.aborted !== true) {
    const cursor = state.cursor === undefined ? {} : { cursor: state.cursor }
    const result = await runSlice(
      { job, index, of, ...cursor },
      {
        ...context,
        keepCursor: async (at, counters) => {
          await lease.save(at, counters, false)
          await context.keepCursor?.(at, counters)
        },
      },
    )
    await lease.save(result.cursor, result.counters, result.done)
    state = { ...result }
  }
  await lease.release()
  const { done, cursor, counters = NOTHING } = state
  return { index, done, cursor, counters }
}

const NOTHING: SliceCounters = {
  read: 0,
  ...noEndings(),
  readUnits: 0,
  writeUnits: 0,
  requests: 0,
  retried: 0,
}

interface State {
  readonly done: boolean
  readonly cursor?: SliceCursor | undefined
  readonly counters?: SliceCounters | undefined
}

class Lease {
  readonly #control: Table
  readonly #database: OpenDatabase
  readonly #key: string
  readonly #owner: string
  #fence = 0

  constructor(control: Table, database: OpenDatabase, key: string) {
    this.#control = control
    this.#database = database
    this.#key = key
    this.#owner = JSON.stringify({ ...systemProcesses.own, mark: newMark(database.random) })
  }

  /** Waits, for as long as the holder is heard of a little more than a lease. @returns where the slice is */
  async take(signal: AbortSignal | undefined): Promise<State> {
    const { clock } = this.#database
    const giveUpAtMs = clock.now() + LEASE_MS + 2 * ASK_AGAIN_MS
    for (;;) {
      const row =
        (await this.#takeIf('attribute_not_exists(#until) OR #until < :now OR #owner = :owner', {
          ':now': { N: `${clock.wallNow()}` },
        })) ?? (await this.#takeOfDead())
      if (row !== undefined) {
        this.#fence = Number(row['fence']?.N)
        return stateOf(row)
      }
      if (clock.now() > giveUpAtMs || signal?.aborted === true) {
        throw new HeadraceError(
          'LOCKED',
          `another process is running ${this.#key}: it holds the lease in the control table ${this.#control.name}. ` +
            'Wait for it, or stop it and retry after a minute',
        )
      }
      await new Promise<void>((resolve) => void clock.setTimer(resolve, ASK_AGAIN_MS))
    }
  }

  #takeIf(condition: string, values: object): Promise<Row | undefined> {
    const own = { ':one': { N: '1' }, ':owner': { S: this.#owner }, ':until': this.#until() }
    return this.#update('ADD #fence :one SET #owner = :owner, #until = :until', condition, { ...own, ...values })
  }

  /** Of a holder on this machine it can be seen that it is gone. */
  async #takeOfDead(): Promise<Row | undefined> {
    const holder = (await this.#control.get({ pk: this.#key }))?.['owner'] as string | undefined
    if (holder === undefined || systemProcesses.isAlive(parseJson(holder) as ProcessIdentity) !== false)
      return undefined
    return this.#takeIf('#owner = :dead', { ':dead': { S: holder } })
  }

  /** @throws {HeadraceError} `LOCKED` when it is another's by now */
  async save(cursor: SliceCursor | undefined, counters: SliceCounters, done: boolean): Promise<void> {
    const row = await this.#update('SET #state = :state, #until = :until', '#fence = :fence', {
      ':state': { S: JSON.stringify({ done, cursor, counters }) },
      ':until': this.#until(),
      ':fence': { N: `${this.#fence}` },
    })
    if (row === undefined) throw this.#lost()
  }

  /** Others need not wait. */
  async release(): Promise<void> {
    const values = { ':until': { N: '0' }, ':fence': { N: `${this.#fence}` } }
    if ((await this.#update('SET #until = :until', '#fence = :fence', values)) === undefined) throw this.#lost()
  }

  #lost(): HeadraceError {
    return new HeadraceError(
      'LOCKED',
      `another process took over ${this.#key}: this one did not renew its lease in ${this.#control.name} ` +
        `for ${LEASE_MS / 1_000} s. The other process continues; nothing is lost`,
    )
  }

  #until(): { N: string } {
    return { N: `${this.#database.clock.wallNow() + LEASE_MS}` }
  }

  /** @returns the row as it is then; undefined where the condition does not hold */
  async #update(update: string, condition: string, values: object): Promise<Row | undefined> {
    const text = `${update} ${condition}`
    const names = ['fence', 'owner', 'until', 'state'].filter((name) => text.includes(`#${name}`))
    const answer = (await this.#database.service.call('UpdateItem', {
      TableName: this.#control.name,
      Key: { pk: { S: this.#key } },
      UpdateExpression: update,
      ConditionExpression: condition,
      ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
      ExpressionAttributeValues: values,
      ReturnValues: 'ALL_NEW',
    })) as { Attributes?: Row } | undefined
    return answer === undefined ? undefined : (answer.Attributes ?? {})
  }
}

function stateOf(row: Row): State {
  const text = row['state']?.S
  return text === undefined ? { done: false } : (parseJson(text) as State)
}
