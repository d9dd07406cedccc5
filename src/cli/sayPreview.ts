import { type FilterPreview, previewFilter, type Table } from '../index.ts'
import type { ReadFlags } from './options.ts'
import type { Talk } from './talk.ts'

/** Says what a sample shows of a filter: that it matches everything or nothing, or what in it fits no item. */
export function sayPreview(talk: Talk, preview: FilterPreview | undefined): void {
  for (const text of [...(preview?.unknownNames ?? []), ...(preview?.warnings ?? [])]) {
    talk.warn(text)
  }
}

/** As {@link sayPreview}, for verbs that only read. */
export async function sayFilter(
  talk: Talk,
  table: Table,
  { where, index }: ReadFlags & { readonly index?: string | undefined },
  signal: AbortSignal,
): Promise<void> {
  if (where === undefined) return
  sayPreview(talk, await previewFilter(table, where, { signal, index }))
}
