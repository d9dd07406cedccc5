import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HeatJudge } from '../../src/throughput/heatJudge.ts'

test('entries that are throttled again while the rest is not are of a hot part', () => {
  const judge = new HeatJudge()
  judge.onScoutSent(0)
  assert.equal(judge.trying, true)
  judge.onFresh(24, 1, 5, 15)
  judge.onScout(3, 12, 20)
  assert.equal(judge.verdict(20), undefined, 'too little to compare with as yet')
  judge.onFresh(75, 0, 10, 30)
  assert.equal(judge.verdict(30), 'hot')
  assert.equal(judge.trying, false)
  assert.equal(judge.verdict(1_500), undefined, 'a verdict is for a while')
})

test('entries that are throttled again like all others are not', () => {
  const judge = new HeatJudge()
  judge.onScoutSent(0)
  judge.onFresh(30, 70, 5, 15)
  judge.onScout(3, 7, 20)
  assert.equal(judge.verdict(20), 'table')
})

test('what was sent before the scout says nothing of what it met', () => {
  const judge = new HeatJudge()
  judge.onScoutSent(100)
  judge.onFresh(1_000, 0, 90, 110)
  judge.onScout(0, 10, 115)
  assert.equal(judge.verdict(115), undefined)
  judge.onFresh(0, 50, 105, 120)
  assert.equal(judge.verdict(120), 'table')
})

test('when nothing else goes, nothing can be said, and the next trial may begin', () => {
  const judge = new HeatJudge()
  judge.onScoutSent(0)
  judge.onScout(0, 10, 10)
  assert.equal(judge.verdict(500), undefined)
  assert.equal(judge.trying, false)
})

test('a few units are not enough to go by', () => {
  const judge = new HeatJudge()
  judge.onScoutSent(0)
  judge.onFresh(100, 0, 5, 10)
  judge.onScout(0, 2, 15)
  assert.equal(judge.verdict(15), undefined)
  judge.onScoutSent(100)
  judge.onFresh(100, 0, 105, 110)
  judge.onScout(0, 5, 115)
  assert.equal(judge.verdict(115), 'hot')
})
