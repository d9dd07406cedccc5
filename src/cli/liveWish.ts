import type { JobRates, Rate } from '../index.ts'
import type { LiveView } from '../report/liveView.ts'
import type { Talk } from './talk.ts'

export interface LiveWishOptions {
  readonly view: LiveView
  readonly setRates: (rates: JobRates) => void
  readonly talk: Talk
}

/**
 * Does what a live page asks for, and says so also where the job was started.
 *
 * @param wish what the page has sent: `{ action: 'pause' }`, `{ action: 'resume' }`, or `{ action: 'rates' }` with
 *   `readUnitsPerSecond` and `writeUnitsPerSecond`, each of which may be missing
 * @returns what was done, for people
 * @throws {TypeError} for anything else, and for what is no rate
 */
export function doLiveWish(wish: unknown, { view, setRates, talk }: LiveWishOptions): string {
  if (view.state !== 'running' && view.state !== 'paused') throw new TypeError(`the job is ${view.state}`)
  const { action, readUnitsPerSecond, writeUnitsPerSecond } = (
    typeof wish === 'object' && wish !== null ? wish : {}
  ) as { action?: unknown; readUnitsPerSecond?: Rate; writeUnitsPerSecond?: Rate }
  switch (action) {
    case 'pause':
    case 'resume': {
      const paused = action === 'pause'
      setRates({ paused })
      if (paused) view.tell('paused', 'paused; Headrace reads and writes nothing until you resume')
      else view.tell('running', 'running')
      talk.event(paused ? 'paused' : 'resumed', {})
      return said(paused ? 'paused' : 'resumed', talk)
    }
    case 'rates': {
      const rates = {
        readUnitsPerSecond,
        writeUnitsPerSecond,
      }
      if (Object.keys(rates).length === 0) throw new TypeError('enter a rate, such as 500 or 50%')
      setRates(rates)
      talk.event('rates', rates)
      return said(`new rates for this run: ${JSON.stringify(rates)}`, talk)
    }
    default:
      throw new TypeError('unknown action: use pause, resume or rates')
  }
}

function said(words: string, talk: Talk): string {
  talk.say(`live page: ${words}`)
  return words
}
