import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { connect as connectSocket } from 'node:net'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { Browser } from '../support/browser.ts'
import { newTable, store } from '../support/store.ts'
import { type CommandEnd, headrace, scratchDirectory } from './command.ts'

let browser: Browser | undefined

before(async () => {
  browser = await Browser.start()
})

after(() => browser?.close())

interface RunningJob {
  readonly url: string
  readonly end: Promise<CommandEnd>
  readonly child: ChildProcess
}

/** The command, once it has said where its page is. */
async function follow(directory: string, args: readonly string[]): Promise<RunningJob> {
  let child: ChildProcess | undefined
  const end = headrace([...args, '--endpoint-url', store.endpoint], {
    directory,
    onStart: (started) => {
      child = started
    },
  })
  let said = ''
  const url = new Promise<string>((resolve, reject) => {
    const listen = (text: string): void => {
      said += text
      const address = /http:\/\/127\.0\.0\.1:\d+\/[\w-]+\//.exec(said)
      if (address !== null) resolve(address[0])
    }
    // With --json it is an event.
    child!.stderr!.on('data', listen)
    child!.stdout!.on('data', listen)
    void end.then(({ stderr }) => reject(new Error(`it ended without a page: ${stderr}`)))
  })
  return { url: await url, end, child: child! }
}

async function filledTable(items: number): Promise<string> {
  const table = await newTable()
  const publisher = table.publisher()
  await publisher.publish(Array.from({ length: items }, (_, index) => ({ id: `item${index}` })))
  await publisher.close()
  return table.name
}

/** An update of some seconds. */
async function slowUpdate(directory: string, ...more: string[]): Promise<RunningJob> {
  const args = ['update', await filledTable(1_200), '--set', 'seen=true', '--job', 'job', '--write-rate', '120']
  return follow(directory, [...args, ...more])
}

interface Reply {
  readonly status: number
  readonly text: string
  readonly headers: { readonly [name: string]: unknown }
}

/** As no browser would: with whatever headers. */
function ask(url: string, options: { method?: string; headers?: object; body?: string } = {}): Promise<Reply> {
  const { method = 'GET', headers = {}, body } = options
  return new Promise((resolve, reject) => {
    const asked = request(url, { method, headers: { ...headers }, agent: false, timeout: 10_000 }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece
      })
      response.on('end', () => resolve({ status: response.statusCode!, text, headers: response.headers }))
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

function lookOrSkip(t: TestContext): Browser | undefined {
  if (browser === undefined) t.skip('no chromium here to open the page in')
  return browser
}

const WRITTEN = `Number(/([\\d,]+) written/.exec(document.getElementById('account').textContent)?.[1].replaceAll(',', '') ?? 0)`

test('in a browser the page follows a job to its end, and stays as it is when the process has gone', async (t) => {
  const chromium = lookOrSkip(t)
  if (chromium === undefined) return
  using directory = scratchDirectory()
  const { url, end } = await slowUpdate(directory.path, '--ui')
  const page = await chromium.open(url)
  const first = await page.until<number>(WRITTEN)
  const second = await page.until<number>(`${WRITTEN} > ${first} && ${WRITTEN}`)
  assert.ok(second > first && second <= 1_200, `${first}, then ${second}`)
  assert.match(await page.evaluate('document.title'), /update things/)
  assert.ok((await page.evaluate<number>("document.querySelectorAll('.plots svg path.line').length")) > 3)
  assert.equal(await page.evaluate("getComputedStyle(document.querySelector('.plots svg path.line')).fill"), 'none')
  assert.equal(await page.evaluate("document.getElementById('controls')"), null)
  for (const width of [400, 1_400]) {
    await page.send('Emulation.setDeviceMetricsOverride', { width, height: 800, deviceScaleFactor: 1, mobile: false })
    assert.ok(
      (await page.evaluate<number>('document.documentElement.scrollWidth')) <= width,
      `wider than ${width} pixels`,
    )
  }
  const { code, stderr } = await end
  assert.equal(code, 0, stderr)
  await page.until("document.getElementById('link').textContent.startsWith('the job has ended')")
  assert.equal(await page.evaluate("document.querySelector('.state.done').textContent"), 'done')
  assert.equal(await page.evaluate(WRITTEN), 1_200)
})

test('what tables and rejects are called is text on the page, and nothing but its own script runs', async (t) => {
  const chromium = lookOrSkip(t)
  if (chromium === undefined) return
  using directory = scratchDirectory()
  const table = await filledTable(300)
  const bad = '<img src=x onerror=document.title=1><script>document.title=2</script>&amp;]]>\u0001\ud800'
  writeFileSync(
    join(directory.path, 'bad.mjs'),
    `export default ({ id }) => { if (id === 'item7') throw new Error(${JSON.stringify(bad)}); return { set: { seen: true } } }`,
  )
  const args = ['update', table, 'bad.mjs', '--where', "id <> '</dd><script>3</script>'", '--job', 'job', '--ui']
  const { url, end } = await follow(directory.path, [...args, '--write-rate', '60'])
  const page = await chromium.open(url)
  const rejects = await page.until<string>("document.getElementById('rejects').textContent")
  assert.ok(
    rejects.includes('<img src=x onerror=document.title=1><script>document.title=2</script>&amp;]]>\ufffd\ufffd'),
  )
  assert.match(await page.evaluate("document.getElementById('facts').textContent"), /<\/dd><script>3<\/script>/)
  assert.equal(await page.evaluate("document.querySelectorAll('main img, main script').length"), 0)
  assert.match(await page.evaluate('document.title'), /update things/)

  // What a hole would let in: a script, an event handler, a request to another place.
  const blocked = await page.evaluate<string[]>(`new Promise((resolve) => {
    const blocked = []
    document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => blocked.push(effectiveDirective))
    const script = document.createElement('script')
    script.textContent = 'document.title = "taken"'
    document.body.append(script)
    document.body.insertAdjacentHTML('beforeend', '<b onclick="document.title = 1"></b><img src="http://127.0.0.1:9/x">')
    document.body.lastElementChild.previousElementSibling.click()
    fetch('http://127.0.0.1:9/').catch(() => setTimeout(() => resolve(blocked), 200))
  })`)
  assert.deepEqual([...new Set(blocked)].sort(), ['connect-src', 'img-src', 'script-src-attr', 'script-src-elem'])
  assert.notEqual(await page.evaluate('document.title'), 'taken')
  assert.equal((await end).code, 3)
})

test('without the token, by another name, or from another site there is nothing to be had', async () => {
  using directory = scratchDirectory()
  const { url, end, child } = await slowUpdate(directory.path, '--ui')
  const { origin, host, port, pathname } = new URL(url)
  const page = await ask(url)
  assert.equal(page.status, 200)
  assert.match(
    `${page.headers['content-security-policy']}`,
    /^default-src 'none'; script-src 'sha256-[^']+'; style-src/,
  )
  assert.equal(page.headers['cache-control'], 'no-store')
  const other = `${pathname[1] === 'a' ? 'b' : 'a'}${pathname.slice(2)}`
  for (const path of ['/', '/x/', '/events', `/${other}`, `/${other}events`, '/favicon.ico'])
    assert.equal((await ask(origin + path)).status, 403, path)
  assert.equal((await ask(`${url}more/of/it`)).status, 404)
  for (const name of [`evil.example:${port}`, 'evil.example', `127.0.0.1.evil.example:${port}`])
    assert.equal((await ask(url, { headers: { host: name } })).status, 403, name)
  // Through a tunnel it has another port.
  assert.equal((await ask(url, { headers: { host: 'localhost:1' } })).status, 200)
  assert.equal((await ask(`${url}events`, { headers: { 'sec-fetch-site': 'cross-site' } })).status, 403)
  assert.equal((await ask(`${url}events`, { method: 'POST' })).status, 405)

  // What is right in all other ways is refused where the page was not to have controls.
  const token = pathname.slice(1, -1)
  const headers = { host, origin, 'content-type': 'application/json', 'x-headrace-token': token }
  const refused = await ask(`${url}control`, { method: 'POST', headers, body: '{"action":"pause"}' })
  assert.equal(refused.status, 403)
  assert.match(refused.text, /--ui-control/)
  child.kill('SIGINT')
  assert.equal((await end).code, 130)
})

test('--ui-control: a job pauses, goes on and takes rates, when the page itself asks', async () => {
  using directory = scratchDirectory()
  const { url, end } = await slowUpdate(directory.path, '--ui-control', '--json')
  const { host, origin, pathname } = new URL(url)
  const good = { host, origin, 'content-type': 'application/json', 'x-headrace-token': pathname.slice(1, -1) }
  const wish = (body: object | string, headers: object = good): Promise<Reply> =>
    ask(`${url}control`, { method: 'POST', headers, body: typeof body === 'string' ? body : JSON.stringify(body) })
  for (const [name, value] of [
    ['origin', 'http://evil.example'],
    ['origin', 'null'],
    ['x-headrace-token', 'a'.repeat(32)],
    ['sec-fetch-site', 'cross-site'],
    ['sec-fetch-site', 'same-site'],
  ])
    assert.equal((await wish({ action: 'pause' }, { ...good, [name!]: value })).status, 403, `${name}: ${value}`)
  const { origin: _, ...withoutOrigin } = good
  assert.equal((await wish({ action: 'pause' }, withoutOrigin)).status, 403)
  assert.equal((await wish({ action: 'pause' }, { ...good, 'content-type': 'text/plain' })).status, 415)
  assert.equal((await wish('{"action":')).status, 400)
  assert.equal((await wish('null')).status, 400)
  assert.equal((await wish({ action: 'explode' })).status, 400)
  assert.equal((await wish({ action: 'rates', writeUnitsPerSecond: -5 })).status, 400)
  assert.equal((await wish({ action: 'rates', writeUnitsPerSecond: '500%' })).status, 400)
  assert.equal((await wish(`{"action":"rates","writeUnitsPerSecond":1${' '.repeat(2_000)}}`)).status, 413)

  assert.equal((await wish({ action: 'pause' })).text, 'paused')
  const written = async (): Promise<number> => {
    const events = await firstEvent(`${url}events`)
    assert.equal(events.state, 'paused')
    return Number(/([\d,]+) written/.exec(events.sections['account']!)![1]!.replaceAll(',', ''))
  }
  // What is at the service when it is paused still ends.
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  const before = await written()
  await new Promise((resolve) => setTimeout(resolve, 3_000))
  assert.equal(await written(), before)
  assert.ok(before < 1_200)

  assert.equal((await wish({ action: 'rates', writeUnitsPerSecond: 100_000 })).status, 200)
  assert.equal((await wish({ action: 'resume' })).text, 'resumed')
  const resumedAt = performance.now()
  const { code, stdout, stderr } = await end
  assert.equal(code, 0, stderr)
  assert.ok(performance.now() - resumedAt < 4_000, `${performance.now() - resumedAt} ms at the rate that was set`)
  const events = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).event as string)
  assert.deepEqual(
    events.filter((event) => ['page', 'paused', 'rates', 'resumed', 'done'].includes(event)),
    ['page', 'paused', 'rates', 'resumed', 'done'],
  )
})

test('its buttons do so in a browser', async (t) => {
  const chromium = lookOrSkip(t)
  if (chromium === undefined) return
  using directory = scratchDirectory()
  const { url, end } = await slowUpdate(directory.path, '--ui-control')
  const page = await chromium.open(url)
  await page.until(`${WRITTEN} > 0`)
  await page.evaluate("document.getElementById('pause').click()")
  await page.until(
    "document.querySelector('.state.paused') && document.getElementById('pause').textContent === 'Resume'",
  )
  // What the page is answered and what it is shown come on two ways.
  assert.equal(await page.until("document.getElementById('answer').textContent"), 'paused')
  const setRate = (rate: string): Promise<void> =>
    page.evaluate(`(() => {
      document.getElementsByName('writeUnitsPerSecond')[0].value = '${rate}'
      document.getElementById('answer').textContent = ''
      document.querySelector('#controls [type=submit]').click()
    })()`)
  await setRate('many')
  assert.match(await page.until("document.getElementById('answer').textContent"), /must be a number above 0/)
  await setRate('50000')
  assert.match(await page.until("document.getElementById('answer').textContent"), /"writeUnitsPerSecond":50000/)
  await page.evaluate("document.getElementById('pause').click()")
  const { code, stderr } = await end
  assert.equal(code, 0, stderr)
  assert.match(stderr, /live page: paused\n(?:.*\n)*live page: new rates .*\n(?:.*\n)*live page: resumed/)
  await page.until("document.querySelector('.state.done') && document.getElementById('controls').hidden")
})

interface PageEvent {
  readonly state: string
  readonly sections: { readonly [name: string]: string }
}

/** What a page is sent when it comes. */
function firstEvent(url: string): Promise<PageEvent> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece
        const event = /^event: job\ndata: (.*)\n\n/.exec(text)
        if (event === null) return
        asked.destroy()
        resolve(JSON.parse(event[1]!))
      })
    })
    asked.on('error', reject)
    asked.end()
  })
}

test('the process ends with its job, also while pages follow it and one of them takes nothing', async () => {
  using directory = scratchDirectory()
  const { url, end } = await slowUpdate(directory.path, '--ui')
  const { port, pathname, host } = new URL(url)
  const followers = Array.from({ length: 16 }, () => connectSocket(Number(port), '127.0.0.1'))
  for (const [index, follower] of followers.entries()) {
    follower.on('error', () => undefined)
    follower.write(`GET ${pathname}events HTTP/1.1\r\nhost: ${host}\r\n\r\n`)
    if (index > 0) follower.resume()
  }
  await Promise.all(followers.slice(1).map((follower) => once(follower, 'data')))
  assert.equal((await ask(`${url}events`)).status, 503, 'more than sixteen are sent away')
  let doneAt = 0
  followers[1]!.on('data', (data) => {
    if (data.includes('event: end')) doneAt = performance.now()
  })
  const { code, stderr } = await end
  const lateMs = performance.now() - doneAt
  assert.equal(code, 0, stderr)
  assert.ok(doneAt > 0 && lateMs < 2_000, `${lateMs} ms after the last words`)
  for (const follower of followers) follower.destroy()
})

test('a port that is taken is said before the job begins', async () => {
  using directory = scratchDirectory()
  const table = await filledTable(5)
  const port = new URL(store.endpoint).port
  const { code, stderr } = await headrace(
    ['update', table, '--set', 'seen=true', '--job', 'job', '--ui', port, '--endpoint-url', store.endpoint],
    { directory: directory.path },
  )
  assert.equal(code, 4, stderr)
  assert.match(stderr, /cannot serve the live page on port \d+: .*EADDRINUSE/)
  assert.equal(existsSync(join(directory.path, 'job')), false)
})
