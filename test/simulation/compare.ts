import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { phaseFigures } from '../../src/cli/phaseFigures.ts'
import { percent, scenarioPanel } from '../../src/cli/scenarioPanel.ts'
import { formatCount } from '../../src/report/figures.ts'
import { throughputChart } from '../../src/report/throughputChart.ts'
import { runScenario, type Scenario, type ScenarioResult } from '../../src/simulator/scenario.ts'
import { SCENARIOS } from '../../src/simulator/scenarios.ts'
import { POLICIES } from './policies/policies.ts'

// npm run compare -- [SCENARIO ...] [--policy WORD] [--plots DIRECTORY]
//   Headrace and other people's clients in the same worlds: a table in Markdown on standard output, and with --plots a
//   picture for each scenario. Without names all scenarios are played, which takes minutes.

const option = (name: string): string | undefined => {
  const index = process.argv.indexOf(name)
  return index === -1 ? undefined : process.argv[index + 1]
}

function row(name: string, result: ScenarioResult): string {
  const phases = result.scenario.phases.map((phase) => phaseFigures(result.series, phase))
  const { counts, client } = result
  // A full batch for each 25 items is what nobody can do without.
  const requests = counts.requests / Math.max(1, counts.writes / 25)
  const cells = [
    name,
    ...phases.map(
      (one) =>
        `${(one.usedShare * 100).toFixed(1)} % (${percent(one.throttledShare)}, ${percent(one.throttledItemsShare)})`,
    ),
    requests.toFixed(2),
    formatCount(client.lost),
  ]
  return `| ${cells.join(' | ')} |`
}

async function compare(scenario: Scenario): Promise<void> {
  const panels = []
  console.log(`\n### ${scenario.name}: ${scenario.title}\n`)
  const heads = [
    '',
    ...scenario.phases.map(({ name }) => `${name}: used (requests, items throttled)`),
    'requests per 25 items',
    'lost',
  ]
  console.log(`| ${heads.join(' | ')} |\n|${heads.map((_, index) => (index === 0 ? '---' : '--:')).join('|')}|`)
  for (const { name, drive } of POLICIES) {
    if (!name.includes(option('--policy') ?? '')) continue
    const result = await runScenario(scenario, drive())
    console.log(row(name, result))
    panels.push(scenarioPanel(name, result))
  }
  const directory = option('--plots')
  if (directory === undefined) return
  const { title, events = [], durationMs } = scenario
  writeFileSync(
    join(directory, `throughput-${scenario.name}.svg`),
    throughputChart({ title, events, durationMs, panels }),
  )
}

const wanted = process.argv.slice(2).filter((argument, index, all) => {
  return !argument.startsWith('--') && !(all[index - 1] ?? '').startsWith('--')
})
for (const name of wanted) {
  if (!SCENARIOS.some((scenario) => scenario.name === name)) throw new Error(`there is no scenario ${name}`)
}
for (const scenario of SCENARIOS) if (wanted.length === 0 || wanted.includes(scenario.name)) await compare(scenario)
