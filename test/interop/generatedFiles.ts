import { gzipSync } from 'node:zlib'
import type { FormatName } from '../../src/formats/record.ts'
import { type KeySchema, keyPartsOf } from '../../src/item/itemKey.ts'
import type { FileOptions } from '../../src/operations/file.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { Dice } from '../expression/generatedFilters.ts'
import { bytesOf, FileMaker, LINE_ENDS, TEXT_FAULTS } from './fileMaker.ts'
import { generateCsv } from './generatedCsv.ts'
import { type GeneratedRecord, ITEM_KINDS, NUMBERS_ODD, NUMBERS_OUT_OF_RANGE } from './generatedItems.ts'
import { generateParquet, type ParquetTable } from './generatedParquet.ts'
import { rejectText } from './generatedRejects.ts'
import { ionText, plainText, typedText } from './itemTexts.ts'

// Files from a seed, in every format that is read, each ugly in some ways.

type Layout = 'lines' | 'array' | 'sequence' | 'scanOutput' | 'csv' | 'ion' | 'rejects' | 'parquet'
type Spelling = 'plain' | 'dynamodb' | 'wrapped'

export interface UglyFile {
  readonly seed: number
  readonly name: string
  readonly layout: Layout
  readonly spelling: Spelling
  readonly key: KeySchema
  readonly options: FileOptions
  readonly bytes: Buffer
  /** Made by the other reader, which has a writer for it. */
  readonly parquet: ParquetTable | undefined
  /** Packed by the other reader in two frames, the second of which begins here. */
  readonly zstdCut: number | undefined
  /** Where a file that the other reader makes is cut afterwards, as a share of it. */
  readonly cutShare: number | undefined
  /** It comes in pieces of so many bytes; undefined for those of a disk. */
  readonly pieceBytes: number | undefined
  readonly records: readonly GeneratedRecord[]
  readonly kinds: ReadonlySet<string>
}

/** What a run has to meet so and so often. */
export const KINDS: readonly string[] = [
  ...LINE_ENDS,
  ...new Set(TEXT_FAULTS.map(({ kind }) => kind)),
  ...ITEM_KINDS.filter((kind) => kind !== 'too large'),
  'blank lines',
  'no final line end',
  'byte order mark',
  'UTF-16',
  'concatenated',
  'truncated',
  'empty file',
  'duplicate key',
  'odd name',
  'long number',
  'deep nesting',
  'another spelling',
  'gzip',
  'gzip members',
  'gzip padding',
  'gzip cut',
  'gzip damaged',
  'zstd',
  'NextToken',
  'wrong Count',
  '--types',
  '--delimiter',
  '--format',
  'no ending',
  'small pieces',
  'record too long',
  'cell with a line end',
  'cell with a quote',
  'cell with a delimiter',
  'quoted without need',
  'misplaced quote',
  'quote never closed',
  'too few cells',
  'too many cells',
  'cell of another type',
  'header only',
  'mended reject',
]

/** What one part of a file is. */
interface Part {
  readonly ending: string
  readonly text: string
}

export function generateFile(seed: number): UglyFile {
  const dice = new Dice(seededRandom(0x0061_1e5 ^ Math.imul(seed, 0x9e3779b1)))
  const maker = new FileMaker(dice)
  const layout = dice.pick<Layout>([
    'lines',
    'lines',
    'lines',
    'array',
    'array',
    'sequence',
    'sequence',
    'scanOutput',
    'csv',
    'csv',
    'csv',
    'ion',
    'rejects',
    'parquet',
  ])
  const { kinds, key } = maker
  if (layout === 'parquet') return parquetFile(seed, maker)

  let spelling = dice.pick<Spelling>(['plain', 'plain', 'dynamodb', 'wrapped'])
  if (layout === 'scanOutput') spelling = dice.chance(0.9) ? 'dynamodb' : 'plain'
  let options: FileOptions = {}
  let ending: string
  const count = (): number => (dice.chance(0.06) ? 0 : 1 + dice.whole(dice.chance(0.1) ? 60 : 9))
  let part: () => string
  if (layout === 'csv') {
    const csv = generateCsv(maker)
    options = csv.options
    ending = csv.ending
    part = () => csv.text(count())
  } else {
    // Ordinary JSON has no bytes: a key that is bytes is told.
    if (spelling === 'plain' && keyPartsOf(key).some(({ type }) => type === 'B')) {
      const types = Object.fromEntries(keyPartsOf(key).map(({ name, type }) => [name, type]))
      if (layout === 'lines' || layout === 'array' || layout === 'sequence') {
        options = { csv: { types } }
        kinds.add('--types')
      } else spelling = 'dynamodb'
    } else if (spelling === 'plain' && layout !== 'ion' && layout !== 'rejects' && dice.chance(0.1)) {
      options = { csv: { types: { price: dice.pick(['S', 'N']), n: 'N', [key.partition.name]: key.partition.type } } }
      kinds.add('--types')
    }
    const made = jsonPart(maker, layout, spelling)
    ending = made.ending
    part = () => made.text(count())
  }

  const parts = Array.from({ length: dice.chance(0.12) ? 2 + dice.whole(2) : 1 }, part)
  if (parts.length > 1) kinds.add('concatenated')
  const hasMark = dice.chance(0.08)
  if (hasMark) kinds.add('byte order mark')
  const encoded = parts.map((text) => bytesOf(hasMark ? `\ufeff${text}` : text))
  if (maker.records.length === 0) kinds.add('empty file')
  let bytes: Buffer = Buffer.concat(encoded)
  if (dice.chance(0.07) && bytes.length > 1) {
    bytes = bytes.subarray(0, 1 + dice.whole(bytes.length - 1))
    kinds.add('truncated')
  }
  if (dice.chance(0.015)) {
    bytes = utf16(bytes.toString(), dice)
    kinds.add('UTF-16')
  }

  // A name that says nothing, or a format that is named.
  const format = FORMATS[layout]?.(spelling)
  let name = `ugly${ending}`
  if (layout === 'rejects') options = { ...options, format: 'rejects' }
  else if (format !== undefined && dice.chance(0.15)) {
    options = { ...options, format }
    kinds.add('--format')
    if (dice.chance(0.5)) name = 'ugly'
  } else if (layout !== 'csv' && dice.chance(0.1)) {
    name = 'ugly.dat'
    kinds.add('no ending')
  }
  const packed = pack(maker, bytes, encoded)
  if (packed.ending !== '' && dice.chance(0.7)) name += packed.ending
  if (dice.chance(0.04) && layout !== 'scanOutput' && layout !== 'csv') {
    options = { ...options, lineBytesMax: 700 }
    kinds.add('record too long')
  }
  const pieceBytes = dice.chance(0.25) ? 1 + dice.whole(200) : undefined
  if (pieceBytes !== undefined) kinds.add('small pieces')
  return {
    seed,
    name,
    layout,
    spelling,
    key,
    options,
    bytes: packed.bytes,
    parquet: undefined,
    zstdCut: packed.zstdCut,
    cutShare: undefined,
    pieceBytes: packed.zstdCut === undefined ? pieceBytes : undefined,
    records: maker.records,
    kinds,
  }
}

const FORMATS: { readonly [layout: string]: (spelling: Spelling) => FormatName } = {
  lines: (spelling) => (spelling === 'plain' ? 'jsonl' : 'ddb-json'),
  array: (spelling) => (spelling === 'plain' ? 'json' : 'ddb-json'),
  sequence: (spelling) => (spelling === 'plain' ? 'json' : 'ddb-json'),
  scanOutput: (spelling) => (spelling === 'plain' ? 'json' : 'ddb-json'),
  csv: () => 'csv',
  ion: () => 'ion',
}

interface JsonPart {
  readonly ending: Part['ending']
  /** Of so many records. */
  readonly text: (count: number) => string
}

function jsonPart(maker: FileMaker, layout: Layout, spelling: Spelling): JsonPart {
  const { dice, kinds } = maker
  const isTyped = spelling !== 'plain' || layout === 'ion' || layout === 'rejects'
  const badNumbers = isTyped ? [...NUMBERS_OUT_OF_RANGE, ...NUMBERS_ODD.slice(4)] : NUMBERS_OUT_OF_RANGE
  const isBounded = layout === 'lines' || layout === 'ion' || layout === 'rejects'
  const isJson = layout !== 'ion' && layout !== 'rejects'
  const lineEnd = maker.lineEnds()
  const inside = kinds.has('CR') ? '\r' : kinds.has('CRLF') ? '\r\n' : '\n'
  const isPretty = !isBounded && dice.chance(0.5)
  const style = { dice, blanks: dice.chance(0.3), lineEnd: isPretty ? inside : undefined }
  const textOf = (record: GeneratedRecord): string => {
    if (layout === 'ion') return ionText(record.shown, dice)
    if (layout === 'rejects') return rejectText(maker, record)
    if (spelling === 'plain') return plainText(record.shown, style)
    return typedText(record.shown, style, spelling === 'wrapped')
  }
  const texts = (count: number): string[] =>
    maker.generate(count, isTyped, badNumbers).map((record) => {
      // One among several: most of them say what they are.
      if (isJson && count > 5 && !kinds.has('another spelling') && dice.chance(maker.faultShare * 0.2)) {
        kinds.add('another spelling')
        return typedText(record.item, style, spelling !== 'wrapped')
      }
      return maker.spoilt(textOf(record), isBounded)
    })
  switch (layout) {
    case 'lines':
      return {
        ending: dice.pick(['.jsonl', '.jsonl', '.ndjson']),
        text: (count) => maker.joined(texts(count), lineEnd),
      }
    case 'ion':
      return { ending: '.ion', text: (count) => maker.joined(texts(count), lineEnd) }
    case 'rejects':
      return { ending: '.jsonl', text: (count) => maker.joined(texts(count), lineEnd) }
    case 'sequence':
      return {
        ending: '.json',
        text: (count) => {
          const end = isPretty && dice.chance(0.3) ? '' : lineEnd()
          // A number or word ends where a blank stands.
          const joined = texts(count).map((text) => (/[}\]]$/.test(text) ? text : `${text}\n`))
          return joined.join(end) + (dice.chance(0.7) ? end : '')
        },
      }
    default: {
      const array = (all: readonly string[]): string => {
        const gap = isPretty ? inside : dice.pick(['', ' ', '\n', '\r\n'])
        return `[${gap}${all.join(`${dice.pick(['', ' '])},${gap}`)}${gap}]`
      }
      if (layout === 'array')
        return { ending: '.json', text: (count) => array(texts(count)) + dice.pick(['', '\n', '\r\n']) }
      return { ending: '.json', text: (count) => scanOutput(maker, array(texts(count)), count) }
    }
  }
}

function scanOutput(maker: FileMaker, items: string, count: number): string {
  const { dice, kinds } = maker
  let told = count
  if (dice.chance(0.15)) {
    told += 1 + dice.whole(5)
    kinds.add('wrong Count')
  }
  const members = [`"Items": ${items}`]
  const behind = [`"Count": ${told}`, `"ScannedCount": ${told + 3}`, `"ConsumedCapacity": null`]
  if (dice.chance(0.15)) {
    behind.push(
      dice.pick(['"NextToken": "eyJFeGNsdXNpdmVTdGFydEtleSI6IG51bGx9"', '"LastEvaluatedKey": {"id": {"S": "x"}}']),
    )
    kinds.add('NextToken')
  }
  if (dice.chance(0.3)) members.unshift(behind.shift()!)
  return `{\n    ${[...members, ...behind.slice(0, 1 + dice.whole(behind.length))].join(',\n    ')}\n}${dice.pick(['', '\n'])}`
}

function utf16(text: string, dice: Dice): Buffer {
  const little = Buffer.from(`\ufeff${text}`, 'utf16le')
  return dice.chance(0.5) ? little : Buffer.from(little).swap16()
}

interface Packed {
  readonly bytes: Buffer
  readonly ending: string
  readonly zstdCut?: number
}

function pack({ dice, kinds }: FileMaker, bytes: Buffer, parts: readonly Buffer[]): Packed {
  const share = dice.whole(100)
  if (share >= 18) return { bytes, ending: '' }
  if (share >= 14) {
    kinds.add('zstd')
    return { bytes, ending: '.zst', zstdCut: dice.whole(bytes.length + 1) }
  }
  kinds.add('gzip')
  let packed: Buffer
  if (parts.length > 1 || dice.chance(0.4)) {
    kinds.add('gzip members')
    const cut = dice.whole(bytes.length + 1)
    packed = Buffer.concat([gzipSync(bytes.subarray(0, cut)), gzipSync(bytes.subarray(cut))])
  } else packed = gzipSync(bytes)
  const harm = dice.whole(100)
  if (harm < 10) {
    kinds.add('gzip padding')
    packed = Buffer.concat([packed, Buffer.alloc(1 + dice.whole(600))])
  } else if (harm < 25) {
    kinds.add('gzip cut')
    packed = packed.subarray(0, 3 + dice.whole(packed.length - 3))
  } else if (harm < 35) {
    kinds.add('gzip damaged')
    packed[10 + dice.whole(packed.length - 10)]! ^= 1 << dice.whole(8)
  }
  return { bytes: packed, ending: '.gz' }
}

function parquetFile(seed: number, maker: FileMaker): UglyFile {
  const { dice, kinds, key } = maker
  const parquet = generateParquet(maker)
  const isCut = dice.chance(0.1)
  if (isCut) kinds.add('truncated')
  if (maker.records.length === 0) kinds.add('empty file')
  return {
    seed,
    name: 'ugly.parquet',
    layout: 'parquet',
    spelling: 'plain',
    key,
    options: {},
    bytes: Buffer.alloc(0),
    parquet,
    zstdCut: undefined,
    cutShare: isCut ? dice.whole(1000) / 1000 : undefined,
    pieceBytes: undefined,
    records: maker.records,
    kinds,
  }
}
