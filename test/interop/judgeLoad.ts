import { zstd } from '../../src/formats/zstd.ts'
import type { KeySchema } from '../../src/item/itemKey.ts'
import { keyNamesOf } from '../../src/item/itemKey.ts'
import { STRUCTURAL } from './fileMaker.ts'
import type { UglyFile } from './generatedFiles.ts'
import { canonicalItem } from './itemTexts.ts'
import type { Outcome } from './loadOutcome.ts'
import type { OtherRecord, OtherView } from './otherReader.ts'

// Where the two readers may differ, and why the product's way is right. Each is judged by a rule of its own, and counted.
//
// | reason | the other reader | the product | what must hold |
// |---|---|---|---|
// | misplaced quote | takes a quote within a cell for a character | ends the file: a wrong guess would make items of the wrong cells | what stands before it is there, and the error names the line |
// | structure broken | finds the next record by its mark | goes by brackets and quotes, and a broken record may hold its neighbours | every record is in the table or in a reject, or the run ends with an error |
// | no whole record | is told the format | judges a file by its records, and none tells | refused before anything is written |
// | scan output | reads what it can | looks at all of it first, and refuses what is not scan output to its end | nothing is written |
// | packed data damaged | unpacks to the last byte that can be | may stop some bytes earlier | an error, and what was read is what stands there first |
// | no list of items | takes whatever is in Items for records | knows scan output by a list whose first element is an object | all of it is in a reject |
// | behind the array | finds records with marks in what follows, where the end of the array is broken | ends with the array | what stands before anything broken is there |
// | digits in groups | reads 1_000 in Ion, as its specification allows | ion-js does not | every record is in the table or in a reject |
// | two spellings | is told the spelling | takes that of most records, and few are seen; or that of the first, where bytes come slowly | every record is in the table or in a reject, and that is said |
// | broken neighbours | finds the next record by its mark, and counts what lies between by marks | tells them apart by brackets | all of them are in the rejects |
// | values or lines | reads values one after another | reads lines, where each record stands on one and one of them is broken | every record is in the table or in a reject, and that is said |
// | broken lines behind CR | ends a line at each CR | takes a line as one reject where none of its parts can be read | all of them are in the rejects |
// | mark before a column | keeps U+FEFF | refuses the file by the column's name | nothing is written |
// | Node without zstd | has zstd | says that this Node has none | nothing is written |

export interface Judged {
  readonly failures: readonly string[]
  /** Why the readers differ, where they may. */
  readonly reason: string | undefined
}

type Attributes = { readonly [name: string]: unknown }

export interface Loaded {
  readonly file: UglyFile
  readonly view: OtherView
  readonly outcome: Outcome
  /** Of the table, afterwards. */
  readonly items: readonly Attributes[]
}

/** Holds a load to what the other reader sees. */
export function judgeLoad(loaded: Loaded): Judged {
  const { outcome, view } = loaded
  const told = accounting(loaded)
  if (told.length > 0) return { failures: told, reason: undefined }
  const same = [...compare(loaded, recordsOf(view)), ...statements(loaded)]
  if (same.length === 0) return { failures: [], reason: undefined }
  const others: string[] = []
  for (const [reason, applies] of REASONS) {
    const rest = applies(loaded)
    if (rest?.length === 0) return { failures: [], reason }
    for (const failure of rest ?? []) others.push(`${reason}: ${failure}`)
  }
  return {
    failures: [
      ...same,
      ...others,
      `it ended with: ${outcome.failure ?? 'done'}; the other reader: ${view.stop ?? 'done'}`,
    ],
    reason: undefined,
  }
}

/** What holds whatever the file is. */
function accounting({ file, outcome, items }: Loaded): string[] {
  const { counts, failure, rejects, exitCode, warnings } = outcome
  const { read, written, overwritten, skipped, rejected, filtered, notReached } = counts
  const failures: string[] = []
  if (read !== written + overwritten + skipped + rejected + filtered + notReached)
    failures.push(`the counts do not add up: ${JSON.stringify(counts)}`)
  if (written !== items.length) failures.push(`${written} written, and ${items.length} items in the table`)
  if (rejected !== rejects.length) failures.push(`${rejected} rejected, and ${rejects.length} rejects`)
  if (skipped + filtered + notReached > 0) failures.push(`records that were left alone: ${JSON.stringify(counts)}`)
  if (failure !== undefined && !failure.includes(file.name)) failures.push(`an error without the file: ${failure}`)
  if (failure !== undefined && /\bat \w+ \(|TypeError|undefined/.test(failure))
    failures.push(`not an error for people: ${failure}`)
  if (failure === undefined && read === 0 && !warnings.some((text) => text.includes('no records')))
    failures.push(`nothing was read, and nothing is said of it: ${JSON.stringify(warnings)}`)
  if (exitCode !== undefined) {
    const wanted = failure !== undefined ? 1 : rejected > 0 || counts.incompleteInput.length > 0 ? 3 : 0
    const isRight = exitCode === wanted || (wanted === 1 && exitCode > 3)
    if (!isRight) failures.push(`exit code ${exitCode}, and not ${wanted}: ${failure}`)
  }
  return failures
}

function statements({ view, outcome }: Loaded): string[] {
  if (outcome.failure !== undefined || view.stop !== null) return []
  const said = outcome.counts.incompleteInput.length > 0
  return said === view.incomplete
    ? []
    : [`the input is ${view.incomplete ? '' : 'not '}incomplete, and that is ${said ? '' : 'not '}said`]
}

/** Broken neighbours that the other reader cannot tell apart count as what they are. */
function recordsOf({ records }: OtherView): readonly OtherRecord[] {
  return records.flatMap((record): readonly OtherRecord[] => {
    if ('item' in record) return [record]
    return Array.from({ length: record.count }, (_, index) => (index === 0 ? record : { ...record, marks: [] }))
  })
}

/** That these are the records, as the product has read them. */
function compare({ file, view, outcome, items }: Loaded, records: readonly OtherRecord[]): string[] {
  const failures: string[] = []
  if (view.stop !== null && outcome.failure === undefined)
    failures.push(`read to its end, which the other reader cannot: ${view.stop}`)
  if (view.stop === null && outcome.failure !== undefined)
    failures.push(`not read to its end, as the other reader can: ${outcome.failure}`)
  const { counts } = outcome
  if (counts.read !== records.length)
    failures.push(`${counts.read} records were read, and the other reader sees ${records.length}`)
  failures.push(...compareContents({ file, view, outcome, items }, records))
  return failures
}

function compareContents({ file, outcome, items }: Loaded, records: readonly OtherRecord[]): string[] {
  const failures: string[] = []
  const good = records.flatMap((record) => ('item' in record ? [record.item] : []))
  const bad = records.filter((record) => 'bad' in record)
  const wanted = new Map(good.map((item) => [keyText(item, file.key), itemText(item)]))
  const found = new Map(items.map((item) => [keyText(item, file.key), itemText(item)]))
  for (const [key, text] of wanted)
    if (found.get(key) !== text)
      failures.push(`the other reader sees\n    ${text}\n  and the table has\n    ${found.get(key)}`)
  for (const [key, text] of found) if (!wanted.has(key)) failures.push(`the other reader does not see ${text}`)
  const { overwritten, rejected } = outcome.counts
  if (overwritten !== good.length - wanted.size)
    failures.push(
      `${overwritten} overwritten, and ${good.length - wanted.size} records came before another of their key`,
    )
  if (rejected !== bad.length)
    failures.push(
      `${rejected} rejected, and ${bad.length} are bad: ${bad.map((one) => ('bad' in one ? one.bad : '')).join('; ')}`,
    )
  const missing = marksOf(
    bad.flatMap(({ marks }) => marks),
    rejectMarks(outcome),
  )
  if (missing.length > 0) failures.push(`bad records that are in no reject: ${missing.join(' ')}`)
  return failures
}

/** Those of the first that are not in the second. */
function marksOf(marks: readonly string[], others: ReadonlySet<string>): string[] {
  return marks.filter((mark) => !others.has(mark))
}

function rejectMarks({ rejects }: Outcome): Set<string> {
  return new Set(rejects.flatMap(({ fields }) => JSON.stringify([fields['item'], fields['raw']]).match(/#\d+#/g) ?? []))
}

type Reason = (loaded: Loaded) => readonly string[] | undefined

/** Each says what fails of its own rule, or undefined where it does not apply. */
const REASONS: readonly (readonly [string, Reason])[] = [
  [
    'Node without zstd',
    ({ file, outcome, items }) =>
      file.zstdCut !== undefined && zstd === undefined && /zstd/.test(outcome.failure ?? '')
        ? nothing(items)
        : undefined,
  ],
  [
    'mark before a column',
    ({ outcome, items }) => (/starts with a byte order mark/.test(outcome.failure ?? '') ? nothing(items) : undefined),
  ],
  [
    'no whole record',
    ({ view, outcome, items }) =>
      outcome.failure !== undefined && !view.records.some((record) => 'item' in record) ? nothing(items) : undefined,
  ],
  [
    'scan output',
    ({ file, view, outcome, items }) =>
      file.layout === 'scanOutput' &&
      (view.stop !== null || file.kinds.has('concatenated')) &&
      outcome.failure !== undefined
        ? nothing(items)
        : undefined,
  ],
  [
    'packed data damaged',
    (loaded) =>
      loaded.view.stop === 'damaged' && loaded.outcome.failure !== undefined ? beginning(loaded) : undefined,
  ],
  [
    'misplaced quote',
    (loaded) =>
      loaded.file.layout === 'csv' && /:\d+: .*quote/.test(loaded.outcome.failure ?? '')
        ? beginning(loaded)
        : undefined,
  ],
  [
    'broken lines behind CR',
    (loaded) =>
      loaded.file.kinds.has('mixed line ends') || loaded.file.kinds.has('CR') ? behindReturn(loaded) : undefined,
  ],
  [
    'no list of items',
    (loaded) =>
      loaded.file.layout === 'scanOutput' && loaded.file.kinds.has('not an object') ? accountedFor(loaded) : undefined,
  ],
  [
    'behind the array',
    (loaded) =>
      /text after the end of the array/.test(loaded.outcome.failure ?? '') ? soundBeginning(loaded) : undefined,
  ],
  [
    'digits in groups',
    ({ file, outcome, ...rest }) =>
      file.layout === 'ion' && outcome.rejects.some(({ fields }) => `${fields['raw']}`.includes('1_000'))
        ? accountedFor({ file, outcome, ...rest })
        : undefined,
  ],
  [
    'two spellings',
    (loaded) =>
      ['another spelling', 'character added', 'bytes not UTF-8'].some((kind) => loaded.file.kinds.has(kind)) &&
      (loaded.view.records.length < 5 || loaded.file.pieceBytes !== undefined || loaded.file.kinds.has('too large'))
        ? accountedFor(loaded)
        : undefined,
  ],
  ['broken neighbours', (loaded) => (isDocument(loaded.file) ? brokenNeighbours(loaded) : undefined)],
  [
    'values or lines',
    (loaded) => {
      const { layout, kinds } = loaded.file
      const isGlued = layout === 'lines' && (kinds.has('concatenated') || kinds.has('truncated'))
      return layout === 'sequence' || isGlued ? accountedFor(loaded) : undefined
    },
  ],
  ['structure broken', (loaded) => (loaded.file.kinds.has(STRUCTURAL) ? accountedFor(loaded) : undefined)],
]

function nothing(items: readonly Attributes[]): string[] {
  return items.length === 0 ? [] : ['something was written']
}

/** What was read are the first records that the other reader sees. */
function beginning(loaded: Loaded): string[] {
  const records = recordsOf(loaded.view)
  const { read } = loaded.outcome.counts
  if (read > records.length) return [`${read} were read, and there are ${records.length}`]
  return compareContents(loaded, records.slice(0, read))
}

/** As few rejects as there may be, and the bad records are in them. */
function behindReturn(loaded: Loaded): string[] | undefined {
  const { file, view, outcome } = loaded
  if (file.layout !== 'lines' && file.layout !== 'ion' && file.layout !== 'rejects') return undefined
  if (outcome.failure !== undefined || view.stop !== null) return undefined
  const records = recordsOf(view)
  if (outcome.counts.read >= records.length || outcome.rejects.length === 0) return undefined
  if (!outcome.rejects.some(({ fields }) => /\r/.test(`${fields['raw']}`))) return undefined
  return compareContents(loaded, records).filter((failure) => !/^\d+ rejected, and/.test(failure))
}

function isDocument({ layout }: UglyFile): boolean {
  return layout === 'array' || layout === 'sequence' || layout === 'scanOutput'
}

/** More rejects than the other reader sees, and nothing else differs. */
function brokenNeighbours(loaded: Loaded): string[] | undefined {
  const { view, outcome } = loaded
  const records = recordsOf(view)
  const { read, rejected } = outcome.counts
  const bad = records.filter((record) => 'bad' in record).length
  if ((bad === 0 && view.stop === null) || rejected <= bad || read - records.length !== rejected - bad) return undefined
  if ((view.stop === null) !== (outcome.failure === undefined)) return undefined
  return compareContents(loaded, records).filter((failure) => !/^\d+ rejected, and/.test(failure))
}

/** What stands before anything broken is in the table, unless a later record has its key. */
function soundBeginning(loaded: Loaded): string[] {
  const { file, view, items } = loaded
  const broken = view.records.findIndex((record) => 'bad' in record)
  const before = view.records.slice(0, broken === -1 ? view.records.length : broken)
  const keys = new Set(items.map((item) => keyText(item, file.key)))
  const lost = before.filter((record) => 'item' in record && !keys.has(keyText(record.item, file.key)))
  return [...accountedFor(loaded), ...lost.map(({ marks }) => `lost: ${marks.join(' ')}`)]
}

/** No record is lost without a word, and none is there that is not in the file. */
function accountedFor(loaded: Loaded): string[] {
  const { file, view, outcome, items } = loaded
  const failures: string[] = []
  const inTable = new Set(items.flatMap((item) => JSON.stringify(item).match(/#\d+#/g) ?? []))
  const known = new Set([
    ...file.records.flatMap(({ item, shown }) =>
      [item, shown].map((one) => itemText(JSON.parse(canonicalItem(one)) as Attributes)),
    ),
    ...view.records.flatMap((record) => ('item' in record ? [itemText(record.item)] : [])),
  ])
  const marks = new Set(file.records.map(({ mark }) => mark))
  // A character that was lost may have been one of the mark.
  for (const item of items)
    if (!known.has(itemText(item)) && marks.has(`${(item['m'] as Attributes | undefined)?.['S']}`))
      failures.push(`nobody else knows of ${itemText(item)}`)
  if (outcome.failure !== undefined) return failures
  const there = new Set([...rejectMarks(outcome), ...inTable])
  const keys = new Set(items.map((item) => keyText(item, file.key)))
  const isOverwritten = (mark: string): boolean => {
    const record = file.records.find((one) => one.mark === mark)
    return record !== undefined && keys.has(keyText(JSON.parse(canonicalItem(record.item)) as Attributes, file.key))
  }
  const isRead = view.records.every(
    (one) => 'item' in one || one.marks.every((mark) => inTable.has(mark) || isOverwritten(mark)),
  )
  if (outcome.rejects.length === 0 && !isRead) failures.push('and nothing is said of it')
  for (const record of view.records) {
    const lost = marksOf(record.marks, there).filter((mark) => !isOverwritten(mark))
    if (lost.length > 0 && !('item' in record && keys.has(keyText(record.item, file.key))))
      failures.push(`lost: ${lost.join(' ')}`)
  }
  return failures
}

/** Numbers by their value, sets in an order. */
export function itemText(item: Attributes): string {
  return JSON.stringify(canonical({ M: item }))
}

export function keyText(item: Attributes, key: KeySchema): string {
  return JSON.stringify(
    keyNamesOf(key).map((name) => (Object.hasOwn(item, name) ? canonical(item[name] as Attributes) : null)),
  )
}

function canonical(value: Attributes): unknown {
  const [kind, content] = Object.entries(value)[0] as [string, unknown]
  if (kind === 'N') return ['N', numberText(`${content}`)]
  if (kind === 'NS') return [kind, (content as string[]).map(numberText).sort()]
  if (kind === 'SS' || kind === 'BS') return [kind, [...(content as string[])].sort()]
  if (kind === 'L') return [kind, (content as Attributes[]).map(canonical)]
  if (kind !== 'M') return [kind, content]
  const members = Object.entries(content as { [name: string]: Attributes })
  return [
    kind,
    members.map(([name, one]) => [name, canonical(one)] as const).sort(([left], [right]) => (left < right ? -1 : 1)),
  ]
}

/** Digits without zeros around them, and the power of ten behind them. */
function numberText(text: string): string {
  const parts = /^([+-]?)(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i.exec(text)
  // A record may be shown with what is not one.
  if (parts === null) return text
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = parts
  const digits = `${whole}${fraction}`.replace(/^0+/, '')
  if (digits === '') return '0'
  const short = digits.replace(/0+$/, '')
  return `${sign === '-' ? '-' : ''}${short}e${Number(exponent) - fraction.length + digits.length - short.length}`
}
