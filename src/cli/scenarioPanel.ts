import { formatCount } from '../report/figures.ts'
import type { ThroughputPanel } from '../report/throughputChart.ts'
import type { ScenarioResult } from '../simulator/scenario.ts'
import { phaseFigures } from './phaseFigures.ts'

/** What a client did in a scenario, for the chart. */
export function scenarioPanel(name: string, result: ScenarioResult): ThroughputPanel {
  const figures = result.scenario.phases.map((phase) => phaseFigures(result.series, phase))
  const shares = figures.map((one) => `${Math.round(one.usedShare * 100)} %`).join(', ')
  const { lost } = result.client
  const throttles = figures.map((one) => percent(one.throttledShare + one.partlyThrottledShare)).join(', ')
  const note = `used ${shares} · throttled ${throttles} · ${formatCount(lost)} lost`
  return { name, note, ...result.series }
}

/** A share as people read it. */
export function percent(share: number): string {
  const hundredths = share * 100
  return `${hundredths > 0 && hundredths < 10 ? hundredths.toFixed(1) : Math.round(hundredths)} %`
}
