import { writeFile } from 'node:fs/promises'
import { formatCount, formatDuration } from '../report/figures.ts'
import { tableText } from '../report/tableText.ts'
import { throughputChart } from '../report/throughputChart.ts'
import { counted } from '../runtime/counted.ts'
import { runScenario, type Scenario } from '../simulator/scenario.ts'
import { SCENARIOS } from '../simulator/scenarios.ts'
import { driveScenario } from './driveScenario.ts'
import { phaseFigures } from './phaseFigures.ts'
import { percent, scenarioPanel } from './scenarioPanel.ts'
import { Talk, type TalkOptions } from './talk.ts'

export interface ScenarioFlags extends TalkOptions {
  readonly list?: boolean | undefined
  readonly scenario?: string | undefined
  readonly plot?: string | undefined
  readonly seed: number
}

/** Plays a scenario in virtual time, tells what came of it, and draws it. */
export async function playScenario(flags: ScenarioFlags): Promise<void> {
  const talk = new Talk(flags)
  if (flags.list === true) {
    listScenarios(talk, flags.json === true)
    return
  }
  const scenario = findScenario(flags.scenario ?? 'limit-1000')
  const startedAtMs = performance.now()
  const result = await runScenario(scenario, driveScenario(), { seed: flags.seed })
  const phases = scenario.phases.map((phase) => phaseFigures(result.series, phase))
  talk.event('simulated', { scenario: scenario.name, seed: flags.seed, phases, ...result.counts, ...result.client })
  if (flags.json !== true) process.stdout.write(`${table(phases)}\n`)
  const { requests, writes } = result.counts
  const took = formatDuration(performance.now() - startedAtMs)
  talk.say(
    `${scenario.title}: ${formatDuration(result.endedAtMs)} of virtual time in ${took}, ${counted(requests, 'request')}, ${counted(writes, 'item')} written, ${formatCount(result.client.lost)} lost.`,
  )
  if (flags.plot === undefined) return
  const { events = [], durationMs, title } = scenario
  await writeFile(
    flags.plot,
    throughputChart({ title, events, durationMs, panels: [scenarioPanel(`Headrace, seed ${flags.seed}`, result)] }),
  )
  talk.say(`Chart: ${flags.plot}`)
}

/** @throws {TypeError} for a name that is none */
function findScenario(name: string): Scenario {
  const found = SCENARIOS.find((scenario) => scenario.name === name)
  if (found !== undefined) return found
  throw new TypeError(`there is no scenario "${name}": "headrace simulate --list" lists them`)
}

function listScenarios(talk: Talk, json: boolean): void {
  for (const { name, title, durationMs } of SCENARIOS) {
    talk.event('scenario', { name, title, durationMs })
    if (!json) process.stdout.write(`${name.padEnd(18)}${title}\n`)
  }
}

function table(phases: readonly ReturnType<typeof phaseFigures>[]): string {
  const rows = phases.map((phase) => [
    phase.name,
    formatCount(phase.offered),
    formatCount(phase.used),
    `${(phase.usedShare * 100).toFixed(1)} %`,
    percent(phase.throttledShare),
    percent(phase.partlyThrottledShare),
    percent(phase.throttledItemsShare),
  ])
  const head = ['', 'WCU available', 'used', 'share', 'requests throttled', 'partly throttled', 'items throttled']
  return tableText([head, ...rows])
}
