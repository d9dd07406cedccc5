/**
 * Programs that must not compile, by what is wrong. A line that ends in `// error CODE` must have that error, or one of
 * several: compilers of different age sort the same mistake under different codes. No other line may have any.
 */
export const BAD_PROGRAMS: { readonly [title: string]: string } = {
  'a table that is not there': `
import { db } from './model.js'
db.table('user') // error TS2769`,
  'a table that is not there, with a type': `
import { type User, db } from './model.js'
db.table<User>('user') // error TS2345|TS2769`,
  'a name of a table that is only known to be text': `
import { db } from './model.js'
declare const name: string
db.table(name) // error TS2769`,
  'tables whose items are not objects': `
import { connect } from 'headrace'
const table = connect<{ users: string }>().table('users')
table.publisher().put('text') // error TS2345`,
  'a table of another type': `
import type { Table } from 'headrace'
import { type Order, db } from './model.js'
export const table: Table<Order> = db.table('users') // error TS2322`,
  'a table without a type is none of a type': `
import { connect, type Table } from 'headrace'
import type { User } from './model.js'
export const table: Table<User> = connect().table('users') // error TS2322`,
  'a scanned attribute with a typo': `
import { users } from './model.js'
for await (const user of users.scan()) console.log(user.emial) // error TS2551|TS2339`,
  'a scanned optional attribute as if it were there': `
import { users } from './model.js'
for await (const user of users.scan()) console.log(user.email.length) // error TS18048`,
  'an attribute that was not selected': `
import { users } from './model.js'
for await (const user of users.scan({ select: ['id'] })) console.log(user.age) // error TS2339`,
  'a selected attribute with a typo': `
import { users } from './model.js'
users.scan({ select: ['id', 'emial'] }) // error TS2820|TS2322`,
  'an attribute that an index may lack': `
import { users } from './model.js'
for await (const user of users.scan({ index: 'byAge' })) console.log(user.tags.length) // error TS18048`,
  'an option of a scan with a typo': `
import { users } from './model.js'
users.scan({ segmnts: 4 }) // error TS2353|TS2561`,
  'a key with a typo': `
import { users } from './model.js'
users.get({ ID: 'a' }) // error TS2353|TS2561`,
  'a key of another type': `
import { users } from './model.js'
users.get({ id: 5 }) // error TS2322`,
  'an item that may not be there': `
import { users } from './model.js'
const user = await users.get({ id: 'a' })
console.log(user.id) // error TS18048`,
  'a put without a required attribute': `
import { users } from './model.js'
users.publisher().put({ id: 'a', age: 1 }) // error TS2345|TS2741`,
  'a put of a wrong literal': `
import { users } from './model.js'
users.publisher().put({ id: 'a', age: 1, tags: [], tier: 'bronze' }) // error TS2322`,
  'a put with a typo': `
import { users } from './model.js'
users.publisher().put({ id: 'a', age: 1, tags: [], teir: 'gold' }) // error TS2353|TS2561`,
  'a source of items of another table': `
import { type Order, users } from './model.js'
declare const source: AsyncIterable<Order>
users.publisher().publish(source) // error TS2345`,
  'an update with a typo': `
import { users } from './model.js'
users.publisher().update({ id: 'a' }, { set: { tier: 'gold', teir: 'gold' } }) // error TS2353|TS2561`,
  'an update with a wrong literal': `
import { users } from './model.js'
users.publisher().update({ id: 'a' }, { set: { tier: 'bronze' } }) // error TS2322`,
  'an update that removes a required attribute': `
import { users } from './model.js'
users.publisher().update({ id: 'a' }, { remove: ['age'] }) // error TS2322`,
  'an update that adds': `
import { users } from './model.js'
users.publisher().update({ id: 'a' }, { add: { age: 1 } }) // error TS2353`,
  'an update that expects a wrong literal': `
import { users } from './model.js'
users.publisher().update({ id: 'a' }, { remove: ['tier'] }, { expect: { tier: 'bronze' } }) // error TS2322`,
  'a visitor that sets a wrong literal': `
import { updateAll } from 'headrace'
import { users } from './model.js'
updateAll(users, () => ({ set: { tier: 'bronze' } })) // error TS2345`,
  'a visitor that sets a value of another type': `
import { updateAll } from 'headrace'
import { users } from './model.js'
updateAll(users, (user) => ({ set: { age: user.id } })) // error TS2345`,
  'a visitor that sets an attribute with a typo': `
import { updateAll } from 'headrace'
import { users } from './model.js'
updateAll(users, () => ({ set: { teir: 'gold' } })) // error TS2345`,
  'a visitor that sets an attribute with a typo beside a right one': `
import { updateAll } from 'headrace'
import { users } from './model.js'
updateAll(users, (user) => (user.age > 3 ? undefined : { set: { tier: 'gold', teir: 'gold' } })) // error TS2345`,
  'an asynchronous visitor with a typo': `
import { updateAll } from 'headrace'
import { users } from './model.js'
updateAll(users, async () => ({ set: { tier: 'gold', teir: 'gold' } })) // error TS2345`,
  'a visitor with a typo in one of its ends': `
import { updateAll } from 'headrace'
import { users } from './model.js'
updateAll(users, (user) => { // error TS2345
  if (user.age > 3) return 'delete'
  if (user.age > 2) return { set: { tier: 'gold' } }
  return { set: { tier: 'gold', emial: 'x' } }
})`,
  'a visitor that reads an attribute with a typo': `
import { updateAll } from 'headrace'
import { users } from './model.js'
updateAll(users, (user) => (user.teir ? undefined : { set: { tier: 'gold' } })) // error TS2551|TS2339`,
  'a visitor that removes a required attribute': `
import { updateAll } from 'headrace'
import { users } from './model.js'
updateAll(users, () => ({ remove: ['age'] })) // error TS2345`,
  'a visitor that removes an attribute that is not there': `
import { updateAll } from 'headrace'
import { users } from './model.js'
updateAll(users, () => ({ remove: ['emial'] })) // error TS2345`,
  'a visitor that adds to text': `
import { updateAll } from 'headrace'
import { users } from './model.js'
updateAll(users, () => ({ add: { email: 1 } })) // error TS2345`,
  'a visitor that adds to a number of a few literals': `
import { updateAll } from 'headrace'
import { users } from './model.js'
updateAll(users, () => ({ add: { level: 1 } })) // error TS2345`,
  'a visitor that adds an attribute with a typo': `
import { updateAll } from 'headrace'
import { users } from './model.js'
updateAll(users, () => ({ add: { age: 1, aeg: 1 } })) // error TS2345`,
  'a visitor whose edit has a part with a typo': `
import { updateAll } from 'headrace'
import { users } from './model.js'
updateAll(users, () => ({ set: { tier: 'gold' }, removes: ['email'] })) // error TS2345`,
  'a visitor that says what nobody understands': `
import { updateAll } from 'headrace'
import { users } from './model.js'
updateAll(users, () => 'deleted') // error TS2345`,
  'a visitor that changes the item it is shown': `
import { updateAll } from 'headrace'
import { users } from './model.js'
updateAll(users, (user) => {
  user.tier = 'gold' // error TS2540
  return undefined
})`,
  'a visitor that sets half a map': `
import { updateAll } from 'headrace'
import { users } from './model.js'
updateAll(users, () => ({ set: { address: { city: 'Oslo' } } })) // error TS2345`,
  'a visitor that sets what cannot be stored': `
import { updateAll } from 'headrace'
import { items } from './model.js'
updateAll(items, () => ({ set: { when: new Date() } })) // error TS2345`,
  'a visitor of another table': `
import { updateAll, type Visitor } from 'headrace'
import { type Order, users } from './model.js'
declare const visitor: Visitor<Order>
updateAll(users, visitor) // error TS2345`,
  'a function of the items of another table': `
import { updateAll } from 'headrace'
import { type Order, users } from './model.js'
updateAll(users, (order: Order) => ({ set: { age: order.number } })) // error TS2345`,
  'changes with a typo': `
import { updateAll } from 'headrace'
import { users } from './model.js'
updateAll(users, { set: { tier: 'gold', teir: 'gold' } }) // error TS2353|TS2561|TS2345`,
  'changes with a wrong literal': `
import { updateAll } from 'headrace'
import { users } from './model.js'
updateAll(users, { set: { tier: 'bronze' } }) // error TS2322`,
  'edits of another type': `
import type { Edit, Visitor } from 'headrace'
import type { User } from './model.js'
export const edit: Edit<User> = { set: { tier: 'bronze' } } // error TS2322
export const visitor: Visitor<User> = () => ({ set: { tier: 'bronze' } }) // error TS2322`,
  'a copy between tables of different types': `
import { copy } from 'headrace'
import { orders, users } from './model.js'
copy(users, orders) // error TS2345|TS2769
copy(users, orders, { ifExists: 'skip' }) // error TS2769`,
  'a transform that makes a wrong literal': `
import { copy } from 'headrace'
import { lines, orders } from './model.js'
copy(orders, lines, { transform: (order) => ({ order: order.number, sku: 'x', count: 1, state: 'lost' }) }) // error TS2769`,
  'a transform that leaves out a required attribute': `
import { copy } from 'headrace'
import { lines, orders } from './model.js'
copy(orders, lines, { transform: (order) => ({ order: order.number, sku: 'x', count: 1 }) }) // error TS2769`,
  'a transform from another table': `
import { copy, type Transform } from 'headrace'
import { type OrderLine, type User, lines, orders } from './model.js'
declare const transform: Transform<User, OrderLine>
copy(orders, lines, { transform }) // error TS2769`,
  'a load whose transform makes something else': `
import { load, type RecordSource } from 'headrace'
import { users } from './model.js'
declare const source: RecordSource
load(source, users, { transform: ({ ID }) => ({ id: ID, age: 'old', tags: [] }) }) // error TS2322
load(source, users, { transform: ({ ID }) => ({ id: ID }) }) // error TS2322`,
  'an export that selects an attribute with a typo': `
import { exportTable } from 'headrace'
import { users } from './model.js'
exportTable(users, 'users.csv', { select: ['id', 'emial'] }) // error TS2820|TS2322`,
  'an export whose transform reads what was not selected': `
import { exportTable } from 'headrace'
import { users } from './model.js'
exportTable(users, 'users.csv', { select: ['id'], transform: (user) => ({ id: user.id, mail: user.email }) }) // error TS2339`,
  'a job of its own that makes something else': `
import { defineJob } from 'headrace'
import type { Order, OrderLine } from './model.js'
defineJob<Order, OrderLine>({
  source: { table: 'orders' },
  transform: (order) => ({ order: order.number, sku: 'x', count: 1, state: 'lost' }), // error TS2322
  sink: { table: 'order-lines' },
})`,
  'a job of its own whose source has items of another type': `
import { defineJob } from 'headrace'
import type { Order, User } from './model.js'
declare const users: AsyncIterable<User>
defineJob<Order>({
  source: { items: () => users }, // error TS2322
  sink: { table: 'orders' },
})`,
  'a key of a new table that is not text': `
import { createTable } from 'headrace'
import { db } from './model.js'
createTable(db, 'users', { key: ['id:S'] }) // error TS2322|TS2740|TS2741`,
  'parts of the library that users do not see': `
import { users } from './model.js'
users.publishEngine() // error TS2339
users.scanEngine() // error TS2339
users.readAgain('') // error TS2339
users.describeUsable() // error TS2339
users.segmentsOf({}) // error TS2339
users.database.open() // error TS2339
users.publisher().onStored() // error TS2339
users.publisher().onRefused() // error TS2339
users.publisher().onConflict() // error TS2339`,
}
