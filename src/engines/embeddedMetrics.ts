/** Units that CloudWatch knows; see its "Embedded metric format specification". */
type MetricUnit = 'Count' | 'Milliseconds'

const NAMESPACE = 'Headrace'

/**
 * Figures as one line for a function's log, from which CloudWatch takes metrics by itself ("Specification: Embedded metric format"):
 * nothing is called, and nothing is waited for.
 *
 * @param dimensions by which the metrics are told apart, such as `{ Table: 'users' }`; each distinct value is a metric that costs
 * @param timestampMs since 1970
 */
export function embeddedMetrics(
  metrics: { readonly [name: string]: number },
  dimensions: { readonly [name: string]: string },
  timestampMs: number,
): string {
  const unitOf = (name: string): MetricUnit => (name.endsWith('Duration') ? 'Milliseconds' : 'Count')
  return JSON.stringify({
    _aws: {
      Timestamp: Math.round(timestampMs),
      CloudWatchMetrics: [
        {
          Namespace: NAMESPACE,
          Dimensions: [Object.keys(dimensions)],
          Metrics: Object.keys(metrics).map((name) => ({ Name: name, Unit: unitOf(name) })),
        },
      ],
    },
    ...dimensions,
    ...metrics,
  })
}
