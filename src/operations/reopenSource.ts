import type { CsvOptions, FormatName } from '../formats/record.ts'
import type { SourceSpec } from '../job/jobSpec.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { isS3, readS3Address, S3, type S3Options } from '../storage/s3.ts'
import { file, type RecordSource, s3File } from './file.ts'
import { withItemCount } from './nativeFiles.ts'

/** Nothing is read from it: a job does not go on with standard input. */
const NOTHING: AsyncIterable<Uint8Array> = {
  async *[Symbol.asyncIterator]() {
    // Ends at once.
  },
}

/** The source that a description names. @throws {HeadraceError} `STATE` where it cannot be read in parts any more */
export function reopenSource({ range, ...spec }: SourceSpec): RecordSource {
  if (range === undefined) return openWhole(spec)
  const { from, to } = range
  const whole = openWhole({ ...spec, name: spec.name.slice(0, -`#${from}-${to}`.length) })
  if (whole.part !== undefined) return whole.part(from, to)
  throw new HeadraceError('STATE', `${whole.name} cannot be read in parts, but the job expects it`)
}

function openWhole({ name, format, csv, changes, connection, itemCount, phase }: SourceSpec): RecordSource {
  const options = {
    ...(name === '-' ? { stdin: NOTHING } : {}),
    ...(format === undefined ? {} : { format: format as FormatName }),
    ...(csv === undefined ? {} : { csv: csv as CsvOptions }),
    changes,
  }
  const source = isS3(name)
    ? s3File(new S3(connection as S3Options | undefined), readS3Address(name), undefined, options)
    : file(name, options)
  const inPhase = phase === undefined ? source : { ...source, phase }
  return itemCount === undefined ? inPhase : withItemCount(inPhase, itemCount)
}
