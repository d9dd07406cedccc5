import { once } from 'node:events'
import { counted } from '../../runtime/counted.ts'
import { defined } from '../../runtime/defined.ts'
import { command } from '../command.ts'
import { option, withDefault } from '../option.ts'
import { COMMON, consistentRead, index, READ_RATE, READING, readOptions, select } from '../options.ts'
import { wholeFrom } from '../values.ts'

/** Up to this `--limit`, a page has as many items as are asked for. */
const LOOK_MAX = 1_000

export const scanItems = command({
  name: 'scan',
  arguments: '<table>',
  section: 'Read items',
  summary: 'Print items, one JSON object per line',
  examples: [
    'headrace scan users > users.jsonl',
    `headrace scan users --where "country = 'NO'" --select id,name --limit 10`,
    'headrace scan users --format ddb-json | gzip > users.ddb.jsonl.gz',
  ],
  options: [
    option('--limit <n>', { group: 'Common options', description: 'stop after this many items', parse: wholeFrom(1) }),
    withDefault(
      option('--format <format>', {
        group: 'Common options',
        description: 'jsonl is plain: sets become lists, binary becomes base64; ddb-json keeps all types',
        choices: ['jsonl', 'ddb-json'],
      }),
      'jsonl',
    ),
    ...READING,
    select,
    index,
    consistentRead,
    ...READ_RATE,
    ...COMMON,
  ],
  async run([name], flags) {
    const { encodeItem, writePlainJson } = await import('../../index.ts')
    const { formatDuration } = await import('../../report/figures.ts')
    const { limitRows } = await import('../../report/limitRows.ts')
    const { Interruption } = await import('../interruption.ts')
    const { openDatabase } = await import('../openDatabase.ts')
    const { readSummary } = await import('../readSummary.ts')
    const { sayFilter } = await import('../sayPreview.ts')
    const { Talk } = await import('../talk.ts')
    const { warnOfRates } = await import('../warnOfRates.ts')
    const talk = new Talk(flags, true)
    const interruption = new Interruption(talk)
    const database = openDatabase(flags)
    const write = flags.format === 'jsonl' ? writePlainJson : (item: object) => `{"Item":${encodeItem(item)}}`
    const limit = flags.limit ?? Number.POSITIVE_INFINITY
    const startedAt = performance.now()
    let read = 0
    const table = database.table(name)
    await warnOfRates(talk, table, readOptions(flags), flags)
    // Pages of no more than are asked for, so that a look at one item does not read hundreds. A filter has to read on.
    const isLook = limit <= LOOK_MAX && flags.where === undefined
    const scan = table.scan({
      ...(isLook ? { segments: 1, concurrency: 1, pageItemsMax: limit } : {}),
      ...defined(readOptions(flags)),
      select: flags.select,
      index: flags.index,
      ...(flags.consistentRead === true ? { consistentRead: true } : {}),
    })
    const progress = () => readSummary('scan', name, read, performance.now() - startedAt, scan.stats)
    // A block that redraws itself between the items would help nobody.
    const follower = process.stdout.isTTY === true ? { stop: () => undefined } : talk.follow(progress)
    try {
      // Who asks for a few items wants them at once.
      if (flags.limit === undefined) await sayFilter(talk, table, flags, interruption.signal)
      for await (const page of scan.pages()) {
        let text = ''
        for (const item of page.items) {
          if (read >= limit) break
          text += `${write(item)}\n`
          read += 1
        }
        if (text !== '' && !process.stdout.write(text)) await once(process.stdout, 'drain')
        if (read >= limit || interruption.signal.aborted) break
      }
      follower.stop()
      const { readUnits } = scan.stats
      talk.event('done', progress())
      talk.say(
        `${counted(read, 'item')} in ${formatDuration(performance.now() - startedAt)}, ${counted(Math.round(readUnits), 'read unit')}`,
      )
      for (const [label, value] of limitRows(progress())) talk.say(`${label}: ${value}`)
      if (interruption.exitCode !== undefined) process.exitCode = interruption.exitCode
    } finally {
      follower.stop()
      interruption.release()
      await database.close()
    }
  },
})
