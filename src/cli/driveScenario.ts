import { connect, type PublisherOptions } from '../index.ts'
import type { Drive } from '../simulator/scenario.ts'

/** Headrace itself as a scenario's client: one publisher, fed as its producers should feed it. */
export function driveScenario(options: PublisherOptions = {}): Drive {
  return async (world) => {
    const { service, clock, random, sources, isOver } = world
    const database = connect({ endpoint: 'http://localhost:1', transport: service, clock, random })
    let rejected = 0
    const onReject = (): void => {
      rejected += 1
    }
    const publisher = database.table('things').publisher({ onReject, ...options })
    world.allowedPerSecond = () => {
      const allowed = publisher.stats.writeUnitsPerSecondAllowed
      return Number.isFinite(allowed) ? allowed : undefined
    }
    for (const next of sources) {
      for (let item = next(); item !== undefined && !isOver(); item = next()) {
        if (!publisher.put(item)) await publisher.ready
      }
      if (isOver()) break
    }
    await publisher.close()
    await database.close()
    const { taken, stored } = publisher.stats
    return { taken, stored, lost: rejected }
  }
}
