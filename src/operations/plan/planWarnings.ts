import type { TableDescription } from '../../database/tableDescription.ts'
import type { PlanRate } from '../../job/plan.ts'
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
      `Point-in-time recovery of ${name} is off: what is changed cannot be brought back. Turn it on first, or make a backup.`,
    )
  }
  if (hasStream) {
    warnings.push(
      `${name} has a stream: whoever reads it, such as a Lambda function, sees each write, and is charged for what it does.`,
    )
  }
  const { kinesisStreams = 0 } = safety
  if (kinesisStreams > 0) warnings.push(`A Kinesis stream is told of each write to ${name}, and charges for it.`)
  if (replicas.length > 0) {
    warnings.push(
      `${name} is a global table: each write is made in ${replicas.join(', ')} too, and charged there. Its price is taken to be that of this region.`,
    )
  }
  if (work.deletesItems && deletionProtection) {
    warnings.push(`Deletion protection keeps table ${name} from being dropped, not its items from being deleted.`)
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
      ? `has ${ceiling.toLocaleString('en-US')}`
      : `gives ${ceiling.toLocaleString('en-US')} at most${most === undefined ? ', unless AWS granted more' : ''}`
    warnings.push(
      `${rate.toLocaleString('en-US')} ${direction} units a second were asked for; ${description.name} ${whose}.`,
    )
  }
  if (provisioned && (rate === '100%' || (typeof rate === 'number' && rate >= units))) {
    warnings.push(
      `All ${direction} units that ${description.name} is provisioned with would be used: its application would be throttled.`,
    )
  }
  if (provisioned && direction === 'write') {
    warnings.push(
      `If ${description.name} is scaled automatically, it grows some minutes after the work begins, and what it grows by is charged by the hour.`,
    )
  }
  return warnings
}
