import type { OpenBytes } from './openRandomAccess.ts'
import { nameOf, type S3, type S3Address, type S3Object } from './s3.ts'

/** The first range is small, so that a look at the beginning takes little; each next one is twice as long, up to the largest. */
const RANGE_BYTES_MIN = 64 * 1024
const RANGE_BYTES_MAX = 8 * 1024 * 1024
/** Ranges that are under way at once. */
const AHEAD = 3

/**
 * The bytes of an object from an offset on, in order; several ranges are under way at a time, and no more than 24 MiB. The
 * object must stay what it is: one that takes its name meanwhile is refused.
 *
 * @throws {StorageError} from the iteration
 */
export async function* readS3Object(
  s3: S3,
  address: S3Address,
  object: S3Object,
  start = 0,
): AsyncGenerator<Uint8Array, void, undefined> {
  const stop = new AbortController()
  const ranges: Promise<Uint8Array>[] = []
  let next = start
  let length = RANGE_BYTES_MIN
  const ask = (): void => {
    if (next >= object.sizeBytes) return
    const range = s3.read(address, object, next, length, stop.signal)
    // Whoever comes to it hears of its failure.
    range.catch(() => undefined)
    ranges.push(range)
    next += length
    length = Math.min(RANGE_BYTES_MAX, length * 2)
  }
  try {
    ask()
    for (let range = ranges.shift(); range !== undefined; range = ranges.shift()) {
      const bytes = await range
      // Only somebody who goes on reading wants what comes behind.
      while (ranges.length < AHEAD && next < object.sizeBytes) ask()
      yield bytes
    }
  } finally {
    stop.abort(new Error(`the read of ${nameOf(address)} was canceled`))
  }
}

/** As {@link readS3Object}, from anywhere, until it is closed. */
export function openS3Object(s3: S3, address: S3Address, object: S3Object): OpenBytes {
  const stop = new AbortController()
  let bytesTaken = 0
  return {
    sizeBytes: object.sizeBytes,
    get bytesTaken() {
      return bytesTaken
    },
    async read(start, length) {
      if (length === 0 || start >= object.sizeBytes) return new Uint8Array()
      const bytes = await s3.read(address, object, start, length, stop.signal)
      bytesTaken += bytes.length
      return bytes
    },
    async [Symbol.asyncDispose]() {
      stop.abort(new Error(`the read of ${nameOf(address)} was canceled`))
    },
  }
}
