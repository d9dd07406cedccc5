import { decodeItem } from '../item/decode.ts'
import type { JobReject } from '../job/reject.ts'
import { parseJson } from '../runtime/parseJson.ts'

/** What lines of a rejects file say; see docs/rejects.md. */
export function readRejects(lines: string): JobReject[] {
  return lines
    .trimEnd()
    .split('\n')
    .map((line) => {
      const { item, ...reject } = parseJson(line) as JobReject & { readonly item?: { [name: string]: unknown } }
      return item === undefined ? reject : { ...reject, item: decodeItem(item) }
    })
}
