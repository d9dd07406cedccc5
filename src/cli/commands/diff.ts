import { once } from 'node:events'
import { existsSync } from 'node:fs'
import {
  type DiffSummary,
  diff,
  differenceText,
  files,
  type Rate,
  type RecordSource,
  recordFileEnding,
  type Table,
} from '../../index.ts'
import { confirm } from '../confirm.ts'
import { diffSummaryText } from '../diffSummaryText.ts'
import { EXIT, exitCodeOf } from '../exitCode.ts'
import { Interruption } from '../interruption.ts'
import { openDatabase } from '../openDatabase.ts'
import { openTarget, type TargetFlags } from '../openTarget.ts'
import { type CommonFlags, type ReadFlags, readOptions, type WriteFlags, writeOptions } from '../options.ts'
import { readSummary } from '../readSummary.ts'
import { Talk } from '../talk.ts'
import { warnOfRates } from '../warnOfRates.ts'

/** `headrace diff` */
export async function diffCommand(
  left: string,
  right: string,
  flags: CommonFlags & ReadFlags & WriteFlags & TargetFlags & { targetReadRate?: Rate; fix?: boolean; yes?: boolean },
): Promise<void> {
  const talk = new Talk(flags, true)
  const interruption = new Interruption(talk, 'stopping: what was found by now is written')
  const database = openDatabase(flags)
  const there = await openTarget(flags, database)
  const startedAt = performance.now()
  let latest: DiffSummary | undefined
  const progress = () =>
    readSummary('diff', left, latest?.leftRead ?? 0, performance.now() - startedAt, latest?.left ?? undefined)
  let follower: { stop(): void } | undefined
  try {
    const table = database.table(left)
    const other: Table | RecordSource[] = isFile(right) ? await files([right]) : there.table(right)
    if (flags.fix === true && 'name' in other) {
      const { arn } = await other.describe()
      const does = `This writes to ${arn || right} what is missing in it or differs from ${left}`
      await confirm(does, right, flags.yes === true)
    }
    const { writeUnitsPerSecond } = writeOptions(flags)
    const rates = readOptions(flags)
    await warnOfRates(talk, table, rates)
    if (process.stdout.isTTY !== true) follower = talk.follow(progress)
    const summary = await diff(table, other, {
      ...rates,
      ...(flags.targetReadRate === undefined ? {} : { rightReadUnitsPerSecond: flags.targetReadRate }),
      ...(writeUnitsPerSecond === undefined ? {} : { writeUnitsPerSecond }),
      ...(flags.fix === true ? { fix: true } : {}),
      signal: interruption.signal,
      onDifference: async (difference) => {
        if (!process.stdout.write(`${differenceText(difference)}\n`)) await once(process.stdout, 'drain')
      },
      onReject: ({ code, message, place }) => {
        talk.say(`not fixed: ${place}: ${message}`)
        talk.event('reject', { code, message, place })
      },
      onProgress: (now) => {
        latest = now
      },
    })
    follower?.stop()
    const durationMs = performance.now() - startedAt
    talk.event('done', { operation: 'diff', table: left, target: right, durationMs, ...summary })
    talk.say(diffSummaryText(left, right, summary, durationMs))
    process.exitCode = interruption.exitCode ?? (isSame(summary) ? EXIT.done : EXIT.differences)
  } catch (error) {
    follower?.stop()
    talk.failure(error)
    process.exitCode = interruption.exitCode ?? exitCodeOf(error)
  } finally {
    interruption.release()
    await there.close()
    await database.close()
  }
}

/** What is there as a file, or has the name of one: a table may not have a slash in its name, but may end in .json. */
function isFile(name: string): boolean {
  return name.includes('/') || existsSync(name) || recordFileEnding(name) !== undefined
}

/** Nothing differs, or nothing does any more. */
function isSame({ missing, extra, changed, fixed }: DiffSummary): boolean {
  return missing + extra + changed === fixed
}
