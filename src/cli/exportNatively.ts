import { awaitServiceExport, type ServiceExport, startServiceExport } from '../index.ts'
import { counted } from '../runtime/counted.ts'
import { EXIT, exitCodeOf } from './exitCode.ts'
import { Interruption } from './interruption.ts'
import { openDatabase } from './openDatabase.ts'
import { flagOf } from './option.ts'
import { type CommonFlags, type S3Flags, s3Options } from './options.ts'
import { Talk } from './talk.ts'

interface NativeExportFlags {
  native: string
  format?: string | undefined
  maxDuration?: number | undefined
}

const SAY_EVERY_MS = 60_000
/** Of `headrace export` with which a service's own export has nothing to do. */
const OF_SCANS = [
  'where',
  'select',
  'index',
  'transform',
  'segments',
  'concurrency',
  'rate',
  'readRate',
  'overwrite',
  'dryRun',
  'job',
  'maxCost',
  'consistentRead',
  'dataFileMb',
  'report',
  'ui',
  'uiControl',
]

/** `headrace export TABLE --native s3://BUCKET/PREFIX`, or `--native ARN` for one that was started. */
export async function exportNatively(
  name: string,
  path: string | undefined,
  flags: CommonFlags & S3Flags & NativeExportFlags,
): Promise<void> {
  const { native, format, maxDuration } = flags
  const odd = OF_SCANS.find((flag) => flag in flags)
  if (path !== undefined) throw new TypeError(`DynamoDB exports to S3: name a file, or --native, and not both`)
  if (odd !== undefined) throw new TypeError(`DynamoDB exports a table as it is: leave out ${flagOf(odd)}, or --native`)
  if (format !== undefined && format !== 'ddb-json' && format !== 'ion')
    throw new TypeError(`DynamoDB exports as ddb-json or ion, not "${format}"`)
  const talk = new Talk(flags)
  const database = openDatabase(flags)
  const interruption = new Interruption(talk, 'not waiting any more: the export goes on')
  try {
    const begun = native.startsWith('arn:')
      ? native
      : (
          await startServiceExport(database.table(name), native, {
            ...s3Options(flags),
            format,
          })
        ).arn
    const goOn = `headrace export ${name} --native ${begun}`
    talk.event('start', { operation: 'native export', table: name, arn: begun })
    talk.say(`DynamoDB exports ${name}: ${begun}`)
    const beganAt = performance.now()
    let saidAt = beganAt
    const ended = await awaitServiceExport(database, begun, {
      signal: interruption.signal,
      waitMs: maxDuration,
      onLook: (now) => {
        talk.event('progress', now)
        if (now.status !== 'IN_PROGRESS' || performance.now() - saidAt < SAY_EVERY_MS) return
        saidAt = performance.now()
        talk.say(`still under way after ${Math.round((saidAt - beganAt) / 60_000)} min`)
      },
    })
    if (ended.status === 'COMPLETED') tellOf(ended, talk, flags.json === true)
    else {
      talk.say(`The export is still under way. To wait for it: ${goOn}`)
      process.exitCode = interruption.exitCode ?? EXIT.limit
    }
  } catch (error) {
    talk.failure(error)
    process.exitCode = exitCodeOf(error)
  } finally {
    interruption.release()
    await database.close()
  }
}

/** Its address is data. */
function tellOf(ended: ServiceExport, talk: Talk, isJson: boolean): void {
  talk.event('done', ended)
  const { itemCount, billedBytes, manifest } = ended
  talk.say(`exported ${counted(itemCount ?? 0, 'item')}; ${counted(billedBytes ?? 0, 'byte')} billed`)
  if (!isJson) process.stdout.write(`${manifest}\n`)
  talk.say(`To load it: headrace load TABLE ${manifest}`)
}
