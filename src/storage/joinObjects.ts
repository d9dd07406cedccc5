import { nameOf, type S3, type S3Address, type S3Object, type S3Part } from './s3.ts'
import { StorageError } from './storageError.ts'

/** Bytes, or an object that has them. */
export type JoinedPart = { readonly bytes: Uint8Array } | (S3Address & S3Object)

/** S3 takes 5 MiB to 5 GiB for a part, but the last, and 10,000 of them (user guide, "Amazon S3 multipart upload limits"). */
const MIB = 1024 * 1024
const PART_BYTES_MIN = 5 * MIB
const PART_BYTES_MAX = 5 * 1024 * MIB
const PARTS_MAX = 9_000
const COPIES_MAX = 8

/** A range of an object that S3 copies by itself, or pieces that are gathered here. */
type Step =
  | { readonly copy: S3Address & S3Object; readonly start: number; readonly sizeBytes: number }
  | { readonly gather: readonly Gathered[] }

type Gathered = Uint8Array | { readonly from: S3Address & S3Object; readonly start: number; readonly sizeBytes: number }

/**
 * Makes one object of several, in their order. S3 copies what is large by itself; what is too small for that passes through here,
 * together.
 *
 * @param partBytesMin less than S3's own, for tests
 * @throws {StorageError} also for an object that is there already, unless it is to be replaced
 */
export async function joinObjects(
  s3: S3,
  address: S3Address,
  parts: readonly JoinedPart[],
  replaces: boolean,
  partBytesMin: number = PART_BYTES_MIN,
): Promise<void> {
  const total = parts.reduce((sum, part) => sum + sizeOf(part), 0)
  const steps = plan(parts, Math.max(partBytesMin, Math.ceil(total / PARTS_MAX)))
  const [first] = steps
  if (first === undefined || (steps.length === 1 && 'gather' in first)) {
    const body = first === undefined ? Buffer.alloc(0) : await gather(s3, first.gather)
    try {
      await s3.put(address, body, replaces)
    } catch (error) {
      // It is there already where somebody has made it, and the answer was lost.
      if (replaces || (await s3.get(address))?.equals(body) !== true) throw error
    }
    return
  }
  const uploadId = await s3.beginUpload(address)
  try {
    const made: S3Part[] = []
    let next = 0
    const work = async (): Promise<void> => {
      for (let at = next++; at < steps.length; at = next++) {
        const step = steps[at]!
        const number = at + 1
        made[at] =
          'copy' in step
            ? await s3.copyPart(address, uploadId, number, {
                ...step.copy,
                start: step.start,
                sizeBytes: step.sizeBytes,
              })
            : await s3.uploadPart(address, uploadId, number, await gather(s3, step.gather))
      }
    }
    await allOrFirstFailure(Array.from({ length: COPIES_MAX }, work))
    if (await s3.completeUpload(address, uploadId, made, replaces)) return
    throw new StorageError(`the upload of ${nameOf(address)} was aborted. Try again.`, nameOf(address))
  } catch (error) {
    await s3.abortUpload(address, uploadId)
    throw error
  }
}

/** Nobody works on when this ends. */
async function allOrFirstFailure(work: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(work)).find((one) => one.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

function plan(parts: readonly JoinedPart[], least: number): Step[] {
  const steps: Step[] = []
  let gathered: Gathered[] = []
  let gatheredBytes = 0
  const flush = (): void => {
    if (gatheredBytes > 0) steps.push({ gather: gathered })
    gathered = []
    gatheredBytes = 0
  }
  for (const part of parts) {
    if ('bytes' in part) {
      gathered.push(part.bytes)
      gatheredBytes += part.bytes.length
      continue
    }
    let start = 0
    // What was gathered becomes large enough with the beginning of this one, if need be.
    const missing = gatheredBytes === 0 ? 0 : Math.max(0, least - gatheredBytes)
    if (part.sizeBytes - missing < least) {
      gathered.push({ from: part, start, sizeBytes: part.sizeBytes })
      gatheredBytes += part.sizeBytes
      if (gatheredBytes >= least) flush()
      continue
    }
    if (missing > 0) {
      gathered.push({ from: part, start, sizeBytes: missing })
      gatheredBytes += missing
      start = missing
    }
    flush()
    const count = Math.ceil((part.sizeBytes - start) / PART_BYTES_MAX)
    const each = Math.ceil((part.sizeBytes - start) / count)
    for (; start < part.sizeBytes; start += each)
      steps.push({ copy: part, start, sizeBytes: Math.min(each, part.sizeBytes - start) })
  }
  flush()
  return steps
}

async function gather(s3: S3, gathered: readonly Gathered[]): Promise<Buffer> {
  const never = new AbortController().signal
  const pieces = await Promise.all(
    gathered.map(async (one) => {
      if (one instanceof Uint8Array) return one
      const { from, start, sizeBytes } = one
      if (sizeBytes === 0) return new Uint8Array()
      return s3.read(from, from, start, sizeBytes, never)
    }),
  )
  return Buffer.concat(pieces)
}

function sizeOf(part: JoinedPart): number {
  return 'bytes' in part ? part.bytes.length : part.sizeBytes
}
