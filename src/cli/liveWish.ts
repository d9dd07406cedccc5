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
      if (paused) view.tell('paused', 'paused; nothing more is read or written until it is told to go on')
      else view.tell('running', 'running')
      talk.event(paused ? 'paused' : 'resumed', {})
      return said(paused ? 'paused' : 'goes on', talk)
    }
    case 'rates': {
      const rates = {
        ...(readUnitsPerSecond === undefined ? {} : { readUnitsPerSecond }),
        ...(writeUnitsPerSecond === undefined ? {} : { writeUnitsPerSecond }),
      }
      if (Object.keys(rates).length === 0) throw new TypeError('give a rate, such as 500 or 50%')
      setRates(rates)
      talk.event('rates', rates)
      return said(`rates until the job ends: ${JSON.stringify(rates)}`, talk)
    }
    default:
      throw new TypeError('a job is paused, resumed, or given rates')
  }
}

function said(words: string, talk: Talk): string {
  talk.say(`by the page: ${words}`)
  return words
}
