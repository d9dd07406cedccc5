import type { ScenarioPhase, ScenarioSeries } from '../simulator/scenario.ts'

/** What a stretch of a scenario comes to. */
export interface PhaseFigures {
  readonly name: string
  /** Units a second. */
  readonly used: number
  readonly offered: number
  /** Of the units that were there, used. */
  readonly usedShare: number
  /** Of all requests, throttled whole and throttled in part. */
  readonly throttledShare: number
  readonly partlyThrottledShare: number
  /** Of all items that were sent, throttled. */
  readonly throttledItemsShare: number
}

export function phaseFigures(series: ScenarioSeries, { name, fromMs, toMs }: ScenarioPhase): PhaseFigures {
  const mean = (values: readonly number[]): number => {
    const part = values.slice(Math.round(fromMs / series.stepMs), Math.round(toMs / series.stepMs))
    return part.length === 0 ? 0 : part.reduce((sum, value) => sum + value, 0) / part.length
  }
  const used = mean(series.used)
  const offered = Math.min(mean(series.offered), ...series.indexes.map((index) => mean(index.offered)))
  const requests = Math.max(mean(series.requests), Number.MIN_VALUE)
  return {
    name,
    used,
    offered,
    usedShare: offered === 0 ? 0 : used / offered,
    throttledShare: mean(series.throttled) / requests,
    partlyThrottledShare: mean(series.partlyThrottled) / requests,
    throttledItemsShare:
      mean(series.throttledItems) / Math.max(mean(series.items) + mean(series.throttledItems), Number.MIN_VALUE),
  }
}
