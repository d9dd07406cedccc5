import { ENTRIES_PER_REQUEST, REQUESTS_IN_FLIGHT, SEGMENTS } from '../items.ts'

/**
 * Writes items `first` to `first + count - 1` in requests of 25, 16 of them in flight, with a client whose calls are
 * promises: one loop for each place in flight, which is how people do it.
 */
export async function writeInFlight(
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
  await Promise.all(Array.from({ length: REQUESTS_IN_FLIGHT }, worker))
  return count
}

/** Reads 16 segments at once, each page after page; gives the number of items. */
export async function scanInFlight<Key>(
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
  await Promise.all(Array.from({ length: SEGMENTS }, worker))
  return items
}
