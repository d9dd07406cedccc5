import { once } from 'node:events'
import { existsSync } from 'node:fs'
import type { DiffSummary, RecordSource, Table } from '../../index.ts'
import { command } from '../command.ts'
import { EXIT, exitCodeOf } from '../exitCode.ts'
import { fileFormat, fileOptions, types } from '../fileOptions.ts'
import { option, rare } from '../option.ts'
import { COMMON, delimiter, READ_AND_WRITE_RATES, READING, readOptions, TARGET, writeOptions, yes } from '../options.ts'
import { rateOf } from '../values.ts'

export const diffTables = command({
  name: 'diff',
  arguments: '<left> <right>',
  section: 'Read items',
  summary: 'Compare two tables, or a table and a file',
  description:
    'Prints one JSON object per difference: an item that is missing on the right, extra there, or changed. Tables may be written to meanwhile: an apparent difference is read again. The exit status is 7 when there are differences.',
  examples: [
    'headrace diff orders orders --target-region eu-central-1',
    'headrace diff users users.ddb.jsonl.gz',
    'headrace diff members members.csv --types age=N',
    'headrace diff users users-v2 --fix --yes --rate 50%',
  ],
  options: [
    option('--fix', {
      group: 'Common options',
      description: 'write missing and changed items to the right table; delete nothing',
      library: 'fix',
    }),
    yes,
    fileFormat,
    types,
    ...READING,
    ...READ_AND_WRITE_RATES,
    rare(
      option('--target-read-rate <rate>', {
        group: 'Limits',
        description: 'like --rate, for reads of the right table',
        defaultText: 'as for the left',
        library: 'rightReadUnitsPerSecond',
        parse: rateOf,
      }),
    ),
    delimiter,
    ...TARGET,
    ...COMMON,
  ],
  async run([left, right], flags) {
    const { diff, differenceText, files, recordFileEnding } = await import('../../index.ts')
    const { confirm } = await import('../confirm.ts')
    const { diffSummaryText } = await import('../diffSummaryText.ts')
    const { Interruption } = await import('../interruption.ts')
    const { openDatabase } = await import('../openDatabase.ts')
    const { openTarget } = await import('../openTarget.ts')
    const { readSummary } = await import('../readSummary.ts')
    const { Talk } = await import('../talk.ts')
    const { adviseTypes } = await import('../adviseTypes.ts')
    const { warnOfRates } = await import('../warnOfRates.ts')
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
      const other: Table | RecordSource[] = isFile(right, recordFileEnding)
        ? await files([right], fileOptions(flags))
        : there.table(right)
      if (flags.fix === true && 'name' in other) {
        const { arn } = await other.describe()
        const does = `This writes to ${arn || right} what is missing in it or differs from ${left}`
        await confirm(does, right, flags.yes === true)
      }
      const { writeUnitsPerSecond } = writeOptions(flags)
      const rates = readOptions(flags)
      await warnOfRates(talk, table, rates, flags)
      if (process.stdout.isTTY !== true) follower = talk.follow(progress)
      const summary = await diff(table, other, {
        ...rates,
        rightReadUnitsPerSecond: flags.targetReadRate,
        writeUnitsPerSecond,
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
      // Only where something differs, as the table may have strings there, too.
      if (Array.isArray(other) && summary.changed > 0) await adviseTypes(talk, other, flags, table, undefined)
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
  },
})

/** What is there as a file, or has the name of one: a table may not have a slash in its name, but may end in .json. */
function isFile(name: string, ending: (name: string) => string | undefined): boolean {
  return name.includes('/') || existsSync(name) || ending(name) !== undefined
}

/** Nothing differs, or nothing does any more. */
function isSame({ missing, extra, changed, fixed }: DiffSummary): boolean {
  return missing + extra + changed === fixed
}
