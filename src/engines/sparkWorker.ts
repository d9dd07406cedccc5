import { connect } from '../database/database.ts'
import type { JobReject } from '../job/reject.ts'
import { RejectsFile } from '../job/rejectsFile.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { DEFAULT_RATE, type Rate } from '../throughput/rate.ts'
import { runStream } from './runStream.ts'
import { CutStreamError, SparkStream } from './sparkStream.ts'

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
  process.stderr.write(`headrace: ${message}\n`, () => process.exit(error instanceof CutStreamError ? EXIT_CUT : 1))
}

async function publishRows(): Promise<object> {
  const stream = new SparkStream(process.stdin)
  const { table, operation, connection, rate, share, schema, place, rejectsMax, ...begin } = await stream.begin()
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
  const asked = rate ?? (loopback ? undefined : DEFAULT_RATE)
  const { counters } = await runStream(stream.rows(schema), {
    table: database.table(table),
    operation,
    ...(asked === undefined ? {} : { writeUnitsPerSecond: shareOf(asked, share) }),
    maxQueueSize: QUEUE_SIZE_MAX,
    maxQueueBytes: QUEUE_BYTES_MAX,
    ...(begin.maxInFlight === undefined ? {} : { maxInFlight: begin.maxInFlight }),
    ...(begin.patienceSeconds === undefined ? {} : { patienceMs: begin.patienceSeconds * 1_000 }),
    place: (index) => `${place}, row ${index + 1}`,
    onReject,
  })
  rejects.close()
  return counters
}

function shareOf(rate: Rate, share: number): Rate {
  return typeof rate === 'number' ? rate * share : `${Number.parseFloat(rate) * share}%`
}
