import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { IonWriter, loadIon } from '../../src/formats/ion.ts'
import type { PlainItem } from '../../src/item/attributeValue.ts'
import { canonicalText } from '../../src/item/canonicalText.ts'
import { decodeItem } from '../../src/item/decode.ts'
import { encodeItem } from '../../src/item/encode.ts'
import { NumberValue } from '../../src/item/number.ts'
import { exportTable } from '../../src/operations/exportTable.ts'
import { file } from '../../src/operations/file.ts'
import { scratchDirectory } from '../e2e/command.ts'
import { itemArbitrary } from '../item/itemArbitrary.ts'
import { newTable } from '../support/store.ts'
import { findPython, runPython } from './python.ts'

const python = findPython(['amazon.ion', 'boto3'])
const skip = python === undefined ? 'no Python with amazon.ion and boto3: node scripts/python.mjs makes one' : false

const texts = (items: readonly PlainItem[]): string[] => items.map(canonicalText).sort()

test("our Ion is read by amazon.ion, and our native export by boto3's deserializer", { skip }, async () => {
  using directory = scratchDirectory()
  // Attributes may be called anything in Ion; an item in a table has its key besides.
  const items = fc
    .sample(itemArbitrary, { numRuns: 200, seed: 7 })
    .map((item, index) => ({ ...item, id: `item${index}` }))
  const writer = new IonWriter(await loadIon())
  writeFileSync(join(directory.path, 'items.ion'), items.map((item) => writer.write(item)).join(''))
  const table = await newTable()
  const stored = items.filter((item) => isSafeForBoto3(item)).slice(0, 100)
  await using publisher = table.publisher()
  for (const item of stored) publisher.put(item)
  await publisher.flush()
  await exportTable(table, join(directory.path, 'native'), { format: 'native' }).run()

  const told = JSON.parse(runPython(python!, 'readExports.py', [directory.path])) as { ion: object[]; boto3: object[] }
  assert.deepEqual(texts(told.ion.map(decodeItem)), texts(items))
  assert.ok(stored.length > 50)
  assert.deepEqual(texts(told.boto3.map(decodeItem)), texts(stored))
})

/** It takes no number of more than 38 digits, zeros at the end counted, as 1E+125 has them on the wire (boto3 issue 2500). */
function isSafeForBoto3(item: PlainItem): boolean {
  return !/[1-9][\d.]{38,}/.test(encodeItem(item))
}

test('the Ion of amazon.ion is read as it was meant', { skip }, async () => {
  using directory = scratchDirectory()
  runPython(python!, 'writeIon.py', [directory.path])
  const items: PlainItem[] = []
  for await (const records of file(join(directory.path, 'theirs.ion')).records())
    for (const record of records) items.push('item' in record ? record.item : { error: record.error })
  const wanted = {
    id: 'theirs é€😀 "quoted" \n\t\\ \u2028 \0',
    n: new NumberValue('-1234567890.1234567890123456789'),
    small: 1e-130,
    large: BigInt(`99999999999999999999999999999999999999${'0'.repeat(88)}`),
    whole: 42,
    b: Uint8Array.from({ length: 256 }, (_, index) => index),
    null: null,
    true: true,
    list: ['x', [1.5], { deep: { 'a.b c': 'y' } }],
    SS: new Set(['a', 'b']),
    NS: new Set([1, 2.5]),
    BS: new Set([Uint8Array.of(0), Uint8Array.of(255)]),
    "odd name $0 'x'": '',
  }
  assert.deepStrictEqual(items, [wanted, wanted, wanted])
})
