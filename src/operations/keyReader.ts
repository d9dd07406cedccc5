import type { Table } from '../database/table.ts'
import type { Service } from '../dynamodb/service.ts'
import { decodeItem } from '../item/decode.ts'
import { itemKey, type KeySchema } from '../item/itemKey.ts'
import { keyAttributes } from '../item/keyAttributes.ts'
import { readUnits } from '../item/units.ts'
import { type ConsumedCapacity, readConsumed } from '../publish/consumed.ts'
import { sleep } from '../runtime/clock.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import type { ScanEngine } from '../scan/scanEngine.ts'

/** An item in DynamoDB JSON. */
export type Attributes = { readonly [name: string]: unknown }

export interface KeyReaderOptions {
  readonly table: Table
  readonly service: Service
  readonly schema: KeySchema
  /** Whose rate holds for these reads too. */
  readonly scan: ScanEngine
  /** Of one item, about. */
  readonly itemBytes: number
  readonly patienceMs: number
  readonly signal: AbortSignal | undefined
}

/** What one BatchGetItem takes (API reference). */
export const KEYS_MAX = 100
/** What the service did not get to is asked for again after so long, and longer each time. */
const AGAIN_BASE_MS = 50
const AGAIN_CAP_MS = 2_000

interface Answer {
  readonly Responses?: { readonly [table: string]: readonly Attributes[] } | undefined
  readonly UnprocessedKeys?: { readonly [table: string]: { readonly Keys: readonly Attributes[] } } | undefined
  readonly ConsumedCapacity?: readonly ConsumedCapacity[] | undefined
}

/** Reads items of a table by their keys, strongly consistent. */
export class KeyReader {
  readonly #options: KeyReaderOptions

  constructor(options: KeyReaderOptions) {
    this.#options = options
  }

  /**
   * The items of these keys that there are.
   *
   * @param keys as `itemKey` writes them, {@link KEYS_MAX} at most
   * @throws {HeadraceError} `NO_PROGRESS` when the service gives none of them for as long as the patience
   * @throws the signal's reason when it aborts
   */
  async read(keys: readonly string[]): Promise<Map<string, Attributes>> {
    const { table, service, schema, scan, itemBytes, patienceMs, signal } = this.#options
    const { clock } = service
    const found = new Map<string, Attributes>()
    // The service refuses a request that names a key twice.
    let left: readonly Attributes[] = Array.from(new Set(keys), (key) => keyAttributes(key, schema))
    let lastProgressAt = clock.now()
    for (let waitMs = AGAIN_BASE_MS; left.length > 0; waitMs = Math.min(waitMs * 2, AGAIN_CAP_MS)) {
      const payload = {
        RequestItems: { [table.name]: { Keys: left, ConsistentRead: true } },
        ReturnConsumedCapacity: 'TOTAL',
      }
      let answer: Answer = {}
      const read = async (): Promise<number | undefined> => {
        answer = (await service.call('BatchGetItem', payload, { patienceMs })) as Answer
        return readConsumed(answer.ConsumedCapacity)?.total
      }
      await scan.spend(left.length * readUnits(itemBytes), read, signal)
      for (const attributes of answer.Responses?.[table.name] ?? []) {
        found.set(itemKey(decodeItem(attributes), schema), attributes)
      }
      const rest = answer.UnprocessedKeys?.[table.name]?.Keys ?? []
      if (rest.length < left.length) {
        lastProgressAt = clock.now()
        waitMs = AGAIN_BASE_MS
      }
      left = rest
      if (left.length === 0) break
      if (clock.now() - lastProgressAt > patienceMs) {
        const message = `gave up: no item of table ${table.name} could be read by its key for ${Math.round(patienceMs / 1_000)} s`
        throw new HeadraceError('NO_PROGRESS', message, { place: { table: table.name } })
      }
      await sleep(clock, waitMs, signal)
    }
    return found
  }
}
