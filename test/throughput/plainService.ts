import { type Random, seededRandom } from '../../src/runtime/random.ts'
import { RateFinder } from '../../src/throughput/rateFinder.ts'
import { UnitBucket } from '../../src/throughput/unitBucket.ts'

export interface PlainServiceOptions {
  /** Units a second that the service gives; it saves up one second's worth. */
  readonly limit: number
  /** Share throttled whatever is asked for: of requests as a whole, or of the units of each. */
  readonly wholeNoise?: number
  readonly partNoise?: number
  /** What the finder begins with, and may not pass. */
  readonly start?: number
  readonly most?: number
  /** Units a second that are wanted. Default: no end of them. */
  readonly demand?: number
  readonly seconds: number
  readonly latencyMs?: number
  readonly seed?: number
  /** What changes, by the millisecond. */
  readonly changes?: Readonly<Record<number, { limit?: number; wholeNoise?: number }>>
}

/** What happened in a second. */
export interface PlainSecond {
  readonly consumed: number
  readonly throttled: number
  readonly requests: number
  readonly throttledRequests: number
  readonly unitsPerSecond: number
}

const BATCH = 25
const IN_FLIGHT_MAX = 40

/** A finder, a bucket, and the plainest service there can be, a millisecond at a time. */
export function playPlainService(options: PlainServiceOptions): PlainSecond[] {
  let { limit, wholeNoise = 0 } = options
  const { partNoise = 0, most = Number.POSITIVE_INFINITY, start = most, demand = Number.POSITIVE_INFINITY } = options
  const { seconds, latencyMs = 10, changes = {} } = options
  const random: Random = seededRandom(options.seed ?? 1)
  const finder = new RateFinder(most, start, 0)
  const bucket = new UnitBucket(finder.unitsPerSecond, 0)
  const underWay: { atMs: number; sentAtMs: number; consumed: number; throttled: number }[] = []
  const result: PlainSecond[] = []
  let saved = limit
  let wanted = 0
  let second = { consumed: 0, throttled: 0, requests: 0, throttledRequests: 0 }
  for (let now = 1; now <= seconds * 1_000; now += 1) {
    limit = changes[now]?.limit ?? limit
    wholeNoise = changes[now]?.wholeNoise ?? wholeNoise
    saved = Math.min(limit, saved + limit / 1_000)
    wanted = Math.min(demand, wanted + demand / 1_000)
    for (const answer of underWay.filter(({ atMs }) => atMs <= now)) {
      underWay.splice(underWay.indexOf(answer), 1)
      if (answer.consumed > 0) finder.onAnswer(answer.consumed, 0, answer.sentAtMs, now)
      if (answer.throttled > 0) finder.onAnswer(0, answer.throttled, answer.sentAtMs, now)
      bucket.spend(finder.takePauseSeconds() * Math.min(finder.unitsPerSecond, 1e9))
      if (bucket.unitsPerSecond !== finder.unitsPerSecond) bucket.setRate(finder.unitsPerSecond, now)
    }
    while (underWay.length < IN_FLIGHT_MAX && wanted >= BATCH) {
      if (bucket.shortMs(BATCH, now) > 0) {
        finder.onWait()
        break
      }
      bucket.spend(BATCH)
      wanted -= BATCH
      const whole = random() < wholeNoise
      let consumed = 0
      for (let unit = 0; unit < BATCH; unit += 1) {
        if (whole || random() < partNoise || saved < 1) continue
        saved -= 1
        consumed += 1
      }
      const throttled = BATCH - consumed
      second.consumed += consumed
      second.throttled += throttled
      second.requests += 1
      if (throttled > 0) second.throttledRequests += 1
      underWay.push({ atMs: now + latencyMs * (0.5 + random()), sentAtMs: now, consumed, throttled })
    }
    if (now % 1_000 === 0) {
      result.push({ ...second, unitsPerSecond: finder.unitsPerSecond })
      second = { consumed: 0, throttled: 0, requests: 0, throttledRequests: 0 }
    }
  }
  return result
}

/** Of some seconds together. */
export function total(seconds: readonly PlainSecond[]): Omit<PlainSecond, 'unitsPerSecond'> {
  const sum = { consumed: 0, throttled: 0, requests: 0, throttledRequests: 0 }
  for (const { consumed, throttled, requests, throttledRequests } of seconds) {
    sum.consumed += consumed
    sum.throttled += throttled
    sum.requests += requests
    sum.throttledRequests += throttledRequests
  }
  return sum
}
