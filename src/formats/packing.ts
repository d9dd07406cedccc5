import { promisify } from 'node:util'
import { constants, gzip, gzipSync } from 'node:zlib'
import { HeadraceError } from '../runtime/headraceError.ts'
import { NEEDS_NODE, zstd } from './zstd.ts'

/** How a file is packed. Both can be cut behind any chunk that was packed by itself, and gone on with. */
export type Packing = 'gzip' | 'zstd'

/** By how its name ends. */
export function packingOf(path: string): Packing | undefined {
  if (/\.gz$/i.test(path)) return 'gzip'
  return /\.zst$/i.test(path) ? 'zstd' : undefined
}

/** @throws {HeadraceError} `CONFIGURATION` where this Node can not pack so */
export function checkPacking(packing: Packing | undefined): void {
  if (packing !== 'zstd' || zstd !== undefined) return
  throw new HeadraceError('CONFIGURATION', `zstd ${NEEDS_NODE}: use a file name that ends in .gz`)
}

const FAST = { level: constants.Z_BEST_SPEED }
const gzipAsync = promisify(gzip)

/** A whole by itself: a member of gzip, or a frame of zstd. */
export function pack(bytes: Uint8Array, packing: Packing): Promise<Buffer> {
  if (packing === 'gzip') return gzipAsync(bytes, FAST)
  return new Promise((resolve, reject) => {
    zstd!.zstdCompress(bytes, zstdOptions(), (error, packed) => (error === null ? resolve(packed) : reject(error)))
  })
}

/** As {@link pack}. */
export function packNow(bytes: Uint8Array, packing: Packing): Buffer {
  return packing === 'gzip' ? gzipSync(bytes) : zstd!.zstdCompressSync(bytes, zstdOptions())
}

/** With a checksum of what is in it, as gzip has one. */
function zstdOptions(): { params: { [parameter: number]: number } } {
  return { params: { [zstd!.constants.ZSTD_c_checksumFlag]: 1 } }
}
