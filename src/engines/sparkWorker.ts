import { connect, type Database } from '../database/database.ts'
import type { JobReject } from '../job/reject.ts'
import { RejectsFile } from '../job/rejectsFile.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { printable } from '../runtime/printable.ts'
import { DEFAULT_RATE, type Rate } from '../throughput/rate.ts'
import { runStream, type StreamContext } from './runStream.ts'
import { sharedRate } from './sharedRate.ts'
import { CutStreamError, type SparkBegin, SparkStream } from './sparkStream.ts'

// A program of its own: one attempt at one partition of Spark. It reads rows on standard input and says on standard output
// what was rejected, and at last that all is done; see `sparkStream.ts`. What goes wrong is said on standard error, and the
// exit status is 1, or 65 where the rows were cut off. It ends of itself when its parent does: the rows are cut off then.

/** As `sysexits.h` has it: the data are not as they should be. */
const EXIT_CUT = 65
/** A task has little memory of its own, and other tasks beside it. */
const QUEUE_BYTES_MAX = 16 * 1024 * 1024
const QUEUE_SIZE_MAX = 5_000

process.stdout.on('error', () => process.exit(1))
try {
  const done = await publishRows()
  process.stdout.write(`${JSON.stringify(['done', done])}\n`, () => process.exit(0))
} catch (error) {
  const message = error instanceof HeadraceError || error instanceof TypeError ? error.message : (error as Error).stack
  process.stderr.write(`headrace: ${printable(`${message}`)}\n`, () =>
    process.exit(error instanceof CutStreamError ? EXIT_CUT : 1),
  )
}

async function publishRows(): Promise<object> {
  const stream = new SparkStream(process.stdin)
  const begin = await stream.begin()
  const { table, operation, connection, schema, place, rejectsMax } = begin
  const database = connect(connection)
  // Lines of a rejects file, into a pipe: a reader that is slow holds the rows back.
  const rejects = new RejectsFile('rejects', () => ({
    write: (text) => void process.stdout.write(text),
    close: () => undefined,
  }))
  let rejected = 0
  const onReject = (reject: JobReject): void => {
    rejected += 1
    if (rejectsMax === undefined || rejected <= rejectsMax) rejects.add(reject)
  }
  const { loopback } = (await database.open()).connection
  const { counters } = await runStream(stream.rows(schema), {
    table: database.table(table),
    operation,
    ...ratesOf(begin, database, loopback),
    maxQueueSize: QUEUE_SIZE_MAX,
    maxQueueBytes: QUEUE_BYTES_MAX,
    maxInFlight: begin.maxInFlight,
    ...(begin.patienceSeconds === undefined ? {} : { patienceMs: begin.patienceSeconds * 1_000 }),
    place: (index) => `${place}, row ${index + 1}`,
    onReject,
  })
  rejects.close()
  return counters
}

/** What one task of many may spend. */
function ratesOf(
  { rate, share, control }: SparkBegin,
  database: Database,
  loopback: boolean,
): Pick<StreamContext, 'writeUnitsPerSecond' | 'sharedWriteRate'> {
  if (control !== undefined && typeof rate === 'number') {
    const { table, name, workersMax } = control
    const onNotice = (text: string): void => void process.stderr.write(`headrace: ${printable(text)}\n`)
    const sharedWriteRate = sharedRate(database.table(table), { name, workersMax, unitsPerSecond: rate, onNotice })
    return { writeUnitsPerSecond: Number.POSITIVE_INFINITY, sharedWriteRate }
  }
  const asked: Rate | undefined = rate ?? (loopback ? undefined : DEFAULT_RATE)
  if (asked === undefined) return {}
  if (typeof asked === 'number') return { writeUnitsPerSecond: asked * share }
  // Without an exponent, however small it is.
  return { writeUnitsPerSecond: `${Number((Number.parseFloat(asked) * share).toFixed(9))}%` }
}
