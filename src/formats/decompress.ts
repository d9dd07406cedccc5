import { createGunzip } from 'node:zlib'
import { deferred } from '../runtime/deferred.ts'
import { ByteSource } from './byteSource.ts'
import { FormatError } from './formatError.ts'
import { unzstd } from './unzstd.ts'
import { isZstd } from './zstd.ts'

/** Compressed bytes unpacked in one step: at gzip's utmost ratio of 1032 they become 8 MiB. */
const STEP_BYTES = 8 * 1024
/** Unpacked bytes gathered before they are handed on. */
const OUTPUT_BYTES = 256 * 1024

/**
 * The bytes of a file, unpacked if it begins like a gzip or a zstd file, whatever its name. Several members in one file are read
 * one after another, and zeros behind the last are padding.
 *
 * @throws {FormatError} where the compressed data is cut short or damaged, after everything before it was handed out
 *   (up to the 8 KiB of compressed data in which the damage lies).
 */
export async function* decompress(chunks: AsyncIterable<Uint8Array>, file: string): AsyncGenerator<Buffer> {
  const source = new ByteSource(chunks)
  const head = await source.head(4)
  if (isGzip(head)) yield* gunzip(source, file)
  else if (isZstd(head)) yield* unzstd(source, file)
  else yield* source
}

/** @param head at least four bytes, if there are so many */
export function isPacked(head: Buffer): boolean {
  return isGzip(head) || isZstd(head)
}

function isGzip(head: Buffer): boolean {
  return head[0] === 0x1f && head[1] === 0x8b
}

async function* gunzip(source: ByteSource, file: string): AsyncGenerator<Buffer> {
  const engine = createGunzip({ chunkSize: 64 * 1024 })
  const ended = deferred()
  let output: Buffer[] = []
  let outputBytes = 0
  let failure: Error | undefined
  let finished = false
  engine.on('data', (bytes: Buffer) => {
    output.push(bytes)
    outputBytes += bytes.length
  })
  engine.on('end', () => {
    finished = true
    ended.resolve()
  })
  let written = deferred()
  engine.on('error', (error) => {
    failure = error
    ended.resolve()
    // A write that fails never calls back.
    written.resolve()
  })
  const take = (): Buffer => {
    const bytes = output.length === 1 ? output[0]! : Buffer.concat(output)
    output = []
    outputBytes = 0
    return bytes
  }
  const damaged = (cause?: Error): FormatError => {
    const offset = engine.bytesWritten
    const cut = cause !== undefined && 'code' in cause && cause.code === 'Z_BUF_ERROR'
    const what = cut
      ? `the gzip data ends early, after ${offset} compressed bytes: the file is truncated`
      : `the gzip data is damaged at about compressed byte ${offset} (${cause?.message ?? 'there is other data after it'})`
    return new FormatError(`${what}. Download or create the file again.`, { file, offset }, { cause })
  }

  let fed = 0
  let padding = false
  try {
    for await (const piece of source) {
      for (let start = 0; start < piece.length; start += STEP_BYTES) {
        const step = piece.subarray(start, start + STEP_BYTES)
        if (padding) {
          if (step.some((byte) => byte !== 0)) throw damaged()
          continue
        }
        written = deferred()
        engine.write(step, () => written.resolve())
        await written.promise
        if (failure !== undefined) break
        fed += step.length
        // The engine takes all it is given, save what stands behind the last member and is no member itself.
        if (engine.bytesWritten < fed) {
          await ended.promise
          padding = true
          if (step.subarray(step.length - (fed - engine.bytesWritten)).some((byte) => byte !== 0)) throw damaged()
        }
        if (outputBytes >= OUTPUT_BYTES) yield take()
      }
      if (failure !== undefined) break
    }
    if (!finished && failure === undefined) {
      engine.end()
      await ended.promise
    }
    if (outputBytes > 0) yield take()
    if (failure !== undefined) throw damaged(failure)
  } finally {
    engine.destroy()
  }
}
