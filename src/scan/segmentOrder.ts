/**
 * The order in which to begin the segments of a scan. A segment is a range of the hash, and so is a partition: taken one
 * after another, neighbours would all ask the same partition. In bit-reversed order those read at the same time lie as
 * far apart as they can: of 8 segments 0, 4, 2, 6, 1, 5, 3, 7.
 */
export function segmentOrder(total: number): number[] {
  const bits = Math.ceil(Math.log2(Math.max(1, total)))
  const order: number[] = []
  for (let index = 0; index < 2 ** bits; index += 1) {
    let reversed = 0
    for (let bit = 0; bit < bits; bit += 1) if (index & (1 << bit)) reversed |= 1 << (bits - 1 - bit)
    if (reversed < total) order.push(reversed)
  }
  return order
}

/** Bytes that a segment should hold: AWS advises one for each 2 GB; more and smaller ones spread and resume better. */
const SEGMENT_BYTES = 128 * 1024 * 1024
/** A segment costs at least half a read unit, so it should hold some items. */
const SEGMENT_ITEMS_MIN = 1_000
const SEGMENTS_MAX = 16_384

/**
 * How many segments to cut a table into.
 *
 * @param sizeBytes and `itemCount` as the service tells, up to six hours old; 0 for a table it has not looked at yet
 * @param concurrency segments read at once
 */
export function chooseSegments(sizeBytes: number, itemCount: number, concurrency: number): number {
  const bySize = Math.ceil(sizeBytes / SEGMENT_BYTES)
  const byItems = itemCount === 0 ? concurrency : Math.ceil(itemCount / SEGMENT_ITEMS_MIN)
  return Math.max(1, Math.min(SEGMENTS_MAX, Math.max(bySize, concurrency), Math.max(byItems, bySize)))
}
