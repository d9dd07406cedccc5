import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, extname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Browser, type BrowserPage } from '../support/browser.ts'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')
const TYPES: { readonly [extension: string]: string } = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.txt': 'text/plain',
}
/** With this, pictures of the site are written to docs/images. */
const WITH_PICTURES = process.env['HEADRACE_SCREENSHOTS'] === '1'

const folder = mkdtempSync(join(tmpdir(), 'headrace-site-'))
let server: Server
let origin: string

before(async () => {
  const built = spawnSync(process.execPath, [join(ROOT, 'scripts', 'docs.mjs'), 'build', folder], { encoding: 'utf8' })
  assert.equal(built.status, 0, built.stdout + built.stderr)
  server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url!, 'http://localhost').pathname)
    const file = join(folder, path.endsWith('/') ? `${path}index.html` : path)
    const isThere = file.startsWith(folder) && existsSync(file) && statSync(file).isFile()
    response.writeHead(isThere ? 200 : 404, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' })
    response.end(isThere ? readFileSync(file) : 'not found')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

after(() => {
  server?.close()
  server?.closeAllConnections()
  rmSync(folder, { recursive: true, force: true })
})

test('every page of the documentation is on the site, and every link of the site leads somewhere', async () => {
  const docs = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .map((path) => `/${path.split('\\').join('/').replace(/\.md$/, '.html')}`)
    .map((path) => (path === '/README.html' ? '/contents.html' : path))
  const pages = new Map<string, string>()
  const wrong: string[] = []
  const open = ['/', ...docs]
  const links = new Map<string, string>()
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (pages.has(path)) continue
    const response = await fetch(origin + path)
    const text = await response.text()
    pages.set(path, text)
    if (response.status !== 200) wrong.push(`${path}: ${response.status}`)
    if (!response.headers.get('content-type')!.startsWith('text/html')) continue
    for (const [, address] of text.matchAll(/\s(?:href|src)="([^"]+)"/g)) {
      const target = new URL(address!.replaceAll('&amp;', '&'), origin + path)
      if (target.origin !== origin) continue
      links.set(`${target.pathname}${target.hash}`, path)
      open.push(target.pathname)
    }
  }
  for (const [link, from] of links) {
    const [path, anchor] = link.split('#')
    if (anchor === undefined || anchor === '') continue
    const isThere = pages.get(path!)!.includes(` id="${decodeURIComponent(anchor)}"`)
    if (!isThere) wrong.push(`${from} links to ${link}, and that page has no such heading`)
  }
  assert.deepEqual(wrong, [])
  assert.ok(links.size > 100, `found only ${links.size} links`)
})

test('in a browser a reader searches, follows links, and switches to dark mode', async (t) => {
  const browser = await Browser.start()
  if (browser === undefined) {
    t.skip('no chromium here to open the site in')
    return
  }
  try {
    const page = await browser.open(`${origin}/`)
    await page.send('Emulation.setDeviceMetricsOverride', {
      width: 1_400,
      height: 900,
      deviceScaleFactor: 1,
      mobile: false,
    })
    // A button does nothing before its script runs.
    await page.until('document.querySelector("#app")?.__vue_app__ !== undefined')
    await search(page, 'rejects')
    await follow(page)
    await toggleDarkMode(page)
  } finally {
    await browser.close()
  }
})

async function search(page: BrowserPage, word: string): Promise<void> {
  await page.evaluate('document.querySelector(".VPNavBarSearch button").click()')
  await page.until('document.querySelector(".VPLocalSearchBox input") !== null')
  await page.evaluate('document.querySelector(".VPLocalSearchBox input").focus()')
  await page.send('Input.insertText', { text: word })
  const address = await page.until<string>('document.querySelector(".VPLocalSearchBox a.result")?.href')
  await page.evaluate('document.querySelector(".VPLocalSearchBox a.result").click()')
  await page.until(`location.href === ${JSON.stringify(address)}`)
  await page.until(`document.querySelector("main").innerText.toLowerCase().includes(${JSON.stringify(word)})`)
  await page.until('document.querySelector(".VPLocalSearchBox") === null')
}

/** The first link of each group of the sidebar. */
async function follow(page: BrowserPage): Promise<void> {
  const first = '[...document.querySelectorAll(".VPSidebar .group")].map((group) => group.querySelector("a"))'
  const titles = await page.evaluate<string[]>(`${first}.map((link) => link.innerText)`)
  assert.ok(titles.length >= 3, `the sidebar has only ${titles.length} groups`)
  for (const [index, title] of titles.entries()) {
    await page.evaluate(`${first}[${index}].click()`)
    await page.until(`document.querySelector("main h1")?.innerText.includes(${JSON.stringify(title)})`)
  }
}

async function toggleDarkMode(page: BrowserPage): Promise<void> {
  const isDark = 'document.documentElement.classList.contains("dark")'
  const background = 'getComputedStyle(document.body).backgroundColor'
  await page.goTo(`${origin}/`)
  await page.until('document.querySelector("#app")?.__vue_app__ !== undefined')
  assert.equal(await page.evaluate(isDark), false)
  const light = await page.evaluate(background)
  await picture(page, 'light')
  await page.evaluate('document.querySelector(".VPNavBarAppearance button").click()')
  await page.until(isDark)
  await page.until(`${background} !== ${JSON.stringify(light)}`)
  await page.evaluate('window.isBeforeReload = true')
  await page.send('Page.reload')
  await page.until(`window.isBeforeReload === undefined && document.readyState === "complete" && ${isDark}`)
  await picture(page, 'dark')
}

async function picture(page: BrowserPage, scheme: 'light' | 'dark'): Promise<void> {
  if (!WITH_PICTURES) return
  await page.until('document.getAnimations().length === 0')
  const png = await page.screenshot({ width: 1_400, height: 900, scheme })
  writeFileSync(join(ROOT, 'docs', 'images', `site-${scheme}.png`), png)
}
