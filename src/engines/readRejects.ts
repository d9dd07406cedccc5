import { decodeItem } from '../item/decode.ts'
import type { JobReject } from '../job/reject.ts'

/** What lines of a rejects file say; see docs/rejects.md. */
export function readRejects(lines: string): JobReject[] {
  return lines
    .trimEnd()
    .split('\n')
    .map((line) => {
      const { item, ...reject } = JSON.parse(line) as JobReject & { readonly item?: { [name: string]: unknown } }
      return item === undefined ? reject : { ...reject, item: decodeItem(item) }
    })
}
