// npm run picked-xml [-- ITEMS]: a table of a million items, of which four of a thousand are picked, as one XML document in
// S3; in how much memory, how fast, and how long it would take for 25 million at 12,000 read units a second. Exits with 1
// unless the document is well-formed, holds exactly what was picked, and took less than 256 MiB.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SaxesParser } from 'saxes'
import { validateXML } from 'xmllint-wasm'
import { connect } from '../../src/database/database.ts'
import { startLocal } from '../../src/local/startLocal.ts'
import { createTable } from '../../src/operations/tables.ts'
import { S3 } from '../../src/storage/s3.ts'
import { readS3Object } from '../../src/storage/s3Source.ts'
import { startS3Server } from '../support/s3Server.ts'
import { headrace, scratchDirectory } from './command.ts'

const MEMORY_MIB_MAX = 256
const LIFE_MS = 900_000
const PICKED_OF_A_THOUSAND = 4
/** The story's table, its capacity, and the time that a Lambda has. */
const STORY = { items: 25_000_000, readUnitsPerSecond: 12_000, minutesMax: 15 }

const count = Number(process.argv[2] ?? 1_000_000)
const itemOf = (index: number) => ({
  id: `book-${index}`,
  bucket: index % 1_000,
  title: `A <b>title</b> & more, ${index}`,
  price: (index % 10_000) / 100,
  tags: new Set([`t${index % 7}`, 'all']),
  notes: 'x'.repeat(index % 400),
})

await using store = await startLocal({ kind: 'dynoxide' })
await using s3Server = await startS3Server()
await using database = connect({ endpoint: store.endpoint })
using directory = scratchDirectory()
await createTable(database, 'books', { key: { partition: { name: 'id', type: 'S' } } })
{
  await using publisher = database.table('books').publisher()
  for (let index = 0; index < count; index += 1) if (!publisher.put(itemOf(index))) await publisher.ready
}

const memoryFile = join(directory.path, 'memory')
const key = 'picked.xml'
const startedAt = performance.now()
const end = await headrace(
  [
    ...['export', 'books', `s3://${s3Server.bucket}/${key}`, '--where', `bucket < ${PICKED_OF_A_THOUSAND}`],
    ...['--xml-root', 'books', '--xml-item', 'book', '--xml-attributes', 'id,price', '--json'],
    // Each page of the embedded store takes the longer the more of its segment lies in front of it.
    ...['--segments', `${Math.max(1, Math.round(count / 4_000))}`],
    ...['--endpoint-url', store.endpoint],
  ],
  {
    directory: directory.path,
    environment: {
      ...s3Server.environment,
      PEAK_MEMORY_FILE: memoryFile,
      NODE_OPTIONS: `--import=${new URL('../support/peakMemory.js', import.meta.url).href}`,
    },
    lifeMs: LIFE_MS,
  },
)
const seconds = (performance.now() - startedAt) / 1_000
assert.equal(end.code, 0, end.stderr)
const summary = JSON.parse(end.stdout.trimEnd().split('\n').at(-1)!)

const document = await read()
const { valid, errors } = await validateXML({ xml: [{ fileName: key, contents: document }], schema: [booksSchema()] })
assert.deepEqual([valid, errors], [true, []])
const expected = Array.from({ length: count }, (_, index) => index).filter((index) => index % 1_000 < 4)
assert.deepEqual(idsOf(document).sort(), expected.map((index) => `book-${index}`).sort())

const memoryMib = Number(readFileSync(memoryFile, 'utf8'))
const itemsPerSecond = count / seconds
const unitsPerItem = summary.readUnits / count
const byUnits = (STORY.items * unitsPerItem) / STORY.readUnitsPerSecond / 60
const byMachine = STORY.items / itemsPerSecond / 60
process.stdout.write(
  `${count} items scanned, ${expected.length} picked, one document of ${document.length} bytes in ${seconds.toFixed(1)} s: ` +
    `${Math.round(itemsPerSecond)} items/s with the embedded store, ${memoryMib} MiB resident at most\n` +
    `${STORY.items} items of this size are ${Math.round(STORY.items * unitsPerItem)} read units: ${byUnits.toFixed(1)} minutes at ` +
    `${STORY.readUnitsPerSecond} units a second, and ${byMachine.toFixed(1)} minutes at the rate measured here, of ${STORY.minutesMax}\n`,
)
if (memoryMib >= MEMORY_MIB_MAX) process.exitCode = 1

async function read(): Promise<string> {
  const s3 = new S3()
  const address = { bucket: s3Server.bucket, key }
  const pieces: Uint8Array[] = []
  for await (const piece of readS3Object(s3, address, await s3.head(address))) pieces.push(piece)
  await s3.close()
  return Buffer.concat(pieces).toString()
}

function idsOf(text: string): string[] {
  const ids: string[] = []
  const parser = new SaxesParser()
  parser.on('error', (error) => {
    throw error
  })
  parser.on('opentag', ({ name, attributes }) => {
    if (name === 'book') ids.push(attributes['id'] as string)
  })
  parser.write(text).close()
  return ids
}

/** xmllint wants a schema to hold it to: books of which each has an id. */
function booksSchema(): string {
  return `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="books"><xs:complexType><xs:sequence>
    <xs:element name="book" minOccurs="0" maxOccurs="unbounded"><xs:complexType><xs:sequence>
      <xs:any processContents="skip" minOccurs="0" maxOccurs="unbounded"/>
    </xs:sequence><xs:attribute name="id" use="required"/><xs:attribute name="price" type="xs:decimal"/>
    </xs:complexType></xs:element></xs:sequence></xs:complexType></xs:element></xs:schema>`
}
