/** Hashes there are: a partition and a segment of a scan are each a range of them. */
export const HASHES: number = 2 ** 32

/**
 * Where the text of a partition key falls, 0 to 2^32 - 1. Any good hash does: the service's own is not known. This is
 * MurmurHash3's mixing over UTF-16 units (public domain, by Austin Appleby), since a digest for each item is a third of the
 * time that a simulated write takes.
 */
export function hashOf(text: string): number {
  let hash = text.length
  for (let index = 0; index < text.length; index += 1) {
    let unit = Math.imul(text.charCodeAt(index), 0xcc9e2d51)
    unit = Math.imul((unit << 15) | (unit >>> 17), 0x1b873593)
    hash ^= unit
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
