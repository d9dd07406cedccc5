import type { PlainItem } from '../item/attributeValue.ts'
import type { ValueDifference } from '../item/compareItems.ts'
import { encodeItem, ItemEncoder } from '../item/encode.ts'

/**
 * What the right side has otherwise than the left: `missing` is on the left alone, `extra` on the right alone, `changed` on
 * both and not the same.
 */
export type Difference =
  | { readonly kind: 'missing'; readonly key: PlainItem; readonly left: PlainItem }
  | { readonly kind: 'extra'; readonly key: PlainItem; readonly right: PlainItem }
  | {
      readonly kind: 'changed'
      readonly key: PlainItem
      /** At least one. */
      readonly changes: readonly ValueDifference[]
      readonly left: PlainItem
      readonly right: PlainItem
    }

/**
 * A difference as a line of JSON, without its end; keys and values are in DynamoDB JSON.
 *
 * ```
 * {"kind":"missing","key":{"id":{"S":"a"}},"left":{…}}
 * {"kind":"extra","key":{"id":{"S":"b"}},"right":{…}}
 * {"kind":"changed","key":{"id":{"S":"c"}},"changes":[{"path":"tags[1]","left":{"S":"x"},"right":{"N":"1"}}]}
 * ```
 */
export function differenceText(difference: Difference): string {
  const { kind } = difference
  const head = `{"kind":"${kind}","key":${encodeItem(difference.key)}`
  if (kind === 'missing') return `${head},"left":${encodeItem(difference.left)}}`
  if (kind === 'extra') return `${head},"right":${encodeItem(difference.right)}}`
  const encoder = new ItemEncoder()
  const changes = difference.changes.map(({ path, left, right }) => {
    const sides = [
      ...(left === undefined ? [] : [`"left":${encoder.encodeValue(left)}`]),
      ...(right === undefined ? [] : [`"right":${encoder.encodeValue(right)}`]),
    ]
    return `{"path":${JSON.stringify(path)},${sides.join(',')}}`
  })
  return `${head},"changes":[${changes.join(',')}]}`
}
