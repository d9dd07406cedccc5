import type { TableDescription } from '../../database/tableDescription.ts'
import type { PlanRate } from '../../job/plan.ts'
import { formatUnitRate } from '../../runtime/units.ts'
import type { Rate } from '../../throughput/rate.ts'
import type { TableSafety } from './tableSafety.ts'

/** Read and write units that one table on demand may take a second with its indexes, unless more was granted (service quotas). */
const QUOTA_UNITS_PER_SECOND = 40_000

export interface WarnedWork {
  readonly description: TableDescription
  readonly safety: TableSafety
  /** Items that are there already are changed or replaced. */
  readonly changesItems: boolean
  readonly deletesItems: boolean
  readonly read?: PlanRate | undefined
  readonly write?: PlanRate | undefined
  readonly readRate?: Rate | undefined
  readonly writeRate?: Rate | undefined
}

/** What the owner of a table would want to have thought of, a sentence each. */
export function planWarnings(work: WarnedWork): string[] {
  const { description, safety, write } = work
  const warnings = [...rateWarnings(work, 'read', work.readRate), ...rateWarnings(work, 'write', work.writeRate)]
  if (write === undefined) return warnings
  const { name, replicas, hasStream, deletionProtection } = description
  if (work.changesItems && safety.hasPointInTimeRecovery === false) {
    warnings.push(
      `Point-in-time recovery of ${name} is off: changes cannot be reverted. Turn it on first, or make a backup.`,
    )
  }
  if (hasStream) {
    warnings.push(
      `${name} has a stream: each write reaches its consumers, such as Lambda functions, and they cost extra.`,
    )
  }
  const { kinesisStreams = 0 } = safety
  if (kinesisStreams > 0) warnings.push(`A Kinesis stream receives each write to ${name}, at extra cost.`)
  if (replicas.length > 0) {
    warnings.push(
      `${name} is a global table: AWS also makes and charges each write in ${replicas.join(', ')}. The plan uses this region's price for them.`,
    )
  }
  if (work.deletesItems && deletionProtection) {
    warnings.push(
      `Deletion protection protects table ${name} from being dropped, but not its items from being deleted.`,
    )
  }
  return warnings
}

function rateWarnings(work: WarnedWork, direction: 'read' | 'write', rate: Rate | undefined): string[] {
  const { description } = work
  if (work[direction] === undefined) return []
  const [units, most] =
    direction === 'read'
      ? [description.readUnitsPerSecond, description.readUnitsPerSecondMax]
      : [description.writeUnitsPerSecond, description.writeUnitsPerSecondMax]
  const provisioned = description.billing === 'provisioned'
  const warnings: string[] = []
  const ceiling = provisioned ? units : (most ?? QUOTA_UNITS_PER_SECOND)
  if (typeof rate === 'number' && rate > ceiling) {
    const whose = provisioned
      ? `has ${formatUnitRate(ceiling, direction)}`
      : `allows ${formatUnitRate(ceiling, direction)}${most === undefined ? ', unless AWS raised your quota' : ''}`
    warnings.push(
      `Your rate limit of ${formatUnitRate(rate, direction)} exceeds the capacity: ${description.name} ${whose}.`,
    )
  }
  if (provisioned && (rate === '100%' || (typeof rate === 'number' && rate >= units))) {
    warnings.push(
      `This rate uses all provisioned ${direction} capacity of ${description.name}: your application would be throttled.`,
    )
  }
  if (provisioned && direction === 'write') {
    warnings.push(
      `If ${description.name} uses auto scaling, it scales up a few minutes after the start. AWS bills the added capacity by the hour.`,
    )
  }
  return warnings
}
