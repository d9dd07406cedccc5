import { connect, type PublisherOptions } from '../../../src/index.ts'
import type { Drive } from '../../../src/simulator/scenario.ts'

/** Headrace itself: one publisher, fed as its producers should feed it. */
export function ours(options: PublisherOptions = {}): Drive {
  return async ({ service, clock, random, sources, isOver }) => {
    const database = connect({ endpoint: 'http://localhost:1', transport: service, clock, random })
    const publisher = database.table('things').publisher({ onReject: () => undefined, ...options })
    for (const next of sources) {
      for (let item = next(); item !== undefined; item = next()) {
        if (!publisher.put(item)) await publisher.ready
        if (isOver()) break
      }
      if (isOver()) break
    }
    await publisher.close()
    await database.close()
    const { taken, stored, rejected } = publisher.stats
    return { taken, stored, lost: rejected }
  }
}
