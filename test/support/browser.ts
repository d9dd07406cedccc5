import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'

interface Message {
  readonly id?: number
  readonly result?: object
  readonly error?: { readonly message: string }
}

export interface ScreenshotOptions {
  /** In CSS pixels. Default 1400 and all of the page. */
  readonly width?: number
  readonly height?: number
  readonly scheme?: 'light' | 'dark'
}

const LIFE_MS_MAX = 300_000
const END_MS_MAX = 5_000
const EVERY_MS = 50
/** What Chromium answers to an expression whose page was left while it ran. */
const PAGE_WAS_LEFT = /Inspected target navigated or closed|Execution context was destroyed|Cannot find context/

/** A Chromium without a window, asked through a pipe by its DevTools protocol. */
export class Browser {
  readonly #child: ChildProcess
  readonly #profile: string
  readonly #waiting = new Map<number, { resolve: (result: object) => void; reject: (error: Error) => void }>()
  #last = 0
  #text = ''

  private constructor(child: ChildProcess, profile: string) {
    this.#child = child
    this.#profile = profile
    const [, , , , output] = child.stdio as unknown as Readable[]
    output!.setEncoding('utf8').on('data', (text: string) => this.#read(text))
    child.on('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the browser has ended'))
      this.#waiting.clear()
    })
  }

  /** Undefined where there is no Chromium. */
  static async start(): Promise<Browser | undefined> {
    const profile = mkdtempSync(join(tmpdir(), 'headrace-chromium-'))
    const args = ['--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--remote-debugging-pipe']
    const child = spawn('chromium', [...args, `--user-data-dir=${profile}`, 'about:blank'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    })
    // Not spawn's own `timeout`: its timer holds the process for all of it where the program cannot be started.
    setTimeout(() => child.kill('SIGKILL'), LIFE_MS_MAX).unref()
    const isThere = await new Promise<boolean>((resolve) => {
      child.once('spawn', () => resolve(true))
      child.once('error', () => resolve(false))
    })
    if (!isThere) {
      rmSync(profile, { recursive: true, force: true })
      return undefined
    }
    const browser = new Browser(child, profile)
    // Its first page may take longer than the job that is to be seen on it.
    const page = await browser.#attach()
    await page.until('document.readyState === "complete"')
    return browser
  }

  async #attach(): Promise<BrowserPage> {
    const { targetId } = (await this.send('Target.createTarget', { url: 'about:blank' })) as { targetId: string }
    const attached = await this.send('Target.attachToTarget', { targetId, flatten: true })
    return new BrowserPage(this, (attached as { sessionId: string }).sessionId)
  }

  async open(url: string): Promise<BrowserPage> {
    const page = await this.#attach()
    await page.send('Page.enable')
    await page.goTo(url)
    return page
  }

  send(method: string, params: object = {}, sessionId?: string): Promise<object> {
    this.#last += 1
    const id = this.#last
    const [, , , input] = this.#child.stdio as unknown as Writable[]
    input!.write(`${JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) })}\0`)
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }))
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    // Asked, it ends its other processes first; killed, they write to the profile for a moment longer.
    this.send('Browser.close').catch(() => undefined)
    const limit = setTimeout(() => this.#child.kill('SIGKILL'), END_MS_MAX)
    await ended
    clearTimeout(limit)
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 200 })
  }

  #read(text: string): void {
    const pieces = (this.#text + text).split('\0')
    this.#text = pieces.pop()!
    for (const piece of pieces) {
      const { id, result, error } = JSON.parse(piece) as Message
      const waiting = id === undefined ? undefined : this.#waiting.get(id)
      this.#waiting.delete(id ?? 0)
      if (error === undefined) waiting?.resolve(result ?? {})
      else waiting?.reject(new Error(error.message))
    }
  }
}

/** One of its tabs. */
export class BrowserPage {
  readonly #browser: Browser
  readonly #session: string

  constructor(browser: Browser, session: string) {
    this.#browser = browser
    this.#session = session
  }

  send(method: string, params: object = {}): Promise<object> {
    return this.#browser.send(method, params, this.#session)
  }

  /** What an expression comes to in the page; a promise is waited for. */
  async evaluate<Value>(expression: string): Promise<Value> {
    const answer = await this.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true })
    const { result, exceptionDetails } = answer as { result: { value: Value }; exceptionDetails?: object }
    if (exceptionDetails !== undefined) throw new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`)
    return result.value
  }

  /** Leaves the page for another. A script that sets `location` would lose its own answer now and then. */
  async goTo(url: string): Promise<void> {
    await this.send('Page.navigate', { url })
    await this.until(`location.href === ${JSON.stringify(url)} && document.readyState !== 'loading'`)
  }

  /** Waits until an expression comes to something true, also on the page that follows, and gives that. */
  async until<Value>(expression: string, withinMs = 20_000): Promise<Value> {
    const endAt = performance.now() + withinMs
    for (;;) {
      const value = await this.evaluate<Value>(expression).catch((error: Error) => {
        if (!PAGE_WAS_LEFT.test(error.message)) throw error
        return undefined
      })
      if (value) return value
      if (performance.now() > endAt) throw new Error(`not within ${withinMs} ms: ${expression}`)
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS))
    }
  }

  /** As a PNG. */
  async screenshot({ width = 1_400, height, scheme = 'light' }: ScreenshotOptions = {}): Promise<Buffer> {
    const metrics = { width, deviceScaleFactor: 1, mobile: false }
    await this.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] })
    await this.send('Emulation.setDeviceMetricsOverride', { ...metrics, height: height ?? 800 })
    const all = height ?? (await this.evaluate<number>('document.documentElement.scrollHeight'))
    await this.send('Emulation.setDeviceMetricsOverride', { ...metrics, height: all })
    const { data } = (await this.send('Page.captureScreenshot', { format: 'png' })) as { data: string }
    return Buffer.from(data, 'base64')
  }
}
