import type { Count, Table } from '../../index.ts'
import { counted as countedWords } from '../../runtime/counted.ts'
import { command } from '../command.ts'
import { type FlagsOf, option } from '../option.ts'
import { COMMON, consistentRead, index, READ_RATE, READING, readOptions } from '../options.ts'
import type { Talk } from '../talk.ts'

const OPTIONS = [
  option('--sample', {
    group: 'Common options',
    description: 'estimate from some segments, with at most 4,096 read units',
  }),
  ...READING,
  index,
  consistentRead,
  ...READ_RATE,
  ...COMMON,
] as const

export const countItems = command({
  name: 'count',
  arguments: '<table>',
  section: 'Read items',
  summary: 'Count items: exactly, or from a sample',
  examples: [
    'headrace count users',
    `headrace count users --where "tier = 'basic'"`,
    'headrace count users --sample --json',
  ],
  options: OPTIONS,
  async run([name], flags) {
    const { count } = await import('../../index.ts')
    const { limitRows } = await import('../../report/limitRows.ts')
    const { Interruption } = await import('../interruption.ts')
    const { openDatabase } = await import('../openDatabase.ts')
    const { readSummary } = await import('../readSummary.ts')
    const { sayFilter } = await import('../sayPreview.ts')
    const { Talk } = await import('../talk.ts')
    const { warnOfRates } = await import('../warnOfRates.ts')
    const talk = new Talk(flags)
    const interruption = new Interruption(talk)
    const database = openDatabase(flags)
    const startedAt = performance.now()
    let latest: Count | undefined
    const follower = talk.follow(() =>
      readSummary('count', name, latest?.scannedCount ?? 0, performance.now() - startedAt, latest?.stats),
    )
    try {
      const table = database.table(name)
      await warnOfRates(talk, table, readOptions(flags), flags)
      await sayFilter(talk, table, flags, interruption.signal)
      if (flags.sample === true) {
        follower.stop()
        await countBySample(talk, table, flags, interruption.signal)
        return
      }
      const counted = await count(table, {
        ...readOptions(flags),
        index: flags.index,
        ...(flags.consistentRead === true ? { consistentRead: true } : {}),
        signal: interruption.signal,
        onProgress: (now) => {
          latest = now
        },
      })
      follower.stop()
      const { scannedCount, stats } = counted
      if (flags.json === true)
        talk.event('done', { operation: 'count', table: name, count: counted.count, scannedCount, ...stats })
      else process.stdout.write(`${counted.count}\n`)
      if (flags.where !== undefined)
        talk.say(
          `${countedWords(scannedCount, 'item')} read for it, ${countedWords(Math.round(stats.readUnits), 'read unit')}`,
        )
      const summary = readSummary('count', name, scannedCount, performance.now() - startedAt, stats)
      for (const [label, value] of limitRows(summary)) talk.say(`${label}: ${value}`)
    } catch (error) {
      if (interruption.exitCode === undefined) throw error
      talk.failure(error)
      process.exitCode = interruption.exitCode
    } finally {
      follower.stop()
      interruption.release()
      await database.close()
    }
  },
})

/** An estimate; the number alone is data. */
async function countBySample(
  talk: Talk,
  table: Table,
  flags: FlagsOf<typeof OPTIONS>,
  signal: AbortSignal,
): Promise<void> {
  const { countSample } = await import('../../index.ts')
  const { formatCount } = await import('../../report/figures.ts')
  if (flags.segments !== undefined) throw new TypeError('--segments and --sample exclude each other')
  const { segments: _, ...options } = readOptions(flags)
  const index = flags.index === undefined ? {} : { index: flags.index }
  const sampled = await countSample(table, { ...options, ...index, signal })
  const { count: estimate, scannedCount, segments, segmentsTotal, readUnits } = sampled
  if (flags.json === true) {
    const { value, low, high } = estimate
    talk.event('done', {
      operation: 'count',
      table: table.name,
      count: Math.round(value),
      low: Math.floor(low),
      high: Math.ceil(high),
      exact: segments === segmentsTotal,
      scannedCount,
      segments,
      segmentsTotal,
      readUnits,
    })
    return
  }
  process.stdout.write(`${Math.round(estimate.value)}\n`)
  const looked = `${countedWords(scannedCount, 'item')} looked at, ${countedWords(Math.round(readUnits), 'read unit')}`
  talk.say(
    segments === segmentsTotal
      ? `exact: all ${looked}`
      : `between ${formatCount(estimate.low)} and ${formatCount(estimate.high)}, 19 times in 20 (${looked})`,
  )
}
