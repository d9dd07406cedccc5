// A visitor that does to its thread what the item says.
import type { PlainItem } from '../../src/item/attributeValue.ts'
import type { Edit } from '../../src/item/edit.ts'

const leaked: unknown[] = []

export default function faultyVisitor({ act, index }: PlainItem): Edit | Promise<Edit> {
  switch (act) {
    case 'throw':
      throw new Error('no such thing')
    case 'loop':
      for (;;) if (leaked.length < 0) return undefined
    case 'exit':
      return process.exit(3)
    case 'fill':
      for (;;) leaked.push(new Array(1_000_000).fill(leaked.length))
    case 'leak':
      leaked.push(new Array(4_000_000).fill(index))
      return { set: { seen: true } }
    case 'never':
      return new Promise(() => undefined)
    case 'reject':
      return Promise.reject(new Error('not today'))
    case 'later':
      return Promise.resolve({ set: { seen: true } })
    case 'async exit':
      return Promise.resolve().then(() => process.exit(4))
    case 'stray':
      void Promise.resolve().then(() => {
        throw new Error('nobody listens')
      })
      return new Promise(() => undefined)
    case 'junk':
      return 5 as unknown as Edit
    case 'class':
      return { set: { when: new Date() as never } }
    case 'delete':
      return 'delete'
    case 'nothing':
      return undefined
    case 'add':
      return { add: { count: 1 }, remove: ['act'] }
    default:
      return { set: { seen: true, double: index * 2, tags: new Set(['a']), big: 2n ** 100n } }
  }
}
