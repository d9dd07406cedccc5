import { formatCount } from '../report/figures.ts'
import type { ThroughputPanel } from '../report/throughputChart.ts'
import type { ScenarioResult } from '../simulator/scenario.ts'
import { type PhaseFigures, phaseFigures } from './phaseFigures.ts'

/** What a client did in a scenario, for the chart. */
export function scenarioPanel(name: string, result: ScenarioResult): ThroughputPanel {
  const figures = result.scenario.phases.map((phase) => phaseFigures(result.series, phase))
  const shares = figures.map((one) => `${Math.round(one.usedShare * 100)} %`).join(', ')
  const { lost } = result.client
  const throttles = figures.map(throttledPercent).join(', ')
  const note = `used ${shares} · throttled ${throttles} · ${formatCount(lost)} lost`
  return { name, note, ...result.series }
}

/** Requests that were throttled, whole or in part, as people read it. */
export function throttledPercent({ throttledShare, partlyThrottledShare }: PhaseFigures): string {
  const percent = (throttledShare + partlyThrottledShare) * 100
  return `${percent > 0 && percent < 10 ? percent.toFixed(1) : Math.round(percent)} %`
}
