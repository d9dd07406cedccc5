import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type LedgerPage, SegmentLedger } from '../../src/operations/segmentLedger.ts'
import type { RawPage } from '../../src/scan/page.ts'

const KEY = '{"pk":{"S":"x"}}'

function ledgerOf(
  segments: number,
  itemsTold: number,
  from?: { done: string; cursors: { [segment: string]: string } },
) {
  const ledger = new SegmentLedger({
    segments,
    keyNames: ['pk'],
    from: from === undefined ? undefined : { kind: 'segments', segments, ...from },
    survivorsOnly: false,
    passed: { written: 0, overwritten: 0, skipped: 0, rejected: 0, filtered: 0 },
    onReject: () => undefined,
    itemsTold,
  })
  /** A page of a segment is read, and all of it settled but for what is said. */
  const pass = (segment: number, items: number, isLast: boolean, left = 0): LedgerPage => {
    const page = {
      segment,
      items: new Array(items).fill({}),
      cursor: isLast ? undefined : KEY,
      rawAttribute: () => '"x"',
    }
    const opened = ledger.open(page as unknown as RawPage)
    for (let index = 0; index < items - left; index += 1) ledger.settle(opened, index, 'written')
    return opened
  }
  return { ledger, pass }
}

test('the part that is done is of segments, by how many items the first of them had and not by what is told of the table', () => {
  const { ledger, pass } = ledgerOf(4, 4_000_000)
  assert.equal(ledger.share, 0)
  pass(0, 1_000, false)
  assert.equal(ledger.share, 0.001 / 4, 'of a million items that are told of a segment')
  pass(0, 1_000, true)
  // Each seems to have 2,000 items.
  pass(2, 500, false)
  assert.equal(ledger.share, (1 + 0.25) / 4)
  const open = pass(2, 100, false, 60)
  assert.equal(ledger.share, (1 + 540 / 2_000) / 4)
  for (let index = 40; index < 100; index += 1) ledger.settle(open, index, 'written')
  // However large a segment turns out to be, it is not done before its end.
  for (let pages = 0; pages < 5; pages += 1) pass(2, 1_000, false)
  assert.equal(ledger.share, (1 + 0.95) / 4)
  pass(2, 0, true)
  pass(1, 10, true)
  pass(3, 10, true)
  assert.equal(ledger.share, 1)
})

test('the oldest segment is the one that was begun first and is not settled', () => {
  const { ledger, pass } = ledgerOf(4, 0)
  assert.equal(ledger.oldest, undefined)
  const first = pass(2, 100, true, 30)
  pass(0, 50, false)
  assert.deepEqual(ledger.oldest, { segment: 2, items: 70 })
  for (let index = 70; index < 100; index += 1) ledger.settle(first, index, 'written')
  assert.deepEqual(ledger.oldest, { segment: 0, items: 50 })
})

test('a segment that an earlier run has begun says nothing of how large segments are', () => {
  const { ledger, pass } = ledgerOf(4, 4_000, { done: '1', cursors: { 0: KEY } })
  assert.equal(ledger.share, 0.25)
  pass(0, 10, true)
  assert.equal(ledger.share, 0.5)
  pass(2, 100, false)
  assert.equal(ledger.share, (2 + 0.1) / 4, 'of a thousand, as is told')
})
