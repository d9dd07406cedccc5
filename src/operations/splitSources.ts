import type { RecordSource } from './file.ts'

/** A part that is smaller is not worth a reader of its own. */
const PART_BYTES_MIN = 1024 * 1024

/** Cuts those sources that can be cut into parts, so that there are about so many of one size. */
export async function splitSources(sources: readonly RecordSource[], count: number): Promise<RecordSource[]> {
  const sizes = await Promise.all(sources.map((source) => source.sample?.sizeBytes() ?? Promise.resolve(0)))
  const all = sizes.reduce((sum, size) => sum + size, 0)
  return sources.flatMap((source, index) => {
    const size = sizes[index]!
    const parts = Math.min(Math.ceil((count * size) / all), Math.floor(size / PART_BYTES_MIN))
    if (source.part === undefined || !(parts > 1)) return [source]
    const at = (part: number): number => Math.floor((size * part) / parts)
    return Array.from({ length: parts }, (_, part) => source.part!(at(part), at(part + 1)))
  })
}
