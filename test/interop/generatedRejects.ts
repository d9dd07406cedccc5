import type { FileMaker } from './fileMaker.ts'
import type { GeneratedRecord, Item } from './generatedItems.ts'
import { canonicalItem, cellText, ionText, plainText, typedText } from './itemTexts.ts'

/** A line of a rejects file that holds the record, in one of the forms in which it may be there. */
export function rejectText(maker: FileMaker, { item, shown, mark }: GeneratedRecord): string {
  const { dice, kinds } = maker
  const style = { dice, blanks: false }
  const around = { code: 'InvalidItem', message: `something about ${mark.slice(1, -1)}`, place: 'a.jsonl:7' }
  const head = JSON.stringify(around).slice(0, -1)
  switch (dice.whole(8)) {
    case 0:
      return `${head},"item":${typedText(shown, style, false)}}`
    case 1:
      return `${head},"raw":${JSON.stringify(canonicalItem(shown))},"format":"ddb-json"}`
    case 2:
      return `${head},"raw":${JSON.stringify(typedText(item, style, true))},"format":"ddb-json"}`
    case 3:
      return `${head},"raw":${JSON.stringify(ionText(item, dice))},"format":"ion"}`
    case 4:
      kinds.add('mended reject')
      return typedText(shown, style, dice.chance(0.5))
    case 5:
      return `${head},"raw":"{\\"m\\":\\"${mark}\\",\\"cut","format":"jsonl","truncated":true}`
    case 6: {
      if (!isPlain(item)) return `${head},"item":${canonicalItem(item)}}`
      return `${head},"raw":${JSON.stringify(plainText(item, style))},"format":"jsonl"}`
    }
    default: {
      const row = csvRow(item)
      if (row === undefined) return `${head},"item":${canonicalItem(item)}}`
      return `${head},"raw":${JSON.stringify(row.text)},"format":"csv","columns":${JSON.stringify(row.columns)},"delimiter":","}`
    }
  }
}

/** Whether ordinary JSON has all of its types. */
export function isPlain(item: Item): boolean {
  return item.every(([name, value]) => !/"(?:B|SS|NS|BS)":/.test(canonicalItem([[name, value]])))
}

function csvRow(item: Item): { readonly text: string; readonly columns: readonly string[] } | undefined {
  const columns: string[] = []
  const cells: string[] = []
  for (const [name, value] of item) {
    const type = Object.keys(value)[0]!
    const kind = ['S', 'N', 'BOOL', 'B'].includes(type) ? type : 'ddb'
    const text = cellText(value, kind)!
    if (text === '' || name.trim() !== name || name === '') return undefined
    columns.push(`${name}:${kind}`)
    cells.push(`"${text.replaceAll('"', '""')}"`)
  }
  return { text: cells.join(','), columns }
}
