// A visitor that computes for about a millisecond.
import { createHash } from 'node:crypto'
import { isMainThread } from 'node:worker_threads'
import type { PlainItem } from '../../src/item/attributeValue.ts'
import type { Edit } from '../../src/item/edit.ts'

export default function slowVisitor({ id }: PlainItem): Edit {
  let digest = `${id}`
  for (let round = 0; round < 400; round += 1) digest = createHash('sha256').update(digest).digest('hex')
  return { set: { digest, thread: isMainThread ? 'main' : 'worker' } }
}
