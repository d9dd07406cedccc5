import type { Dice } from '../expression/generatedFilters.ts'
import type { UglyFile } from './generatedFiles.ts'
import type { Item } from './generatedItems.ts'
import { isPlain } from './generatedRejects.ts'
import { canonicalItem, cellText, ionText, plainText, typedText } from './itemTexts.ts'
import type { Outcome } from './loadOutcome.ts'

const MARK = /#\d+#/g

export interface MendedRejects {
  /** Of a rejects file. */
  readonly lines: readonly string[]
  /** What they hold, in their order. */
  readonly items: readonly { readonly [name: string]: unknown }[]
}

/**
 * Each reject put right as a person may do it. One that holds several records becomes several lines; one that holds none that
 * is known has nothing to put right.
 */
export function mendRejects(dice: Dice, file: UglyFile, rejects: Outcome['rejects']): MendedRejects {
  const lines: string[] = []
  const items: { readonly [name: string]: unknown }[] = []
  for (const { fields } of rejects) {
    for (const mark of new Set(JSON.stringify([fields['item'], fields['raw']]).match(MARK) ?? [])) {
      const record = file.records.find((one) => one.mark === mark)
      // A character that was lost may have made another mark of one.
      if (record === undefined) continue
      lines.push(mended(dice, fields, record.item))
      items.push(JSON.parse(canonicalItem(record.item)) as (typeof items)[number])
    }
  }
  return { lines, items }
}

function mended(dice: Dice, fields: { readonly [field: string]: unknown }, item: Item): string {
  const style = { dice, blanks: dice.chance(0.3) }
  const { item: _, raw, ...around } = fields
  const form = dice.whole(8)
  if (form === 0) return typedText(item, style, false)
  if (form === 1) return typedText(item, style, true)
  if (form === 2) return ionText(item, dice)
  if (form === 3 && isPlain(item)) return plainText(item, style)
  if (form === 4) return JSON.stringify({ item: JSON.parse(canonicalItem(item)) as unknown })
  // With all else that the reject says of the record, as somebody leaves it who changes one thing.
  if (raw === undefined || fields['truncated'] === true) {
    const text = typedText(item, style, form === 5)
    return `${JSON.stringify(around).slice(0, -1)},"item":${text}}`.replace(/,"truncated":true|"raw":"[^"]*",/g, '')
  }
  return JSON.stringify({ ...fields, raw: rawText(dice, fields, item) })
}

function rawText(dice: Dice, fields: { readonly [field: string]: unknown }, item: Item): string {
  const style = { dice, blanks: dice.chance(0.3) }
  if (fields['format'] === 'csv') {
    const row = csvText(item, fields['columns'] as readonly string[], `${fields['delimiter'] ?? ','}`)
    if (row !== undefined) return row
  }
  if (fields['format'] === 'ion') return ionText(item, dice)
  if (fields['format'] === 'jsonl' && isPlain(item)) return plainText(item, style)
  return typedText(item, style, dice.chance(0.5))
}

/** Undefined where it has something that no column holds. */
function csvText(item: Item, columns: readonly string[], delimiter: string): string | undefined {
  let used = 0
  const cells = columns.map((column) => {
    const [, name = column, type = 'S'] = /^(.*):(S|N|BOOL|NULL|B|json|ddb)$/s.exec(column) ?? []
    const value = item.find(([other]) => other === name)?.[1]
    if (value === undefined) return ''
    used += 1
    return cellText(value, type)
  })
  if (used < item.length || cells.includes(undefined)) return undefined
  return cells.map((cell) => `"${cell!.replaceAll('"', '""')}"`).join(delimiter)
}
