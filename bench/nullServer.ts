import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import { crc32 } from 'node:zlib'
import { marshall } from '@aws-sdk/util-dynamodb'
import { generate } from 'selfsigned'
import { ITEMS_PER_PAGE, SEGMENTS, TABLE } from './items.ts'
import { PAGE_VARIANTS, SHAPES, type ShapeName, shapeNamed } from './shapes.ts'

/**
 * A program that speaks just enough DynamoDB to measure a client: it stores nothing, counts exactly, and answers from
 * texts made beforehand. It parses HTTP/1.1 itself, because `node:http` would cost more than the clients it measures.
 *
 * Started by `startNullServer`, which hands it its options as one JSON argument and talks to it over IPC.
 */
export interface NullServerOptions {
  tls: boolean
  /** Time between a request's last byte and its answer. */
  delayMs: number
  /** Writes that are answered in a second, one request after another; 0 for as many as come. */
  writesPerSecond: number
  /** A write whose body holds this text is answered after {@link STUCK_MS}, with an error, the first so many times. */
  stuckText: string
  stuckTimes: number
  /**
   * Pages of a segment of any table whose name does not say (`bench-pages-3`). All pages of such a table are alike; in one
   * named `bench-own-pages-3` each item has a key of its own, and a page as many items as are asked for; in
   * `bench-large-own-pages-3` an item has 2.7 KB; in `bench-shape-wide-pages-3` items are of that shape.
   */
  pagesPerSegment: number
}

export interface NullServerCounts {
  /** Entries of BatchWriteItem that were puts, and PutItem. */
  puts: number
  /** Entries of BatchExecuteStatement, and UpdateItem. */
  statements: number
  pages: number
  /** Items of those pages. */
  itemsRead: number
  requests: number
  /** Most requests that waited for their answer at one moment, since this was last asked for. Never above 1 without a delay. */
  inFlightMax: number
  connections: number
  /** User and system time of the server's process: shows that it was not the bottleneck. */
  cpuMicros: number
}

/** What the server sends its parent. */
export type NullServerMessage =
  | { kind: 'listening'; endpoint: string; caFile?: string }
  | { kind: 'counts'; counts: NullServerCounts }

const HEAD_END = '\r\n\r\n'
const PUT_MARK = Buffer.from('"PutRequest"')
const STATEMENT_MARK = Buffer.from('"Statement"')
/** `TOTAL` or `INDEXES`: the table has no index, so both are answered alike. */
const CAPACITY_MARK = Buffer.from('"ReturnConsumedCapacity":')

const STUCK_MS = 5_000

const DEFAULTS: NullServerOptions = {
  tls: false,
  delayMs: 0,
  writesPerSecond: 0,
  stuckText: '',
  stuckTimes: 0,
  pagesPerSegment: 1,
}
const options: NullServerOptions = { ...DEFAULTS, ...JSON.parse(process.argv[2] ?? '{}') }
/** When what was asked for so far will have been written, and how often the one that is stuck was asked for. */
let busyUntilMs = 0
let stuckTimes = 0
/** Requests that wait for their answer. */
let inFlight = 0
const counts: NullServerCounts = {
  puts: 0,
  statements: 0,
  pages: 0,
  itemsRead: 0,
  requests: 0,
  inFlightMax: 0,
  connections: 0,
  cpuMicros: 0,
}

/** Gathers what arrives, however it is cut, and hands over each whole request, however many arrive together. */
function serve(socket: Socket): void {
  counts.connections += 1
  let chunks: Buffer[] = []
  let bytesHeld = 0
  let bytesNeeded = 0

  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    bytesHeld += chunk.length
    if (bytesHeld < bytesNeeded) return
    const data = chunks.length === 1 ? chunk : Buffer.concat(chunks, bytesHeld)
    let offset = 0
    bytesNeeded = 0
    while (offset < data.length) {
      const headEnd = data.indexOf(HEAD_END, offset, 'latin1')
      if (headEnd < 0) break
      const head = data.toString('latin1', offset, headEnd)
      const bodyStart = headEnd + HEAD_END.length
      const bodyEnd = bodyStart + bodyLength(head)
      if (bodyEnd > data.length) {
        bytesNeeded = bodyEnd - offset
        break
      }
      answer(socket, head, data.subarray(bodyStart, bodyEnd))
      offset = bodyEnd
    }
    bytesHeld = data.length - offset
    chunks = bytesHeld === 0 ? [] : [data.subarray(offset)]
  })
  // A client that goes away in the middle is its own affair.
  socket.on('error', () => socket.destroy())
}

function bodyLength(head: string): number {
  const match = /\r\ncontent-length: *(\d+)/i.exec(head)
  return match === null ? 0 : Number(match[1])
}

function answer(socket: Socket, head: string, body: Buffer): void {
  counts.requests += 1
  const operation = /\r\nx-amz-target: *DynamoDB_20120810\.(\w+)/i.exec(head)?.[1] ?? ''
  if (operation === 'Scan') {
    const request: ScanRequest = JSON.parse(body.toString())
    if (request.TableName.includes('-own-pages-')) sendOwnPage(socket, request)
    else sendPage(socket, request, pagesOf(request.TableName))
  } else if (stuckTimes < options.stuckTimes && body.includes(options.stuckText)) {
    stuckTimes += 1
    setTimeout(() => socket.write(STUCK, 'latin1'), STUCK_MS)
  } else {
    const before = counts.puts + counts.statements
    const text = answerText(operation, body)
    send(socket, text, counts.puts + counts.statements - before)
  }
}

function answerText(operation: string, body: Buffer): string | undefined {
  switch (operation) {
    case 'BatchWriteItem': {
      const puts = countOf(PUT_MARK, body)
      counts.puts += puts
      return body.includes(CAPACITY_MARK) ? writtenWithCapacity(puts) : WRITTEN
    }
    case 'BatchExecuteStatement': {
      const statements = countOf(STATEMENT_MARK, body)
      counts.statements += statements
      return executed(statements, body.includes(CAPACITY_MARK))
    }
    case 'PutItem':
      counts.puts += 1
      return '{}'
    case 'UpdateItem':
      counts.statements += 1
      return '{}'
    case 'DescribeTable':
      return describeTable(JSON.parse(body.toString()).TableName)
    default:
      return undefined
  }
}

/** A mark with its quotes can not be part of a longer JSON string, where its quotes would be escaped. */
function countOf(mark: Buffer, body: Buffer): number {
  let count = 0
  for (let at = body.indexOf(mark); at >= 0; at = body.indexOf(mark, at + mark.length)) count += 1
  return count
}

const WRITTEN = '{"UnprocessedItems":{}}'
const cachedTexts = new Map<string, string>()

function cached(name: string, make: () => string): string {
  let text = cachedTexts.get(name)
  if (text === undefined) {
    text = make()
    cachedTexts.set(name, text)
  }
  return text
}

function writtenWithCapacity(puts: number): string {
  return cached(`written ${puts}`, () => `{"UnprocessedItems":{},"ConsumedCapacity":[${capacity(puts)}]}`)
}

function executed(statements: number, withCapacity: boolean): string {
  return cached(`executed ${statements} ${withCapacity}`, () => {
    const responses = new Array(statements).fill(`{"TableName":"${TABLE}"}`).join(',')
    return withCapacity
      ? `{"Responses":[${responses}],"ConsumedCapacity":[${capacity(statements)}]}`
      : `{"Responses":[${responses}]}`
  })
}

function capacity(units: number): string {
  return `{"TableName":"${TABLE}","CapacityUnits":${units}}`
}

function pagesPerSegmentOf(table: string): number {
  const match = /-pages-(\d+)$/.exec(table)
  return match === null ? options.pagesPerSegment : Number(match[1])
}

function describeTable(table: string): string {
  const itemCount = pagesPerSegmentOf(table) * SEGMENTS * ITEMS_PER_PAGE
  return JSON.stringify({
    Table: {
      TableName: table,
      TableArn: `arn:aws:dynamodb:eu-west-1:000000000000:table/${table}`,
      TableId: '00000000-0000-4000-8000-000000000000',
      TableStatus: 'ACTIVE',
      CreationDateTime: 1_700_000_000,
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
      ],
      BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
      ProvisionedThroughput: { NumberOfDecreasesToday: 0, ReadCapacityUnits: 0, WriteCapacityUnits: 0 },
      ItemCount: itemCount,
      TableSizeBytes: itemCount * 180,
    },
  })
}

/** The part of a page that is made once; what follows it differs by a few bytes, and CRC-32 can be carried on from here. */
interface Page {
  bytes: Buffer
  checksum: number
  items: number
}

function makePage(itemTexts: readonly string[]): Page {
  const items = itemTexts.length
  const bytes = Buffer.from(`{"Items":[${itemTexts.join(',')}],"Count":${items},"ScannedCount":${items}`)
  return { bytes, checksum: crc32(bytes), items }
}

/** All pages of a table whose name tells no shape are alike. */
const PAGES: readonly Page[] = [makePage(itemTexts())]
const shapedPages = new Map<ShapeName, readonly Page[]>()

function pagesOf(table: string): readonly Page[] {
  const name = /-shape-(.+)-pages-\d+$/.exec(table)?.[1]
  if (name === undefined) return PAGES
  const shape = shapeNamed(name)
  let pages = shapedPages.get(shape)
  if (pages === undefined) {
    const { make, itemsPerPage } = SHAPES[shape]
    const texts = (from: number): string[] =>
      Array.from({ length: itemsPerPage }, (_, index) => JSON.stringify(marshall(make(from + index))))
    pages = Array.from({ length: PAGE_VARIANTS }, (_, page) => makePage(texts(page * itemsPerPage)))
    shapedPages.set(shape, pages)
  }
  return pages
}

function itemTexts(): string[] {
  const cities = ['Rotterdam', 'Trondheim', 'Salamanca', 'Ljubljana', 'Edinburgh']
  const items: string[] = []
  for (let index = 0; index < ITEMS_PER_PAGE; index += 1) {
    items.push(
      `{"pk":{"S":"user-${1_000_000 + index}"},"sk":{"S":"profile"},"name":{"S":"Ada Lovelace ${index}"},` +
        `"email":{"S":"ada.lovelace.${index}@example.com"},"active":{"BOOL":${index % 4 !== 0}},` +
        `"score":{"N":"${(index % 1_000) / 8}"},"tags":{"L":[{"S":"gold"},{"S":"north"}]},` +
        `"address":{"M":{"city":{"S":"${cities[index % 5]}"},"zip":{"S":"${10_000 + index}"}}}}`,
    )
  }
  return items
}

interface ScanRequest {
  TableName: string
  Segment?: number
  ExclusiveStartKey?: { pk: { S: string } }
  ReturnConsumedCapacity?: string
  Limit?: number
}

/** A segment's pages are numbered from 1, and the key to go on from names the page that was read last. */
function sendPage(socket: Socket, request: ScanRequest, pages: readonly Page[]): void {
  const page = Number(request.ExclusiveStartKey?.pk.S.replace('page-', '') ?? 0) + 1
  const { bytes, checksum, items } = pages[page % pages.length]!
  counts.pages += 1
  counts.itemsRead += items
  const capacityText = `,"ConsumedCapacity":{"TableName":"${request.TableName}","CapacityUnits":128}`
  const startKey = `,"LastEvaluatedKey":{"pk":{"S":"page-${page}"},"sk":{"S":"segment-${request.Segment ?? 0}"}}`
  const tail =
    (request.ReturnConsumedCapacity === 'TOTAL' ? capacityText : '') +
    (page < pagesPerSegmentOf(request.TableName) ? startKey : '') +
    '}'
  const head = headOf('200 OK', bytes.length + tail.length, crc32(tail, checksum))
  later(() => {
    socket.cork()
    socket.write(head, 'latin1')
    socket.write(bytes)
    socket.write(tail, 'latin1')
    socket.uncork()
  })
}

/** Keys of their own are written over these, which are as wide. */
const OWN_KEY = 'item-00000000000'
const OWN_HEAD = '{"Items":['

/** A page of items of one width, to be copied and written over. */
class OwnPages {
  readonly itemsPerPage: number
  readonly itemBytes: number
  readonly #page: Buffer
  readonly #keyStart: number

  constructor(itemsPerPage: number, text: string) {
    const items = Array.from({ length: itemsPerPage }, (_, index) => {
      const number = String(1_000_000 + index)
      return (
        `{"pk":{"S":"${OWN_KEY}"},"sk":{"S":"profile"},"name":{"S":"Ada Lovelace ${number}"},` +
        `"email":{"S":"ada.lovelace.${number}@example.com"},"active":{"BOOL":true},"score":{"N":"${number}"},${text}` +
        `"tags":{"L":[{"S":"gold"},{"S":"north"}]},"address":{"M":{"city":{"S":"Rotterdam"},"zip":{"S":"${number}"}}}}`
      )
    })
    this.itemsPerPage = itemsPerPage
    this.itemBytes = items[0]!.length + 1
    this.#page = Buffer.from(`${OWN_HEAD}${items.join(',')}`)
    this.#keyStart = OWN_HEAD.length + items[0]!.indexOf(OWN_KEY)
  }

  /** The first so many items, each with a key of its own. */
  of(count: number, keyOf: (index: number) => string): Buffer {
    const page = Buffer.from(this.#page.subarray(0, OWN_HEAD.length + Math.max(0, count * this.itemBytes - 1)))
    for (let index = 0; index < count; index += 1)
      page.write(keyOf(index), this.#keyStart + index * this.itemBytes, 'latin1')
    return page
  }
}

const OWN_SMALL = new OwnPages(ITEMS_PER_PAGE, '')
/** Pages of a megabyte, as those of small items. */
const OWN_LARGE = new OwnPages(400, `"text":{"S":"${'all work and no play '.repeat(120)}"},`)

/** As {@link sendPage}; the key to go on from is the key of the item that was read last. */
function sendOwnPage(socket: Socket, request: ScanRequest): void {
  counts.pages += 1
  const pages = request.TableName.includes('-large-') ? OWN_LARGE : OWN_SMALL
  const { itemsPerPage, itemBytes } = pages
  const { Segment: segment = 0, TableName: table, Limit: limit = itemsPerPage } = request
  const keyOf = (index: number): string => `item-${String(segment * 10_000_000 + index).padStart(11, '0')}`
  const last = pagesPerSegmentOf(table) * itemsPerPage
  const from =
    request.ExclusiveStartKey === undefined ? 0 : (Number(request.ExclusiveStartKey.pk.S.slice(5)) % 10_000_000) + 1
  const to = Math.min(last, from + Math.min(limit, itemsPerPage))
  const count = to - from
  counts.itemsRead += count
  const tail = Buffer.from(
    `],"Count":${count},"ScannedCount":${count}` +
      `,"ConsumedCapacity":{"TableName":"${table}","CapacityUnits":${Math.ceil((count * itemBytes) / 8_192)}}` +
      (to < last ? `,"LastEvaluatedKey":{"pk":{"S":"${keyOf(to - 1)}"},"sk":{"S":"profile"}}}` : '}'),
  )
  const body = Buffer.concat([pages.of(count, (index) => keyOf(from + index)), tail])
  const head = headOf('200 OK', body.length, crc32(body))
  later(() => {
    socket.cork()
    socket.write(head, 'latin1')
    socket.write(body)
    socket.uncork()
  })
}

const UNKNOWN_OPERATION = '{"__type":"com.amazon.coral.service#UnknownOperationException"}'

/** For texts of ASCII only. @param writes that it acknowledges */
function send(socket: Socket, text: string | undefined, writes: number): void {
  const body = text ?? UNKNOWN_OPERATION
  const whole = headOf(text === undefined ? '400 Bad Request' : '200 OK', body.length, crc32(body)) + body
  later(() => socket.write(whole, 'latin1'), writes)
}

function later(write: () => void, writes = 0): void {
  const delayMs = options.delayMs + queueMs(writes)
  inFlight += 1
  counts.inFlightMax = Math.max(counts.inFlightMax, inFlight)
  const answerNow = (): void => {
    inFlight -= 1
    write()
  }
  // Timers of one duration fire in the order in which they were set, so pipelined answers keep theirs.
  if (delayMs > 0) setTimeout(answerNow, delayMs)
  else answerNow()
}

function queueMs(writes: number): number {
  if (options.writesPerSecond === 0 || writes === 0) return 0
  const now = performance.now()
  busyUntilMs = Math.max(now, busyUntilMs) + (writes / options.writesPerSecond) * 1_000
  return busyUntilMs - now
}

function headOf(status: string, bytes: number, checksum: number): string {
  return (
    `HTTP/1.1 ${status}\r\nx-amzn-requestid: BENCH${counts.requests}\r\nx-amz-crc32: ${checksum}\r\n` +
    `content-type: application/x-amz-json-1.0\r\ncontent-length: ${bytes}\r\n\r\n`
  )
}

const STUCK_BODY = '{"__type":"com.amazon.coral.service#InternalServerError","message":"stuck"}'
const STUCK = headOf('500 Internal Server Error', STUCK_BODY.length, crc32(STUCK_BODY)) + STUCK_BODY

async function start(): Promise<void> {
  let server: Server
  let folder: string | undefined
  let caFile: string | undefined
  if (options.tls) {
    const authority = await generate([{ name: 'commonName', value: 'headrace bench' }], {
      keyType: 'ec',
      algorithm: 'sha256',
      extensions: [
        { name: 'basicConstraints', cA: true, critical: true },
        { name: 'keyUsage', keyCertSign: true, critical: true },
      ],
    })
    // A certificate of its own beneath that: rustls takes no authority's certificate for a server's.
    const pem = await generate([{ name: 'commonName', value: 'localhost' }], {
      keyType: 'ec',
      algorithm: 'sha256',
      ca: { key: authority.private, cert: authority.cert },
      extensions: [
        { name: 'basicConstraints', cA: false },
        {
          name: 'subjectAltName',
          altNames: [
            { type: 2, value: 'localhost' },
            { type: 7, ip: '127.0.0.1' },
          ],
        },
      ],
    })
    folder = mkdtempSync(join(tmpdir(), 'headrace-bench-'))
    caFile = join(folder, 'ca.pem')
    writeFileSync(caFile, authority.cert)
    server = createTlsServer({ key: pem.private, cert: pem.cert, noDelay: true }, serve)
  } else {
    server = createServer({ noDelay: true }, serve)
  }

  // The parent's end is ours too, however it comes; the exit handler then takes the certificate away.
  process.on('exit', () => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  })
  process.on('disconnect', () => process.exit(0))
  process.on('SIGTERM', () => process.exit(0))
  // Ctrl-C reaches the whole group; the parent may still want the counts.
  process.on('SIGINT', () => {
    if (!process.connected) process.exit(130)
  })
  process.on('message', () => {
    const { user, system } = process.cpuUsage()
    tellParent({ kind: 'counts', counts: { ...counts, cpuMicros: user + system } })
    counts.inFlightMax = inFlight
  })

  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo
    const endpoint = `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`
    tellParent(caFile === undefined ? { kind: 'listening', endpoint } : { kind: 'listening', endpoint, caFile })
  })
}

function tellParent(message: NullServerMessage): void {
  if (process.send === undefined) console.log(JSON.stringify(message))
  else process.send(message)
}

await start()
