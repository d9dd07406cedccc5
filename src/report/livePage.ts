import { SECTIONS } from './jobSections.ts'
import { PAGE_STYLE, sourceHash } from './pageStyle.ts'

/** A page, and the policy that goes with it: it may run its own script, talk to where it came from, and nothing else. */
export interface LivePage {
  readonly html: string
  /** A `Content-Security-Policy`. */
  readonly policy: string
}

/**
 * The page that follows a running job. It has nothing of the job in it; that comes as events, from `events` beside it.
 *
 * @param controls it has controls, whose wishes go to `control` beside it
 */
export function livePage(controls: boolean): LivePage {
  const style = `${PAGE_STYLE}${LIVE_STYLE}`
  const policy = [
    "default-src 'none'",
    `script-src ${sourceHash(SCRIPT)}`,
    `style-src ${sourceHash(style)}`,
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
  const slots = SECTIONS.map((name) => `<section id="${name}"></section>`)
  // Where the eye is when it has read how things stand.
  if (controls) slots.splice(1, 0, CONTROLS)
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>headrace</title>
<style>${style}</style>
</head>
<body>
<main>
<p id="link" role="status">waiting for the job to start</p>
${slots.join('\n')}
</main>
<script>${SCRIPT}</script>
</body>
</html>
`
  return { html, policy }
}

const CONTROLS = `<form id="controls">
<button type="button" id="pause">Pause</button>
<label>RCU/s limit <input name="readUnitsPerSecond" size="8" placeholder="unchanged" autocomplete="off"></label>
<label>WCU/s limit <input name="writeUnitsPerSecond" size="8" placeholder="unchanged" autocomplete="off"></label>
<button type="submit">Set rates</button>
<output id="answer"></output>
</form>`

const LIVE_STYLE = `
#link { margin: 0 0 8px; padding: 6px 12px; border-radius: 6px; border: 1px solid var(--rule); color: var(--soft) } #link:empty { display: none }
#controls { display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: center; margin: 0 0 16px }
#controls input, #controls button { font: inherit; color: var(--ink); background: var(--card); border: 1px solid var(--rule); border-radius: 6px; padding: 3px 10px }
#controls label { color: var(--soft) } #controls output { color: var(--soft) } #controls[hidden] { display: none }
`

// Sections come as XML and are looked at as such: nothing is ever made of text that is taken for markup.
const SCRIPT = `
'use strict'
const LOST_MAX = 10
const slot = (id) => document.getElementById(id)
const link = slot('link')
const controls = slot('controls')
let lost = 0
const events = new EventSource('events')
events.addEventListener('job', ({ data }) => {
  lost = 0
  link.textContent = ''
  const { title, state, sections } = JSON.parse(data)
  document.title = title
  document.body.dataset.state = state
  if (slot('pause')) slot('pause').textContent = state === 'paused' ? 'Resume' : 'Pause'
  for (const [name, text] of Object.entries(sections)) {
    const xml = '<div xmlns="http://www.w3.org/1999/xhtml">' + text + '</div>'
    const parsed = new DOMParser().parseFromString(xml, 'application/xhtml+xml')
    if (parsed.querySelector('parsererror')) link.textContent = 'part of this page could not be shown'
    else slot(name).replaceChildren(...document.importNode(parsed.documentElement, true).childNodes)
  }
})
events.addEventListener('end', () => {
  events.close()
  link.textContent = 'the job has ended; this page shows its final state'
  if (controls) controls.hidden = true
})
events.addEventListener('error', () => {
  lost += 1
  const over = events.readyState === EventSource.CLOSED || lost >= LOST_MAX
  if (over) events.close()
  link.textContent = over
    ? 'the process that runs the job no longer answers; this page shows its last known state'
    : 'connection lost; reconnecting'
})
async function ask(wish) {
  slot('answer').textContent = ''
  try {
    const reply = await fetch('control', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-headrace-token': location.pathname.split('/')[1] },
      body: JSON.stringify(wish),
    })
    slot('answer').textContent = await reply.text()
  } catch (error) {
    slot('answer').textContent = 'no answer: ' + error.message
  }
}
if (controls) {
  slot('pause').addEventListener('click', () => ask({ action: document.body.dataset.state === 'paused' ? 'resume' : 'pause' }))
  controls.addEventListener('submit', (event) => {
    event.preventDefault()
    const wish = { action: 'rates' }
    for (const [name, value] of new FormData(controls))
      if (value.trim() !== '') wish[name] = value.trim().endsWith('%') ? value.trim() : Number(value)
    ask(wish)
  })
}
`
