import { once } from 'node:events'
import { openDatabase } from './openDatabase.ts'
import type { ConnectionFlags } from './options.ts'
import { partOf, runStrategy } from './strategies.ts'

/** What a process of its own is told, as JSON, by its one argument. */
export interface StrategyOrder {
  readonly connection: ConnectionFlags
  readonly table: string
  readonly mark: string
  readonly producers: number
  readonly consumers: number
  readonly index: number
  readonly of: number
}

/** What it tells its parent: that it may begin, then how many items it wrote. */
export type StrategyNews = { readonly kind: 'ready' } | { readonly kind: 'done'; readonly items: number }

// One of several processes of `headrace bench strategies`. It begins when its parent says so, and ends with it.
process.on('disconnect', () => process.exit(1))
const { connection, table, mark, producers, consumers, index, of }: StrategyOrder = JSON.parse(process.argv[2]!)
const database = openDatabase(connection)
try {
  await database.open()
  const begin = once(process, 'message')
  tell({ kind: 'ready' })
  await begin
  const items = await runStrategy(database, table, mark, partOf(producers, consumers, { index, of }))
  process.removeAllListeners('disconnect')
  tell({ kind: 'done', items })
} finally {
  await database.close()
}
process.disconnect()

function tell(news: StrategyNews): void {
  process.send!(news)
}
