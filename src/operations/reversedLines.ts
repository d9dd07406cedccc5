import type { Disk } from '../storage/disk.ts'

const BLOCK_BYTES = 1024 * 1024
const NEWLINE = 10

/** A line, and how many bytes before the end of the file it begins. */
export interface ReversedLine {
  readonly text: string
  readonly fromEnd: number
}

/** The lines of a file from the last to the first; memory is bounded by a block and the longest line. */
export function* reversedLines(
  disk: Disk,
  path: string,
  size: number,
  blockBytes: number = BLOCK_BYTES,
): Generator<ReversedLine> {
  let carry: Buffer[] = []
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - blockBytes)
    const block = disk.readPart(path, start, end - start)
    let lineEnd = block.length
    for (let at = block.lastIndexOf(NEWLINE); at !== -1; at = at === 0 ? -1 : block.lastIndexOf(NEWLINE, at - 1)) {
      const text = Buffer.concat([block.subarray(at + 1, lineEnd), ...carry]).toString()
      carry = []
      if (text !== '') yield { text, fromEnd: size - (start + at + 1) }
      lineEnd = at
    }
    carry.unshift(Buffer.from(block.subarray(0, lineEnd)))
    end = start
  }
  const text = Buffer.concat(carry).toString()
  if (text !== '') yield { text, fromEnd: size }
}
