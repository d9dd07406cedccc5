import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ThroughputPanel, throughputChart } from '../../src/report/throughputChart.ts'

function panel(name: string, used: readonly number[], allowed: readonly (number | undefined)[] = []): ThroughputPanel {
  const zeros = used.map(() => 0)
  const offered = used.map((_, index) => (index < 2 ? 100 : 50))
  const requests = used.map(() => 10)
  const inFlight = used.map((_, index) => index)
  const [throttled, partlyThrottled] = [used.map(() => 1), used.map(() => 2)]
  return {
    name,
    note: 'a note',
    stepMs: 1_000,
    offered,
    used,
    allowed: allowed.length === 0 ? used.map(() => undefined) : allowed,
    requests,
    throttled,
    partlyThrottled,
    failed: zeros,
    inFlight,
  }
}

const events = [{ atMs: 2_000, what: 'half of it' }]

test('a chart stands alone, is well formed, and escapes what it is given', () => {
  const title = `<script>alert("x")</script> & 'more'`
  const svg = throughputChart({ title, events, durationMs: 4_000, panels: [panel('a < b', [90, 95, 50, 49])] })
  assert.ok(!/<script|href|url\(|@import|http:(?!\/\/www\.w3\.org\/2000\/svg)/.test(svg), svg)
  assert.ok(svg.includes('a &#60; b'))
  assert.ok(!/NaN|undefined|Infinity/.test(svg), svg)
  const opened: string[] = []
  for (const [, closing, name, single] of svg.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
    if (closing === '/') assert.equal(opened.pop(), name)
    else if (single === '') opened.push(name!)
  }
  assert.deepEqual(opened, [])
  assert.match(svg, /prefers-color-scheme: dark/)
})

test('what a table offers steps where it changes, and a limit that is not told is not drawn', () => {
  const lone = throughputChart({ title: 't', events, durationMs: 4_000, panels: [panel('one', [90, 95, 50, 49])] })
  const offered = /<path class="edge" d="([^"]+)"/.exec(lone)![1]!
  assert.equal((offered.match(/V/g) ?? []).length, 1)
  assert.ok(!lone.includes('allowed by the client'))
  const two = throughputChart({
    title: 't',
    events,
    durationMs: 4_000,
    panels: [panel('one', [90, 95, 50, 49]), panel('other', [9, 9, 9, 9], [undefined, 80, 70, 60])],
  })
  assert.ok(two.includes('allowed by the client'))
  assert.match(two, /<path class="allowed" d="M[\d. ]+L[\d. ]+L[\d. ]+"/)
  assert.equal((two.match(/class="name"/g) ?? []).length, 2)
})
