import type { GatheredItems, ItemConversion } from '../../src/formats/itemConversion.ts'
import type { PlainItem } from '../../src/item/attributeValue.ts'
import { decodeItemText } from '../../src/item/decode.ts'
import { encodeItem } from '../../src/item/encode.ts'

/** What a conversion makes of items that were gathered, in lists of so many. */
export async function convert(
  conversion: ItemConversion,
  items: readonly PlainItem[],
  listItems: number = 3,
): Promise<Buffer> {
  const pieces: Buffer[] = []
  const gathered: GatheredItems = async function* () {
    for (let start = 0; start < items.length; start += listItems) {
      const texts = items.slice(start, start + listItems).map(encodeItem)
      yield { items: texts.map(decodeItemText), bytes: texts.join('\n').length + 1 }
    }
  }
  await conversion(gathered, (piece) => {
    // Of bytes a copy, since they are only there until this returns.
    pieces.push(Buffer.from(piece as string))
    return undefined
  })
  return Buffer.concat(pieces)
}
