/** What every program can use: two typed tables, one without a type, and the library. */
export const MODEL = `
import { connect, type Table } from 'headrace'
export interface User {
  id: string
  age: number
  tags: string[]
  tier?: 'gold' | 'silver'
  email?: string
  level?: 1 | 2 | 3
  roles?: Set<string>
  address?: { city: string; lines: string[] }
  settings?: { [name: string]: string }
}
export interface Order { customer: string; number: number; total: bigint; lines: { sku: string; count: number }[] }
export interface OrderLine { order: number; sku: string; count: number; state: 'open' | 'shipped' }
export interface Tables { users: User; orders: Order; 'order-lines': OrderLine }
export const db = connect<Tables>({ region: 'eu-west-1' })
export const users: Table<User> = db.table('users')
export const orders: Table<Order> = db.table('orders')
export const lines: Table<OrderLine> = db.table('order-lines')
export const items = connect().table('items')
`

/** Programs that must compile, by what they show. */
export const GOOD_PROGRAMS: { readonly [title: string]: string } = {
  'a table of an interface of tables has the type of its items': `
import { type Order, db } from './model.js'
export const order: Promise<Order | undefined> = db.table('orders').get({ customer: 'c1', number: 1 })`,
  'a table can be given the type of its items': `
import { connect, type Table } from 'headrace'
import type { User } from './model.js'
export const users: Table<User> = connect().table<User>('users')`,
  'a known table can be given another type': `
import { type User, db } from './model.js'
interface Admin extends User { admin: true }
export const admin: Promise<Admin | undefined> = db.table<Admin>('users').get({ id: 'a' })`,
  'a table without a type is a table of plain items': `
import { connect, type PlainItem, type Table } from 'headrace'
const name: string = 'users'
export const table: Table = connect().table(name)
export const item: Promise<PlainItem | undefined> = table.get({ id: 1 })`,
  'what connect returns has a name': `
import { type connect, type Database } from 'headrace'
type Connected = ReturnType<typeof connect>
export function tableOf(db: Connected): ReturnType<Database['table']> { return db.table('users') }`,
  'a typed database is a database': `
import { createTable, type Database, listTables } from 'headrace'
import { db } from './model.js'
export const plain: Database = db
export const made = createTable(db, 'users', { key: 'id:S' })
export const names = listTables(db)`,
  'a typed table is a table': `
import { count, type Table } from 'headrace'
import { items, orders, users } from './model.js'
function nameOf(table: Table): string { return table.name }
export const names = [users, orders, items].map(nameOf)
export const counted = count(users)`,
  'a table of more attributes is one of fewer': `
import type { Table } from 'headrace'
import { users } from './model.js'
export const table: Table<{ id: string }> = users`,
  'a function can be generic in the items': `
import type { Table } from 'headrace'
import { users } from './model.js'
async function all<Item extends object>(table: Table<Item>): Promise<Item[]> {
  const found: Item[] = []
  for await (const page of table.scan().pages()) found.push(...(page.items as Item[]))
  return found
}
export const tiers = all(users).then((found) => found.map(({ tier }) => tier))`,
  'a scan has typed items': `
import { users } from './model.js'
for await (const user of users.scan({ filter: 'attribute_exists(email)' })) {
  const email: string | undefined = user.email
  console.log(user.id.length, email?.length)
}`,
  'a scan with select has the selected attributes': `
import { users } from './model.js'
for await (const user of users.scan({ select: ['id', 'tags'] })) console.log(user.id.length, user.tags.length)`,
  'a scan of an index has optional attributes': `
import { users } from './model.js'
for await (const user of users.scan({ index: 'byAge' })) console.log(user.id?.length, user.age?.toFixed())`,
  'pages have typed items': `
import { type Page } from 'headrace'
import { type User, users } from './model.js'
for await (const page of users.scan().pages()) {
  const same: Page<User> = page
  console.log(same.items.map(({ age }) => age.toFixed()))
}`,
  'a scan of plain items has any attributes, also with select and index': `
import { items } from './model.js'
for await (const item of items.scan({ select: ['id'], index: 'byId' })) console.log(item['other'].deep.inside)`,
  'options of a scan can be a variable': `
import type { Scan, ScanOptions } from 'headrace'
import { items, users } from './model.js'
const options: ScanOptions = { segments: 4, concurrency: 2 }
export const scan: Scan = items.scan(options)
const typed: ScanOptions<'id' | 'age'> = { select: ['id', 'age'] }
for await (const user of users.scan(typed)) console.log(user.id?.length)`,
  'waits can have a signal': `
import { users } from './model.js'
const signal = AbortSignal.timeout(1_000)
export const user = users.get({ id: 'a' }, { signal })
export const scan = users.scan({ signal })
export const description = users.describe({ again: true, signal })
const publisher = users.publisher()
export const done = publisher.flush({ signal }).then(() => publisher.close({ signal }))`,
  'a signal may be undefined': `
import { startServiceExport, waitForTable } from 'headrace'
import { db, users } from './model.js'
export function both(signal: AbortSignal | undefined): unknown[] {
  return [users.get({ id: 'a' }, { signal }), waitForTable(db, 'users', { signal }), startServiceExport(users, 's3://a/b', { signal })]
}`,
  'a publisher puts, updates and deletes items of the table': `
import { users } from './model.js'
await using publisher = users.publisher({ onReject: ({ item }) => console.log(item?.['id']) })
publisher.put({ id: 'a', age: 1, tags: ['x'], tier: 'gold' })
publisher.update({ id: 'a' }, { set: { tier: 'silver', tags: ['y'] }, remove: ['email'] }, { expect: { tier: 'gold' } })
publisher.delete({ id: 'a' })`,
  'a publisher publishes a source of items': `
import { type User, users } from './model.js'
async function* made(): AsyncGenerator<User> { yield { id: 'a', age: 1, tags: [] } }
await users.publisher().publish(made(), { signal: AbortSignal.timeout(1_000) })
await users.publisher().publish([{ id: 'b', age: 2, tags: [] }])`,
  'a publisher of plain items takes any': `
import { items } from './model.js'
const publisher = items.publisher()
publisher.put({ id: 'a', when: 5n })
publisher.update({ id: 'a' }, { set: { count: 1 }, remove: ['when'] }, { expect: { count: undefined } })`,
  'a visitor sets a literal': `
import { updateAll } from 'headrace'
import { users } from './model.js'
export const job = updateAll(users, (user) => (user.tier ? undefined : { set: { tier: 'gold' } }))`,
  'a visitor may be asynchronous': `
import { updateAll } from 'headrace'
import { users } from './model.js'
export const job = updateAll(users, async (user) => {
  await Promise.resolve()
  if (user.age > 3) return { set: { tier: 'silver' } }
  return undefined
})`,
  'a visitor may do one thing or another, or nothing': `
import { updateAll } from 'headrace'
import { users } from './model.js'
export const job = updateAll(users, (user) => {
  if (user.age < 0) return 'delete'
  if (user.age < 18) return
  if (user.tier === 'gold') return { remove: ['email', 'tier'] }
  if (user.tier === 'silver') return null
  return { set: { tier: 'silver', age: user.age + 1 } }
})`,
  'a visitor that does nothing': `
import { updateAll } from 'headrace'
import { items, users } from './model.js'
export const jobs = [updateAll(users, () => undefined), updateAll(users, () => {}), updateAll(items, () => null)]`,
  'a visitor sets lists, maps and sets': `
import { updateAll } from 'headrace'
import { users } from './model.js'
export const job = updateAll(users, (user) => ({
  set: { tags: ['a', 'b'], address: { city: 'Oslo', lines: ['x'] }, roles: new Set(['admin']), settings: { theme: 'dark' } },
}))`,
  'a visitor adds to numbers and sets': `
import { updateAll } from 'headrace'
import { orders, users } from './model.js'
export const jobs = [
  updateAll(users, () => ({ add: { age: 1, roles: new Set(['admin']) } })),
  updateAll(orders, () => ({ add: { total: 5n } })),
]`,
  'a visitor can be written elsewhere': `
import { type Edit, updateAll, type Visitor } from 'headrace'
import { type User, users } from './model.js'
const visitor: Visitor<User> = (user) => ({ set: { age: user.age + 1, tier: 'gold' } })
function edit(user: User): Edit<User> { return user.tier ? 'delete' : { set: { tier: 'gold' } } }
export const jobs = [updateAll(users, visitor), updateAll(users, edit)]`,
  'a visitor of fewer attributes is one of more': `
import { updateAll } from 'headrace'
import { users } from './model.js'
export const job = updateAll(users, (user: { readonly age: number }) => ({ set: { age: user.age + 1 } }))`,
  'a visitor may be a module, or changes': `
import { updateAll, type VisitorSource } from 'headrace'
import { type User, users } from './model.js'
const source: VisitorSource<User> = { set: { tier: 'gold' } }
export const jobs = [
  updateAll(users, new URL('file:///add-tier.js')),
  updateAll(users, { set: { tier: 'gold' }, remove: ['email'], add: { age: 1 } }),
  updateAll(users, source as Exclude<typeof source, never>),
]`,
  'a visitor of plain items sets anything that can be stored': `
import { updateAll, type Visitor } from 'headrace'
import { items } from './model.js'
const visitor: Visitor = (item) => ({ set: { seen: item['id'], parts: [1, { two: 2n }] } })
export const jobs = [
  updateAll(items, visitor),
  updateAll(items, (item) => (item['n'] > 1 ? 'delete' : { set: { n: 1 }, remove: ['m'], add: { l: 1, k: new Set(['a']) } })),
  updateAll(items, async () => ({ set: { done: true } })),
  updateAll(items, { set: { done: true } }),
]`,
  'a visitor in JavaScript returns any': `
import { updateAll } from 'headrace'
import { items, users } from './model.js'
declare const visit: (item: any) => any
export const jobs = [updateAll(items, visit), updateAll(users, visit)]`,
  'edits of plain items have names of their own': `
import { type Changes, type Edit, updateAll, type VisitorSource } from 'headrace'
import { items } from './model.js'
const changes: Changes = { set: { a: 1 }, remove: ['b'] }
const source: VisitorSource = changes
function edit(): Edit { return changes }
export const jobs = [updateAll(items, changes), updateAll(items, source), updateAll(items, edit)]`,
  'items with more attributes than their type names': `
import { connect, updateAll } from 'headrace'
interface Loose { id: string; readonly [name: string]: unknown }
const table = connect().table<Loose>('loose')
export const job = updateAll(table, (item) => ({ set: { anything: 1 }, remove: ['other'] }))`,
  'items with branded names and unknown values': `
import { connect, updateAll } from 'headrace'
type UserId = string & { readonly brand: 'user' }
interface Branded { id: UserId; owner: UserId; extra?: unknown }
const table = connect().table<Branded>('branded')
export const jobs = [updateAll(table, (item) => ({ set: { owner: item.id, extra: [1, 'two'] } })), table.get({ id: 'a' as UserId })]`,
  'a deletion takes a table of any type': `
import { deleteAll } from 'headrace'
import { items, users } from './model.js'
export const jobs = [deleteAll(users, { filter: 'age > 3' }), deleteAll(items)]`,
  'a copy between tables of one type': `
import { connect, copy } from 'headrace'
import { type User, items, users } from './model.js'
const target = connect().table<User>('users2')
export const jobs = [copy(users, target), copy(users, target, { ifExists: 'skip' }), copy(users, items), copy(items, items)]`,
  'a copy with a transform from one type to another': `
import { copy } from 'headrace'
import { lines, orders } from './model.js'
export const jobs = [
  copy(orders, lines, {
    segments: 4,
    transform: (order) => order.lines.map(({ sku, count }) => ({ order: order.number, sku, count, state: 'open' })),
  }),
  copy(orders, lines, { transform: async (order) => ({ order: order.number, sku: 'x', count: 1, state: 'shipped' }) }),
  copy(orders, lines, { transform: () => undefined }),
  copy(orders, lines, { transform: new URL('file:///to-lines.js') }),
]`,
  'a transform can be written elsewhere': `
import { copy, type CopyOptions, type Transform, type TransformSource } from 'headrace'
import { type Order, type OrderLine, items, lines, orders, users } from './model.js'
const transform: Transform<Order, OrderLine> = (order) => ({ order: order.number, sku: 'x', count: 1, state: 'open' })
const source: TransformSource = (item) => [item, { ...item, id: 'copy' }]
const options: CopyOptions = { transform: source }
export const jobs = [copy(orders, lines, { transform }), copy(items, items, { transform: source }), copy(items, items, options)]
export const same = copy(users, users, { transform: (user) => ({ ...user, tier: 'gold' }) })`,
  'a load into a typed table': `
import { files, load, type LoadOptions } from 'headrace'
import { items, users } from './model.js'
const sources = await files(['users.csv'])
const options: LoadOptions = { transform: (record) => ({ id: record['ID'] }), ifExists: 'skip' }
export const jobs = [
  load(sources, users),
  load(sources, users, { ifExists: 'skip', transform: ({ ID, Age }) => ({ id: ID, age: Age, tags: ['new'], tier: 'gold' }) }),
  load(sources, items, options),
  load(sources, items, { transform: (record) => (record['x'] ? [record, record] : undefined) }),
]`,
  'an export of a typed table': `
import { exportTable, type ExportOptions } from 'headrace'
import { items, users } from './model.js'
const options: ExportOptions = { format: 'csv', columns: ['id'] }
export const jobs = [
  exportTable(users, 'users.csv', { select: ['id', 'email'], transform: ({ id, email }) => ({ id, mail: email ?? 'none' }) }),
  exportTable(users, 'users.jsonl', { transform: (user) => ({ ...user, year: 2026 - user.age }) }),
  exportTable(users, 's3://bucket/users.xml'),
  exportTable(items, 'items.csv', options),
]`,
  'a job of its own, with types': `
import { defineJob, type JobDefinition, openJob } from 'headrace'
import type { Order, OrderLine } from './model.js'
const definition = defineJob<Order, OrderLine>({
  source: { table: 'orders' },
  transform: (order) => order.lines.map(({ sku, count }) => ({ order: order.number, sku, count, state: 'open' })),
  sink: { table: 'order-lines' },
})
export const same: JobDefinition<Order, OrderLine> = definition
export const opened = openJob(definition)`,
  'a job of its own takes the type of its items from its transform': `
import { defineJob } from 'headrace'
import type { Order } from './model.js'
export default defineJob({
  source: { table: 'orders' },
  transform: (order: Order) => order.lines.map(({ sku }) => ({ sku })),
  sink: { table: 'order-lines' },
})`,
  'a job of its own that makes changes': `
import { defineJob } from 'headrace'
import type { Order, User } from './model.js'
export const typed = defineJob<Order, User>({
  source: { table: 'orders' },
  transform: (order) => [
    { put: { id: order.customer, age: 1, tags: [] } },
    { delete: { id: 'x' } },
    { update: { id: 'y' }, set: { tier: 'gold' }, remove: ['email'], expect: { tier: 'silver' } },
  ],
  sink: { table: 'users', write: 'changes' },
})
export const plain = defineJob({
  source: { items: () => [{ id: 'a' }] },
  transform: (item) => ({ update: { id: item['id'] }, set: { seen: true } }),
  sink: { table: 'users', write: 'changes' },
})`,
  'a job of its own without types': `
import { defineJob, openJob } from 'headrace'
const job = defineJob({
  source: { table: 'orders' },
  transform: ({ id, lines = [] }) => lines.map((line: object) => ({ order: id, ...line })),
  sink: { table: 'order-lines', ifExists: 'skip' },
})
export const opened = [openJob(job), openJob(new URL('file:///job.js'))]`,
  'a job goes on with a typed visitor or transform': `
import { resume, type Transform, type Visitor } from 'headrace'
import type { Order, OrderLine, User } from './model.js'
declare const visitor: Visitor<User>
declare const transform: Transform<Order, OrderLine>
export const jobs = [resume('.headrace/a', { visitor }), resume('.headrace/b', { transform })]`,
  'a key as text or as an object': `
import { createTable } from 'headrace'
import { db } from './model.js'
export const tables = [
  createTable(db, 'orders', { key: 'customer:S,number:N', replace: true }),
  createTable(db, 'users', { key: { partition: { name: 'id', type: 'S' } }, signal: AbortSignal.timeout(1_000) }),
]`,
}
