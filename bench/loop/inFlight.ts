import { ENTRIES_PER_REQUEST } from '../items.ts'

/**
 * Writes items `first` to `first + count - 1` in requests of 25, so many of them in flight, with a client whose calls
 * are promises: one loop for each place in flight, which is how people do it.
 */
export async function writeInFlight(
  requestsInFlight: number,
  first: number,
  count: number,
  write: (from: number, to: number) => Promise<void>,
): Promise<number> {
  const end = first + count
  let next = first
  const worker = async () => {
    while (next < end) {
      const from = next
      next = Math.min(end, from + ENTRIES_PER_REQUEST)
      await write(from, next)
    }
  }
  await Promise.all(Array.from({ length: requestsInFlight }, worker))
  return count
}

/** Reads so many segments at once, each page after page; gives the number of items. */
export async function scanInFlight<Key>(
  segments: number,
  readPage: (segment: number, startKey: Key | undefined) => Promise<{ items: number; lastKey: Key | undefined }>,
): Promise<number> {
  let items = 0
  const worker = async (_: unknown, segment: number) => {
    let startKey: Key | undefined
    do {
      const page = await readPage(segment, startKey)
      items += page.items
      startKey = page.lastKey
    } while (startKey !== undefined)
  }
  await Promise.all(Array.from({ length: segments }, worker))
  return items
}
