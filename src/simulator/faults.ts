import type { Random } from '../runtime/random.ts'

/** What can be done to one request. */
export const FAULTS = [
  /** No connection comes about. */
  'connect',
  /** The connection ends before the service has the request. */
  'reset before',
  /** The answer is lost: the write was made. */
  'reset after',
  /** Nothing comes back for as long as the client waits. */
  'stall before',
  'stall after',
  /** 500, without or with the write. */
  'error before',
  'error after',
  /** 503. */
  'unavailable',
  /** 502 with the page of a proxy. */
  'proxy page',
  /** A bit of the answer is wrong, and its checksum shows it. */
  'wrong checksum',
  /** The answer ends early; where it is a success, without a checksum to show it. */
  'cut body',
  /** Throttled whole, for no reason of capacity. */
  'throttle',
  /** The credentials are called expired from now on. */
  'expired token',
  /** A hundred times the latency. */
  'slow',
] as const

export type Fault = (typeof FAULTS)[number]

/** A stretch of time in which every request meets the same fault. */
export interface FaultWindow {
  readonly fromMs: number
  readonly toMs: number
  readonly fault: Fault
}

export interface FaultPlan {
  /** Shares of all requests, 0 to 1, together at most 1. Default: none. */
  readonly shares?: { readonly [Name in Fault]?: number }
  /** The shares hold until then. Default: for ever. */
  readonly untilMs?: number
  readonly windows?: readonly FaultWindow[]
  /**
   * Stretches of time in which the host is gone: what is sent to it, or is on its way there or back, is never answered.
   * Default: none.
   */
  readonly gone?: readonly { readonly fromMs: number; readonly toMs: number }[]
  /** Share of the items of a batch that fail on their own, until then too, 0 to 1. Default 0. */
  readonly partFailureShare?: number
  /** Share of them that are throttled for no reason of capacity, as by a key range, until then too, 0 to 1. Default 0. */
  readonly partThrottleShare?: number
  /** `x-amz-retry-after`, sent with every throttle of a whole request and every 503, until then too. Default: not sent. */
  readonly retryAfterMs?: number
}

/** After which a write may have been made though nobody said so. */
export const AMBIGUOUS_FAULTS: readonly Fault[] = [
  'reset after',
  'stall after',
  'error after',
  'wrong checksum',
  'cut body',
]

/** @throws {TypeError} for a fault that is none, or shares that can not be */
export function checkFaults({ shares = {}, partFailureShare = 0 }: FaultPlan): void {
  let sum = 0
  for (const [name, share] of Object.entries(shares)) {
    if (!(FAULTS as readonly string[]).includes(name)) {
      throw new TypeError(`"${name}" is not a fault: use one of ${FAULTS.join(', ')}`)
    }
    if (!(share >= 0 && share <= 1)) throw new TypeError(`the share of "${name}" must be from 0 to 1, not ${share}`)
    sum += share
  }
  if (sum > 1 + 1e-9) throw new TypeError(`the shares of all faults add up to ${sum}, but at most 1 is possible`)
  if (!(partFailureShare >= 0 && partFailureShare <= 1)) {
    throw new TypeError(`partFailureShare must be from 0 to 1, not ${partFailureShare}`)
  }
}

/** Whether the host is gone at some moment of a stretch of time. */
export function isGone(plan: FaultPlan, fromMs: number, toMs: number): boolean {
  return plan.gone?.some((gone) => fromMs < gone.toMs && toMs >= gone.fromMs) === true
}

/** What is done to the next request, if anything. */
export function drawFault(plan: FaultPlan, random: Random, nowMs: number): Fault | undefined {
  // Drawn in any case, so that a window does not change the dice of what follows.
  let die = random()
  const window = plan.windows?.find(({ fromMs, toMs }) => nowMs >= fromMs && nowMs < toMs)
  if (window !== undefined) return window.fault
  if (nowMs >= (plan.untilMs ?? Number.POSITIVE_INFINITY)) return undefined
  for (const fault of FAULTS) {
    die -= plan.shares?.[fault] ?? 0
    if (die < 0) return fault
  }
  return undefined
}
