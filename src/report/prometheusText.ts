import type { Summary } from '../job/summary.ts'
import { ENDINGS } from '../job/tally.ts'

interface Family {
  readonly name: string
  readonly type: 'counter' | 'gauge'
  readonly help: string
  /** Labels and value of each sample; one that is undefined or no number is left out. */
  readonly samples: readonly (readonly [{ readonly [label: string]: string }, number | undefined])[]
}

/** A job as metrics, in Prometheus' text format 0.0.4. */
export function prometheusText(now: Summary): string {
  const families: Family[] = [
    counter(
      'headrace_items_total',
      'Items by outcome.',
      ENDINGS.map((ending) => [{ ending }, now[ending]] as const),
    ),
    counter('headrace_items_read_total', 'Items or records read.', [[{}, now.read]]),
    counter('headrace_consumed_capacity_units_total', 'Consumed capacity units, as DynamoDB reports them.', [
      [{ direction: 'read' }, now.readUnits],
      [{ direction: 'write' }, now.writeUnits],
    ]),
    counter('headrace_requests_total', 'Requests to DynamoDB.', [[{}, now.requests]]),
    counter('headrace_throttled_requests_total', 'Requests that DynamoDB throttled as a whole.', [
      [{}, now.throttledRequests],
    ]),
    counter('headrace_failed_requests_total', 'Requests that failed at the service or in the network.', [
      [{}, now.failedRequests],
    ]),
    counter('headrace_retried_items_total', 'Retries of items or pages.', [[{}, now.retried]]),
    counter('headrace_conflicts_total', 'Items that another writer changed between read and write.', [
      [{}, now.conflicts],
    ]),
    counter(
      'headrace_throttling_reasons_total',
      'Throttling reasons, as DynamoDB reports them.',
      Object.entries(now.throttlingReasons).map(([reason, times]) => [{ reason }, times] as const),
    ),
    counter('headrace_duration_seconds_total', 'Time the job has run, over all runs.', [[{}, now.durationMs / 1_000]]),
    counter('headrace_cost_total', 'Cost of the consumed capacity units.', [
      [{ currency: now.cost?.currency ?? '' }, now.cost?.amount],
    ]),
    gauge('headrace_in_flight_items', 'Items in flight.', [[{}, now.inFlight]]),
    gauge('headrace_buffered_items', 'Items waiting to be sent.', [[{}, now.buffered]]),
    gauge('headrace_allowed_capacity_units', 'Current limit in capacity units per second; absent if there is none.', [
      [{ direction: 'read' }, now.readUnitsPerSecondAllowed],
      [{ direction: 'write' }, now.writeUnitsPerSecondAllowed],
    ]),
    gauge('headrace_write_latency_seconds', 'Latency of write requests in this run.', [
      [{ quantile: '0.5' }, now.latencyMsP50 / 1_000],
      [{ quantile: '0.99' }, now.latencyMsP99 / 1_000],
    ]),
    gauge('headrace_done_ratio', 'Share of the work that is done; absent if unknown.', [[{}, now.share]]),
    gauge('headrace_segments', 'Segments of the table.', [[{}, now.segments]]),
    gauge('headrace_segments_read', 'Segments read completely.', [[{}, now.segmentsDone]]),
  ]
  const common = { operation: now.operation, table: now.table }
  return families.map((family) => familyText(family, common)).join('')
}

function counter(name: string, help: string, samples: Family['samples']): Family {
  return { name, type: 'counter', help, samples }
}

function gauge(name: string, help: string, samples: Family['samples']): Family {
  return { name, type: 'gauge', help, samples }
}

function familyText({ name, type, help, samples }: Family, common: { readonly [label: string]: string }): string {
  const lines = samples
    .filter(([, value]) => value !== undefined && Number.isFinite(value))
    .map(([labels, value]) => {
      const pairs = Object.entries({ ...common, ...labels }).map(([label, text]) => `${label}="${escapeLabel(text)}"`)
      return `${name}{${pairs.join(',')}} ${value}\n`
    })
  return lines.length === 0 ? '' : `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`
}

/** As the format has it: backslash, quote and line feed. */
function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
