import { once } from 'node:events'
import { encodeItem, writePlainJson } from '../../index.ts'
import { formatDuration } from '../../report/figures.ts'
import { limitRows } from '../../report/limitRows.ts'
import { counted } from '../../runtime/counted.ts'
import { exitCodeOf } from '../exitCode.ts'
import { Interruption } from '../interruption.ts'
import { openDatabase } from '../openDatabase.ts'
import { type CommonFlags, type ReadFlags, readOptions } from '../options.ts'
import { readSummary } from '../readSummary.ts'
import { sayFilter } from '../sayPreview.ts'
import { Talk } from '../talk.ts'
import { warnOfRates } from '../warnOfRates.ts'

/** `headrace scan` */
export async function scanCommand(
  name: string,
  flags: CommonFlags &
    ReadFlags & { select?: string; format: string; limit?: number; index?: string; consistentRead?: boolean },
): Promise<void> {
  if (flags.format !== 'jsonl' && flags.format !== 'ddb-json') {
    throw new TypeError(`--format must be jsonl or ddb-json, not "${flags.format}"`)
  }
  const talk = new Talk(flags, true)
  const interruption = new Interruption(talk)
  const database = openDatabase(flags)
  const write = flags.format === 'jsonl' ? writePlainJson : (item: object) => `{"Item":${encodeItem(item)}}`
  const limit = flags.limit ?? Number.POSITIVE_INFINITY
  const startedAt = performance.now()
  let read = 0
  const table = database.table(name)
  await warnOfRates(talk, table, readOptions(flags))
  const scan = table.scan({
    ...readOptions(flags),
    ...(flags.select === undefined ? {} : { select: flags.select.split(',').map((part) => part.trim()) }),
    ...(flags.index === undefined ? {} : { index: flags.index }),
    ...(flags.consistentRead === true ? { consistentRead: true } : {}),
  })
  const progress = () => readSummary('scan', name, read, performance.now() - startedAt, scan.stats)
  // A picture that redraws itself among the items would help nobody.
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
  } catch (error) {
    follower.stop()
    talk.failure(error)
    process.exitCode = exitCodeOf(error)
  } finally {
    interruption.release()
    await database.close()
  }
}
