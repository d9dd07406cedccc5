import { createReadStream, existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { parseJson } from '../runtime/parseJson.ts'

/** Rejects of one code. */
export interface RejectCount {
  readonly code: string
  readonly count: number
  /** The first few. */
  readonly examples: readonly { readonly place: string; readonly message: string }[]
}

const EXAMPLES = 3
/** Codes are few; whatever else a file holds, no more of them are told apart. */
const CODES_MAX = 100

/** Counts rejects by code. */
export class RejectCounts {
  readonly #found = new Map<string, { code: string; count: number; examples: { place: string; message: string }[] }>()

  add({ code: told, place, message }: { code: string; place: string; message: string }): void {
    const code = this.#found.has(told) || this.#found.size < CODES_MAX ? told : 'others'
    const one = this.#found.get(code) ?? { code, count: 0, examples: [] }
    one.count += 1
    if (one.examples.length < EXAMPLES) one.examples.push({ place, message })
    this.#found.set(code, one)
  }

  /** The most frequent first. */
  list(): RejectCount[] {
    return [...this.#found.values()].sort((left, right) => right.count - left.count)
  }
}

/**
 * What a rejects file holds, by code, the most frequent first; of a file of any size. None where there is no file.
 *
 * @param options.signal aborting stops reading. Default: none
 * @throws the signal's reason when it aborts
 * @example
 * for (const { code, count } of await countRejects('.headrace/load-users/rejects.jsonl')) console.log(code, count)
 */
export async function countRejects(
  path: string,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<RejectCount[]> {
  options.signal?.throwIfAborted()
  if (!existsSync(path)) return []
  const counts = new RejectCounts()
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
    options.signal?.throwIfAborted()
    let reject: { code?: unknown; place?: unknown; message?: unknown }
    try {
      reject = parseJson(line) as typeof reject
    } catch {
      // A process that dies may leave half a line, which the next run takes away.
      continue
    }
    counts.add({ code: `${reject.code}`, place: `${reject.place}`, message: `${reject.message}` })
  }
  return counts.list()
}
