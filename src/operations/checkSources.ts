import type { KeySchema } from '../item/itemKey.ts'
import type { RecordSource } from './file.ts'

/** Sources that are looked at in advance; later ones when their turn comes. */
const LOOKED_AT_MAX = 256
const AT_ONCE = 8

/**
 * Looks at the beginning of sources before anything is written: that each can be read, and has the table's key where a header
 * says what it has.
 *
 * @param key undefined where the records need not have it
 * @throws {HeadraceError} `INPUT` for the first that fails
 */
export async function checkSources(
  sources: readonly RecordSource[],
  key: KeySchema | undefined,
  signal?: AbortSignal,
): Promise<void> {
  const left = sources.slice(0, LOOKED_AT_MAX).reverse()
  const look = async (): Promise<void> => {
    for (let source = left.pop(); source !== undefined; source = left.pop()) {
      if (signal?.aborted === true) return
      await source.check?.(key)
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, left.length) }, look))
}
