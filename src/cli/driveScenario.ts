import { connect, type PublisherOptions } from '../index.ts'
import type { Drive } from '../simulator/scenario.ts'
import type { ScenarioItem, ScenarioSource } from '../simulator/scenarioItems.ts'

/** Sources that are read at once, as segments of a scan are. */
const CONCURRENCY = 16

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
    for (const item of spread(sources)) {
      if (!publisher.put(item)) await publisher.ready
      if (isOver()) break
    }
    await publisher.close()
    await database.close()
    const { taken, stored } = publisher.stats
    return { taken, stored, lost: rejected }
  }
}

/** In turn from sixteen sources that are far from each other, in bit-reversed order, as Headrace reads a table. */
function* spread(sources: readonly ScenarioSource[]): Generator<ScenarioItem> {
  const bits = Math.ceil(Math.log2(Math.max(2, sources.length)))
  const places = Array.from({ length: 2 ** bits }, (_, index) => reversed(index, bits))
  const waiting = places.flatMap((place) => (place < sources.length ? [sources[place]!] : []))
  const open = waiting.splice(0, CONCURRENCY)
  while (open.length > 0) {
    for (let index = 0; index < open.length; ) {
      const item = open[index]!()
      if (item !== undefined) {
        yield item
        index += 1
      } else {
        open.splice(index, 1, ...waiting.splice(0, 1))
      }
    }
  }
}

function reversed(value: number, bits: number): number {
  let result = 0
  for (let bit = 0; bit < bits; bit += 1) result = (result << 1) | ((value >> bit) & 1)
  return result
}
