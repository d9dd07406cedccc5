import { connect, load, type PublisherOptions, type PublisherStats, type RecordSource } from '../index.ts'
import type { Drive, ScenarioWorld } from '../simulator/scenario.ts'
import type { ScenarioSource } from '../simulator/scenarioItems.ts'

/** Headrace itself as a scenario's client: one publisher, or a load where there are several sources. */
export function driveScenario(options: PublisherOptions = {}): Drive {
  return async (world) => {
    const { service, clock, random, sources } = world
    const database = connect({ endpoint: 'http://localhost:1', transport: service, clock, random })
    const table = database.table('things')
    let rejected = 0
    const onReject = (): void => {
      rejected += 1
    }
    try {
      if (sources.length > 1) {
        const job = load(
          sources.map((next, index) => recordsOf(world, next, `source ${index}`)),
          table,
          {
            ...options,
            onReject,
          },
        )
        const { read, written } = await job.run()
        return { taken: read, stored: written, lost: rejected }
      }
      const publisher = table.publisher({ ...options, onReject })
      world.allowedPerSecond = () => allowed(publisher.stats)
      const next = sources[0]!
      for (let item = next(); item !== undefined && !world.isOver(); item = next()) {
        if (!publisher.put({ ...item })) await publisher.ready
      }
      await publisher.close()
      const { taken, stored } = publisher.stats
      return { taken, stored, lost: rejected }
    } finally {
      await database.close()
    }
  }
}

function allowed({ writeUnitsPerSecondAllowed }: PublisherStats): number | undefined {
  return Number.isFinite(writeUnitsPerSecondAllowed) ? writeUnitsPerSecondAllowed : undefined
}

/** As many records at once as a file gives. */
const LIST = 100

function recordsOf(world: ScenarioWorld, next: ScenarioSource, name: string): RecordSource {
  return {
    name,
    async *records() {
      let line = 0
      while (!world.isOver()) {
        const list = []
        for (let item = next(); item !== undefined; item = next()) {
          line += 1
          list.push({ item: { ...item }, place: { file: name, line, offset: 0 } })
          if (list.length === LIST) break
        }
        if (list.length === 0) return
        yield list
      }
    },
  }
}
