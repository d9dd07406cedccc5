import { createReadStream, existsSync } from 'node:fs'
import { createInterface } from 'node:readline'

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

/** What a rejects file holds, by code, the most frequent first; of a file of any size. None where there is no file. */
export async function countRejects(path: string): Promise<RejectCount[]> {
  const found = new Map<string, { code: string; count: number; examples: { place: string; message: string }[] }>()
  if (!existsSync(path)) return []
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
    let reject: { code?: unknown; place?: unknown; message?: unknown }
    try {
      reject = JSON.parse(line)
    } catch {
      // A process that dies may leave half a line, which the next run takes away.
      continue
    }
    const told = `${reject.code}`
    const code = found.has(told) || found.size < CODES_MAX ? told : 'others'
    const one = found.get(code) ?? { code, count: 0, examples: [] }
    one.count += 1
    if (one.examples.length < EXAMPLES) one.examples.push({ place: `${reject.place}`, message: `${reject.message}` })
    found.set(code, one)
  }
  return [...found.values()].sort((left, right) => right.count - left.count)
}
