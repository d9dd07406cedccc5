import {
  type ConnectOptions,
  connect,
  type Database,
  type Publisher,
  type PublisherOptions,
  type PublisherStats,
  type Table,
} from '../../src/index.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import type { CapacityOptions } from '../../src/simulator/capacity.ts'
import type { FaultPlan } from '../../src/simulator/faults.ts'
import { SimulatedService, type SimulatedServiceOptions } from '../../src/simulator/simulatedService.ts'
import type { SimulatedTable, TableOptions } from '../../src/simulator/simulatedTable.ts'
import { VirtualClock } from '../../src/simulator/virtualClock.ts'

/** Units a second that a table of these tests has; none are saved. */
export const UNITS = 2_000
const ENOUGH: CapacityOptions = {
  billing: 'provisioned',
  readUnitsPerSecond: UNITS,
  writeUnitsPerSecond: UNITS,
  burstSeconds: 0,
}

export interface Started {
  readonly clock: VirtualClock
  readonly service: SimulatedService
  readonly simulated: SimulatedTable
  readonly database: Database
  readonly table: Table
}

/** A table `things` with the key `pk`, its faults only after it has been looked at. */
export async function start(
  faults: FaultPlan,
  {
    table = {},
    service: serviceOptions = {},
    connection = () => ({}),
  }: {
    table?: Partial<TableOptions>
    service?: Partial<SimulatedServiceOptions>
    connection?: (service: SimulatedService, clock: VirtualClock) => Partial<ConnectOptions>
  } = {},
): Promise<Started> {
  const clock = new VirtualClock()
  const service = new SimulatedService({ clock, random: seededRandom(5), ...serviceOptions })
  const simulated = service.addTable({
    name: 'things',
    key: { partition: { name: 'pk', type: 'S' } },
    capacity: ENOUGH,
    ...table,
  })
  const database = connect({
    endpoint: 'http://localhost:1',
    transport: service,
    clock,
    random: seededRandom(6),
    ...connection(service, clock),
  })
  const handle = database.table('things')
  await clock.run(handle.describe())
  service.setFaults(faults)
  return { clock, service, simulated, database, table: handle }
}

/** Puts so many items, `k0` and so on, as producers should. */
export async function putAll(publisher: Publisher, count: number, more: object = {}): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    if (!publisher.put({ pk: `k${index}`, ...more })) await publisher.ready
  }
}

export async function publish(table: Table, count: number, options: PublisherOptions = {}): Promise<PublisherStats> {
  const publisher = table.publisher(options)
  await putAll(publisher, count)
  await publisher.close()
  return publisher.stats
}

/** Writes that took effect from one moment to another. */
export function writesBetween(service: SimulatedService, fromMs: number, toMs: number): number {
  return service.log.writes.filter(({ atMs }) => atMs >= fromMs && atMs < toMs).length
}
