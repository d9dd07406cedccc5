import { decodeItem } from '../item/decode.ts'
import { ItemError } from '../item/itemError.ts'
import type { JobReject } from '../job/reject.ts'
import { parseJson } from '../runtime/parseJson.ts'

interface Line {
  readonly code: string
  readonly message: string
  readonly place: string
  readonly item?: { readonly [name: string]: unknown } | undefined
  readonly raw?: string | undefined
  readonly rawBase64?: string | undefined
  readonly format?: string | undefined
  readonly columns?: readonly string[] | undefined
  readonly delimiter?: string | undefined
  readonly truncated?: boolean | undefined
}

/** What lines of a rejects file say; see `rejectLine`. */
export function readRejects(lines: string): JobReject[] {
  return lines
    .trimEnd()
    .split('\n')
    .map((line) => {
      const { item, raw, rawBase64, format, columns, delimiter, truncated, ...said } = parseJson(line) as Line
      if (item !== undefined) return { ...said, ...itemOf(item) }
      return {
        ...said,
        raw,
        rawBytes: rawBase64 === undefined ? undefined : Buffer.from(rawBase64, 'base64'),
        rawFormat: format === undefined ? undefined : { format, columns, delimiter, isCut: truncated },
      }
    })
}

/** What no item can hold is shown as it stands. */
function itemOf(item: { readonly [name: string]: unknown }): Pick<JobReject, 'item' | 'raw' | 'rawFormat'> {
  try {
    return { item: decodeItem(item) }
  } catch (error) {
    if (!(error instanceof ItemError)) throw error
    return { raw: JSON.stringify(item), rawFormat: { format: 'ddb-json' } }
  }
}
