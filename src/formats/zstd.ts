import type { Transform } from 'node:stream'
import * as zlib from 'node:zlib'

/** What Node has for zstd, since 22.15; its types came later than ours. */
export interface ZstdLibrary {
  createZstdDecompress(options: { chunkSize: number; params: { [parameter: number]: number } }): Transform
  zstdCompress(
    bytes: Uint8Array,
    options: { params: { [parameter: number]: number } },
    callback: (error: Error | null, packed: Buffer) => void,
  ): void
  zstdCompressSync(bytes: Uint8Array, options: { params: { [parameter: number]: number } }): Buffer
  readonly constants: { readonly ZSTD_d_windowLogMax: number; readonly ZSTD_c_checksumFlag: number }
}

/** Undefined where this Node has none. */
export const zstd: ZstdLibrary | undefined =
  'createZstdDecompress' in zlib ? (zlib as unknown as ZstdLibrary) : undefined

export const NEEDS_NODE: string = `needs Node.js 22.15 or newer (this is ${process.version})`

const MAGIC = 0xfd2fb528
/** Of frames that hold something else, sixteen of them (RFC 8878, 3.1.2). */
const SKIPPABLE_MAGIC = 0x184d2a50

export function isZstd(head: Buffer): boolean {
  if (head.length < 4) return false
  const magic = head.readUInt32LE(0)
  return magic === MAGIC || isSkippable(magic)
}

function isSkippable(magic: number): boolean {
  return magic >>> 4 === SKIPPABLE_MAGIC >>> 4
}

/** What a frame's header is longer than its descriptor by. */
const DICTIONARY_BYTES = [0, 1, 2, 4] as const
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const
const BLOCK_HEADER_BYTES = 3
const CHECKSUM_BYTES = 4
const RLE = 1

type Step = 'magic' | 'descriptor' | 'header' | 'block' | 'body' | 'checksum' | 'skipSize' | 'skip'

/**
 * Tells where the frames of zstd data end, without unpacking them (RFC 8878, 3.1). Node's own stream says neither that a
 * frame is cut short nor that another one follows it.
 */
export class ZstdFrames {
  #step: Step = 'magic'
  /** Bytes of this step that are still to come. */
  #left = 4
  /** Those of them that have come, as a number, little-endian; of headers that are read. */
  #value = 0
  #read = 0
  #hasChecksum = false
  #isLastBlock = false

  /** Between two frames, or at the beginning. */
  get isBetween(): boolean {
    return this.#step === 'magic' && this.#read === 0
  }

  /**
   * Goes on through these bytes, to the end of the frame or of them.
   *
   * @returns how many belong to it; undefined where no frame begins that should
   */
  take(bytes: Buffer, from: number): number | undefined {
    let at = from
    while (at < bytes.length) {
      if (this.#step === 'header' || this.#step === 'body' || this.#step === 'checksum' || this.#step === 'skip') {
        const count = Math.min(this.#left, bytes.length - at)
        at += count
        this.#left -= count
      } else {
        this.#value += bytes[at]! * 256 ** this.#read
        this.#read += 1
        this.#left -= 1
        at += 1
      }
      while (this.#left === 0) {
        if (!this.#next()) return undefined
        if (this.isBetween) return at - from
      }
    }
    return at - from
  }

  /** @returns false where these bytes are no frame */
  #next(): boolean {
    const value = this.#value
    switch (this.#step) {
      case 'magic':
        if (value !== MAGIC && !isSkippable(value)) return false
        return isSkippable(value) ? this.#begin('skipSize', 4) : this.#begin('descriptor', 1)
      case 'descriptor': {
        const isSingle = (value & 0x20) !== 0
        this.#hasChecksum = (value & 4) !== 0
        const size = value >>> 6 === 0 && isSingle ? 1 : CONTENT_SIZE_BYTES[value >>> 6]!
        return this.#begin('header', (isSingle ? 0 : 1) + DICTIONARY_BYTES[value & 3]! + size)
      }
      case 'block':
        this.#isLastBlock = (value & 1) === 1
        return this.#begin('body', ((value >>> 1) & 3) === RLE ? 1 : value >>> 3)
      case 'header':
        return this.#begin('block', BLOCK_HEADER_BYTES)
      case 'body':
        if (!this.#isLastBlock) return this.#begin('block', BLOCK_HEADER_BYTES)
        return this.#hasChecksum ? this.#begin('checksum', CHECKSUM_BYTES) : this.#begin('magic', 4)
      case 'skipSize':
        return this.#begin('skip', value)
      default:
        return this.#begin('magic', 4)
    }
  }

  #begin(step: Step, bytes: number): true {
    this.#step = step
    this.#left = bytes
    this.#value = 0
    this.#read = 0
    return true
  }
}
