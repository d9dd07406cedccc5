import { parentPort, workerData } from 'node:worker_threads'
import { ItemDecoder } from '../item/decode.ts'
import type { Edit } from '../item/edit.ts'
import { ItemError } from '../item/itemError.ts'
import { systemClock } from '../runtime/clock.ts'
import { Deadlines } from '../runtime/deadlines.ts'
import { checkEdit } from './prepareChange.ts'
import { editText, openVisitor, type Visitor } from './visitor.ts'
import { type Answer, type ThreadBatch, type ThreadNews, type ThreadOrder, VISIT } from './visitorThread.ts'

// A thread with a visitor in it. It may be ended at any instant, and says in shared memory what it is at.

/** Answers are sent at least so often, so that little has to be visited again when the thread is ended. */
const SEND_MS = 50

const order = workerData as ThreadOrder
const states = new Uint8Array(order.states)
const progress = new Int32Array(order.progress)
const deadlines = new Deadlines(systemClock, order.visitTimeoutMs)
const decoder = new ItemDecoder()

const say = (news: ThreadNews): void => parentPort!.postMessage(news)

try {
  const visitor = await openVisitor(new URL(order.module))
  parentPort!.on('message', (batch: ThreadBatch) => visitAll(visitor, batch))
  say({ ready: true })
} catch (error) {
  say({ failed: textOf(error) })
}

function visitAll(visitor: Visitor, { items }: ThreadBatch): void {
  let answers: Answer[] = []
  let sentAtMs = systemClock.now()
  for (const [index, text] of items.entries()) {
    mark(index, VISIT.underWay)
    const answer = visit(visitor, text, index)
    if (answer === undefined) continue
    mark(index, VISIT.done)
    answers.push(answer)
    if (systemClock.now() - sentAtMs < SEND_MS) continue
    say({ answers })
    answers = []
    sentAtMs = systemClock.now()
  }
  if (answers.length > 0) say({ answers })
}

/** @returns undefined for a visitor that has promised something; it is answered for when that settles */
function visit(visitor: Visitor, text: string, index: number): Answer | undefined {
  let edit: Edit | Promise<Edit>
  try {
    edit = visitor(decoder.decodeText(text))
  } catch (error) {
    return { index, kind: 'fault', text: textOf(error) }
  }
  if (typeof edit !== 'object' || edit === null || !('then' in edit)) return answerOf(index, edit)
  const end = (answer: Answer): void => {
    // What comes when it was answered for already is of no account.
    if (settled) return
    settled = true
    mark(index, VISIT.done)
    say({ answers: [answer] })
  }
  let settled = false
  const settle = deadlines.begin(() => {
    const limit = `its promise did not settle within ${order.visitTimeoutMs / 1_000} s`
    end({ index, kind: 'fault', text: limit })
  })
  Promise.resolve(edit).then(
    (resolved) => {
      settle()
      end(answerOf(index, resolved))
    },
    (error: unknown) => {
      settle()
      end({ index, kind: 'fault', text: textOf(error) })
    },
  )
  return undefined
}

function answerOf(index: number, edit: Edit): Answer {
  if (edit === undefined || edit === null) return { index, kind: 'nothing' }
  if (edit === 'delete') return { index, kind: 'delete' }
  try {
    checkEdit(edit)
    return { index, kind: 'edit', text: editText(edit) }
  } catch (error) {
    // A getter of what it returned may throw anything.
    return { index, kind: error instanceof ItemError ? 'invalid' : 'fault', text: textOf(error) }
  }
}

function mark(index: number, state: number): void {
  Atomics.store(states, index, state)
  Atomics.add(progress, 0, 1)
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : `${error}`
}
