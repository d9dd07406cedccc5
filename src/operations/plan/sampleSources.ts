import type { SourceRecord } from '../../formats/record.ts'
import type { KeySchema } from '../../item/itemKey.ts'
import { type Estimate, exactly, studentQuantile } from '../../job/estimate.ts'
import { counted } from '../../runtime/counted.ts'
import { HeadraceError } from '../../runtime/headraceError.ts'
import { segmentOrder } from '../../scan/segmentOrder.ts'
import type { RecordSource, SourceSample } from '../file.ts'

/** No more of all files together than this is read, as they lie on the disk: about a second's work. */
const BYTES_MAX = 64 * 1024 * 1024
/** Of more than that, so many places are looked at, each over so many bytes. */
const PLACES = 32
const PLACE_BYTES = 1024 * 1024

/** What was read of some files. */
export interface SourcesSample {
  /** All bytes of all files, as they lie on the disk. */
  readonly bytesTotal: number
  readonly records: number
  /** Everything was read. */
  readonly whole: boolean
  /** Files were read from their beginnings only, which may not be like the rest. */
  readonly beginningsOnly: boolean
  /** Of some quantity that each record adds to, what all records come to. */
  expand(quantity: number): Estimate
  readonly words: string
}

/** What was read at one place: sums of quantities, and the bytes that they are of. */
interface Look {
  readonly sums: number[]
  bytes: number
}

interface Place {
  readonly sample: SourceSample
  readonly from: number
  /** `Infinity` for all there is. */
  readonly bytesMax: number
}

/**
 * Reads files, or parts of them, and adds up what `weigh` says of each record.
 *
 * @param weigh numbers to be summed, as many for each record, or a promise of them; undefined when it is enough, and the rest
 *   is left
 * @param key of the table that the records are for, where they must have it
 * @throws {HeadraceError} `INPUT` for standard input, and for a source that can not be read twice; {StorageError} and
 *   {FormatError} for files that can not be read
 */
export async function sampleSources(
  sources: readonly RecordSource[],
  quantities: number,
  weigh: (record: SourceRecord) => readonly number[] | Promise<readonly number[]> | undefined,
  key?: KeySchema,
  signal?: AbortSignal,
): Promise<SourcesSample> {
  const samples = sources.map(sampleOf)
  const sizes = await Promise.all(samples.map((sample) => sample.sizeBytes()))
  const bytesTotal = sizes.reduce((sum, size) => sum + size, 0)
  const isSmall = bytesTotal <= BYTES_MAX
  const places = isSmall
    ? samples.map((sample): Place => ({ sample, from: 0, bytesMax: Number.POSITIVE_INFINITY }))
    : choosePlaces(samples, sizes, bytesTotal)
  const looks: Look[] = []
  let records = 0
  let stopped = false
  for (const { sample, from, bytesMax } of places) {
    const look: Look = { sums: new Array(quantities).fill(0), bytes: 0 }
    looks.push(look)
    const part = sample.read(from, key)
    for await (const list of part.records) {
      signal?.throwIfAborted()
      const bytesBefore = look.bytes
      let weighed = 0
      for (const record of list) {
        const asked = weigh(record)
        const weights = asked instanceof Promise ? await asked : asked
        stopped = weights === undefined
        if (weights === undefined) break
        for (let quantity = 0; quantity < quantities; quantity += 1) look.sums[quantity]! += weights[quantity]!
        weighed += 1
        if (asked instanceof Promise) signal?.throwIfAborted()
      }
      records += weighed
      look.bytes = bytesBefore + (part.bytesTaken() - bytesBefore) * (list.length === 0 ? 1 : weighed / list.length)
      if (stopped || look.bytes >= bytesMax) break
    }
    if (stopped) break
  }
  const whole = isSmall && !stopped

  const seekable = places.every(({ sample }) => sample.seekable)
  return {
    bytesTotal,
    records,
    whole,
    beginningsOnly: !whole && !seekable,
    expand: (quantity) => expandLooks(looks, quantity, bytesTotal, whole),
    words: whole
      ? records === 1
        ? 'read its only record'
        : `read all ${counted(records, 'record')}`
      : `read ${counted(records, 'record')} at ${counted(places.length, 'place')} in ${sources.length === 1 ? 'the file' : counted(sources.length, 'file')}`,
  }
}

function sampleOf({ name, sample }: RecordSource): SourceSample {
  if (sample !== undefined) return sample
  const what = name === '-' ? 'standard input' : `"${name}"`
  throw new HeadraceError('INPUT', `cannot plan ${what}: it can be read only once. Write it to a file first`)
}

/** Places at equal steps over all bytes; in a file that is read from its beginning alone, that beginning. */
function choosePlaces(samples: readonly SourceSample[], sizes: readonly number[], bytesTotal: number): Place[] {
  const places = new Map<string, Place>()
  for (const step of segmentOrder(PLACES)) {
    let at = ((step + 0.5) / PLACES) * bytesTotal
    let index = 0
    while (index < sizes.length - 1 && at >= sizes[index]!) {
      at -= sizes[index]!
      index += 1
    }
    const sample = samples[index]!
    const from = sample.seekable ? Math.max(0, Math.min(Math.floor(at), sizes[index]! - PLACE_BYTES)) : 0
    const name = `${index} ${from}`
    // What can not be entered in the middle is read the further for each place that fell into it.
    const bytesMax = (places.get(name)?.bytesMax ?? 0) + PLACE_BYTES
    places.set(name, { sample, from, bytesMax })
  }
  return [...places.values()]
}

/** What a byte comes to, times all bytes (ratio estimator; W. G. Cochran, Sampling Techniques, 6). */
function expandLooks(looks: readonly Look[], quantity: number, bytesTotal: number, whole: boolean): Estimate {
  const seen = looks.reduce((sum, look) => sum + look.sums[quantity]!, 0)
  if (whole) return exactly(seen)
  const bytes = looks.reduce((sum, look) => sum + look.bytes, 0)
  const ratio = bytes === 0 ? 0 : seen / bytes
  const value = ratio * bytesTotal
  const count = looks.length
  if (count < 2) return { value, low: seen, high: Number.POSITIVE_INFINITY }
  const residuals = looks.reduce((sum, look) => sum + (look.sums[quantity]! - ratio * look.bytes) ** 2, 0)
  const perLook = Math.sqrt(residuals / (count - 1) / count)
  const margin = studentQuantile(count - 1) * perLook * (bytesTotal / (bytes / count))
  return { value, low: Math.max(seen, value - margin), high: value + margin }
}
