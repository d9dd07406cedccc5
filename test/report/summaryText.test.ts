import assert from 'node:assert/strict'
import { test } from 'node:test'
import { progressLine } from '../../src/report/progressLine.ts'
import { summaryText } from '../../src/report/summaryText.ts'
import { throttlingWords } from '../../src/report/throttlingWords.ts'
import { summary } from '../support/summary.ts'

test('each of the sixteen reasons is put into words of its own, with what to do', () => {
  const sentences = new Set<string>()
  for (const owner of ['Table', 'Index']) {
    for (const direction of ['Read', 'Write']) {
      for (const shortage of ['ProvisionedThroughput', 'AccountLimit', 'KeyRangeThroughput', 'MaxOnDemandThroughput']) {
        const label = `${owner}${direction}${shortage}Exceeded${owner === 'Index' ? ' (byGroup)' : ''}`
        const { short, sentence } = throttlingWords(label)
        assert.doesNotMatch(short + sentence, /Exceeded|undefined/)
        assert.match(sentence, owner === 'Index' ? /^index byGroup / : /^the table /)
        assert.match(sentence, direction === 'Read' ? /read/ : /write/)
        assert.match(sentence, /[.] [A-Z]/, 'there is something to do')
        sentences.add(sentence)
      }
    }
  }
  assert.equal(sentences.size, 16)
  assert.match(throttlingWords('IndexWriteKeyRangeThroughputExceeded').sentence, /^an index has a hot key range/)
  assert.equal(throttlingWords('SomethingNewExceeded').sentence, 'SomethingNewExceeded')
})

test('a summary says why the service throttled, the most frequent first, and what was allowed at the end', () => {
  const text = summaryText(
    summary({
      throttlingReasons: {
        TableWriteKeyRangeThroughputExceeded: 1,
        'IndexWriteProvisionedThroughputExceeded (byGroup)': 1_234,
      },
      writeUnitsPerSecondAllowed: 412.3,
    }),
  )
  assert.match(
    text,
    /throttled +1,234 requests: index byGroup has too little .*\n +throttled +1 request: the table has a hot/,
  )
  assert.match(text, /allowed +412 WCU\/s at the end/)
  assert.doesNotMatch(summaryText(summary()), /throttled|allowed/)
})

test('what was spent stands beside what all of it comes to, where that is known', () => {
  const cost = { amount: 0.42, currency: 'USD', asOf: '2026-08-01', billing: 'on demand' } as const
  const spent = { cost, writeUnits: 5, costExpected: { ...cost, amount: 3.1 } }
  assert.match(progressLine(summary(spent), undefined), / · cost \$0\.42 of about \$3\.10 · /)
  assert.match(summaryText(summary(spent)), /cost +\$0\.42 of about \$3\.10 \(prices of 2026-08-01\)/)
  const alone = { ...spent, costExpected: undefined }
  assert.match(progressLine(summary(alone), undefined), / · cost \$0\.42 · /)
  assert.match(summaryText(summary(alone)), /cost +\$0\.42 \(prices/)
  const tiny = { cost: { ...cost, amount: 0.00001 }, costExpected: { ...cost, amount: 0.00002 }, writeUnits: 1 }
  assert.match(progressLine(summary(tiny), undefined), / · cost less than \$0\.0001 · /)
})

test('a progress line says what throttles now, not what did before', () => {
  const before = summary({ durationMs: 5_000, throttlingReasons: { TableWriteKeyRangeThroughputExceeded: 500 } })
  const now = summary({
    writeUnitsPerSecondAllowed: 40,
    throttlingReasons: {
      TableWriteKeyRangeThroughputExceeded: 500,
      'IndexWriteProvisionedThroughputExceeded (byGroup)': 3,
    },
  })
  assert.match(progressLine(now, before), / · at most 40 WCU\/s · throttled by write capacity of index byGroup · /)
  assert.doesNotMatch(progressLine(before, before), /throttled|at most/)
})
