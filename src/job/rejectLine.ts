import { base64 } from '../item/base64.ts'
import { typedText } from '../item/typedText.ts'
import type { JobReject } from './reject.ts'

/**
 * A reject as a line of a rejects file, without its newline:
 *
 * `{"code":…,"message":…,"place":…,"item":{…}}` with the item in DynamoDB JSON, or in its stead `"raw":"…"`, the record's own
 * text, with `"format"` (of CSV also `"columns"` and `"delimiter"`), `"rawBase64"` where the text does not give back its
 * bytes, and `"truncated":true` where it is only the beginning. `formats/rejectDecoder.ts` reads all of that.
 */
export function rejectLine({ code, message, place, item, ...raw }: JobReject): string {
  return `${JSON.stringify({ code, message, place })!.slice(0, -1)}${contentOf(item, raw)}}`
}

function contentOf(
  item: JobReject['item'],
  { raw, rawBytes, rawFormat }: Pick<JobReject, 'raw' | 'rawBytes' | 'rawFormat'>,
): string {
  if (raw !== undefined) {
    const { format, columns, delimiter, isCut } = rawFormat ?? {}
    const bytes = rawBytes === undefined ? undefined : base64(rawBytes)
    const fields = { raw, rawBase64: bytes, format, columns, delimiter, truncated: isCut === true ? true : undefined }
    return `,${JSON.stringify(fields).slice(1, -1)}`
  }
  if (item === undefined) return ''
  try {
    return `,"item":${typedText(item)}`
  } catch (error) {
    // A getter that throws: the item cannot be looked at.
    return `,"raw":${JSON.stringify(`cannot be shown: ${error instanceof Error ? error.message : error}`)}`
  }
}
