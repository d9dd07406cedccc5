// Breaks the readers of files and the account of a load on purpose, one way at a time, and shows that generated files find each.
// npm run ugly-mutations [-- WORD]   those whose name contains the word
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { runMutations } from '../support/mutations.mjs'

const SEEDS = 3_000

const mutations = [
  {
    name: 'old Mac line ends do not end a row',
    file: 'formats/csv.js',
    from: "['\\r\\n', '\\n', '\\r']",
    to: "['\\r\\n', '\\n']",
  },
  {
    name: 'a row may have too few cells',
    file: 'formats/csv.js',
    from: 'if (cells.length !== columns.length) {',
    to: 'if (cells.length > columns.length) {',
  },
  {
    name: 'bytes that are not UTF-8 become U+FFFD in a cell',
    file: 'formats/csv.js',
    from: "strictText(Buffer.from(cell, 'latin1'), 'cell')",
    to: "Buffer.from(cell, 'latin1').toString()",
  },
  {
    name: 'an empty cell is an empty text',
    file: 'formats/csv.js',
    from: "if (cell === '')\n            continue;",
    to: '',
  },
  {
    name: '__proto__ is assigned',
    file: 'formats/csv.js',
    from: "if (column.name === '__proto__') {",
    to: 'if (false) {',
  },
  {
    name: 'key columns are text',
    file: 'formats/csvColumns.js',
    from: '?? keyParts.find((part) => part.name === name)?.type ??',
    to: '??',
  },
  {
    name: 'numbers of JSON lose digits',
    file: 'item/plainJson.js',
    from: 'if (!losesDigits(text) && !mayNestTooDeep(text)) {',
    to: 'if (!mayNestTooDeep(text)) {',
  },
  {
    name: 'old Mac line ends within a line are not looked for',
    file: 'formats/jsonLines.js',
    from: 'if (!line.includes(RETURN) && !line.includes(MARK))',
    to: 'if (true)',
  },
  {
    name: 'a file whose first line ends with CR has no other line ends',
    file: 'formats/jsonLines.js',
    from: 'this.#newline = NEWLINE;\n        if (this.#skipping)',
    to: ';\n        if (this.#skipping)',
  },
  {
    name: 'an escaped quote ends a text',
    file: 'formats/jsonValues.js',
    from: 'escaped = true;',
    to: 'escaped = false;',
  },
  {
    name: 'an array that is cut short has ended',
    file: 'formats/jsonValues.js',
    from: 'else if (this.#isArray || inValue) {',
    to: 'else if (false) {',
  },
  {
    name: 'the Count of scan output is not compared',
    file: 'formats/jsonValues.js',
    from: "if (typeof count === 'number' && count !== items)",
    to: 'if (false)',
  },
  {
    name: 'gzip that is cut short has ended',
    file: 'formats/decompress.js',
    from: 'throw damaged(failure);',
    to: ';',
  },
  {
    name: 'the first record decides on the spelling',
    file: 'formats/readRecords.js',
    from: 'judgeSpelling(objects)',
    to: 'judgeSpelling(objects.slice(0, 1))',
  },
  {
    name: 'a byte order mark belongs to the first record',
    file: 'formats/readRecords.js',
    from: 'head[2] === 0xbf ? 3 : 0',
    to: 'head[2] === 0xbf ? 0 : 0',
  },
  {
    name: 'UTF-16 is read as it is',
    file: 'formats/readRecords.js',
    from: 'if (foreign !== undefined) {',
    to: 'if (false) {',
  },
  {
    name: 'of two members of one name in Ion the last counts',
    file: 'formats/ion.js',
    from: 'if (Object.hasOwn(struct, name))',
    to: 'if (false)',
  },
  {
    name: 'decimals of Ion have no sign',
    file: 'formats/ion.js',
    from: "decimal.isNegative() && coefficient > 0n ? '-' : ''",
    to: "''",
  },
  {
    name: 'decimals of Parquet have no scale',
    file: 'formats/parquetValues.js',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: compiled code
    from: '`${unscaled}e${-scale}`',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: compiled code
    to: '`${unscaled}`',
  },
  {
    name: 'a set may hold an element twice',
    file: 'item/decode.js',
    from: 'if (texts.size < elements.length)',
    to: 'if (false)',
  },
  {
    name: 'a file that cannot be read on has ended',
    file: 'operations/load.js',
    from: 'this.#failure ??= error;',
    to: ';',
  },
  {
    name: 'records that are overwritten are counted as written',
    file: 'operations/load.js',
    from: 'this.#run.account.endingOf(entry.keyHash, entry.keyCheck)',
    to: "'written'",
  },
  {
    name: 'a file without records is not told of',
    file: 'operations/load.js',
    from: 'this.#noteEmpty(source.name);',
    to: ';',
  },
  {
    name: 'a bad record is passed over',
    file: 'operations/load.js',
    from: "if ('error' in record) {",
    to: "if ('error' in record && record.place.line > 1) {\n            this.#run.tally.read -= 1;\n            stream.settle(sequence, 'filtered');\n            return undefined;\n        }\n        if ('error' in record) {",
  },
  {
    name: 'a reject holds its item as ordinary JSON',
    file: 'job/rejectLine.js',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: compiled code
    from: '${typedText(item)}',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: compiled code
    to: '${JSON.stringify(item)}',
  },
  {
    name: 'a reject whose text was mended keeps its bytes',
    file: 'formats/rejectDecoder.js',
    from: "if (typeof rawBase64 === 'string' && !isMended(reject))\n            throw",
    to: "if (typeof rawBase64 === 'string')\n            throw",
  },
  {
    name: 'rows in rejects have commas',
    file: 'formats/rejectDecoder.js',
    from: 'return readCsvRow(text, columns, delimiter);',
    to: 'return readCsvRow(text, columns);',
  },
]

function judge(_, mutants) {
  const script = join(mutants, 'test/interop/uglyFiles.js')
  const { stdout, stderr, signal } = spawnSync(process.execPath, [script, '--seeds', `${SEEDS}`, '--stop'], {
    encoding: 'utf8',
    timeout: 400_000,
  })
  if (signal !== null) throw new Error(`the run was ended by ${signal}`)
  if (!/ differences$/m.test(stdout)) throw new Error(`the run came to nothing: ${stderr.slice(-500)}`)
  return /^seed \d+: .*/m.exec(stdout)?.[0]
}

runMutations({ name: 'ugly', mutations, folders: ['interop', 'support', 'expression', 'e2e'], judge })
