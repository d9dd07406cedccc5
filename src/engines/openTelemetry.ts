import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Summary } from '../job/summary.ts'
import { ENDINGS } from '../job/tally.ts'
import { REQUEST_END, type RequestEnd, RUN_END, RUN_START, type RunEnd, type RunStart } from '../runtime/channels.ts'

type Attributes = Record<string, string | number>

/** What is used of the module `@opentelemetry/api`, 1.x. */
export interface OpenTelemetryApi {
  readonly trace: { getTracer(name: string): TracerLike }
  readonly metrics: { getMeter(name: string): MeterLike }
}

interface TracerLike {
  startSpan(name: string, options?: { attributes?: Attributes }): SpanLike
}

interface SpanLike {
  setAttributes(attributes: Attributes): unknown
  setStatus(status: { code: number; message?: string }): unknown
  recordException(error: Error): void
  end(): void
}

interface MeterLike {
  createHistogram(
    name: string,
    options?: { unit?: string; description?: string; advice?: { explicitBucketBoundaries?: number[] } },
  ): { record(value: number, attributes?: Attributes): void }
  createObservableCounter(
    name: string,
    options?: { unit?: string; description?: string },
  ): {
    addCallback(callback: (result: ObservableResultLike) => void): void
    removeCallback(callback: (result: ObservableResultLike) => void): void
  }
}

interface ObservableResultLike {
  observe(value: number, attributes?: Attributes): void
}

/** `SpanStatusCode.ERROR` of the API. */
const STATUS_ERROR = 2
/** Seconds, as the semantic conventions for `db.client.operation.duration` advise. */
const BOUNDARIES = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10]

/** Counts of a job, and where they stand in its summary. */
const COUNTERS: readonly (readonly [name: string, unit: string, of: (summary: Summary) => [number, Attributes][]])[] = [
  ['headrace.items', '{item}', (summary) => ENDINGS.map((name) => [summary[name], { 'headrace.ending': name }])],
  [
    'headrace.consumed_capacity',
    '{unit}',
    ({ readUnits, writeUnits }) => [
      [readUnits, { 'headrace.direction': 'read' }],
      [writeUnits, { 'headrace.direction': 'write' }],
    ],
  ],
  ['headrace.retries', '{item}', ({ retried }) => [[retried, {}]]],
  ['headrace.throttled_requests', '{request}', ({ throttledRequests }) => [[throttledRequests, {}]]],
]

/**
 * Tells OpenTelemetry of every job that runs in this process from now on: a span for each run, whose parent is the span that is active
 * where it was begun; counters of items, capacity and throttles; and how long requests take (`db.client.operation.duration`).
 *
 * ```ts
 * import * as api from '@opentelemetry/api'
 * const stop = useOpenTelemetry(api)
 * ```
 *
 * Exporters are the caller's: without an SDK that the API knows of, all of it goes nowhere.
 *
 * @returns what ends it
 */
export function useOpenTelemetry(api: OpenTelemetryApi): () => void {
  const tracer = api.trace.getTracer('headrace')
  const meter = api.metrics.getMeter('headrace')
  const duration = meter.createHistogram('db.client.operation.duration', {
    unit: 's',
    description: 'Duration of requests to DynamoDB',
    advice: { explicitBucketBoundaries: BOUNDARIES },
  })
  const running = new Map<object, { readonly start: RunStart; readonly span: SpanLike }>()
  /** Of runs that have ended, by operation and table: a counter never falls. */
  const ended = new Map<string, Map<string, { value: number; attributes: Attributes }>>()

  const onStart = (message: unknown): void => {
    const start = message as RunStart
    const span = tracer.startSpan(`headrace ${start.operation}`, { attributes: jobAttributes(start) })
    running.set(start.run, { start, span })
  }
  const onEnd = (message: unknown): void => {
    const { run, error } = message as RunEnd
    const found = running.get(run)
    if (found === undefined) return
    running.delete(run)
    const { start, span } = found
    const summary = start.progress() as Summary
    for (const [name, , of] of COUNTERS) {
      const sums = ended.get(name) ?? new Map()
      ended.set(name, sums)
      for (const [value, attributes] of of(summary)) add(sums, value, { ...jobAttributes(start), ...attributes })
    }
    span.setAttributes({
      'headrace.items.read': summary.read,
      'headrace.items.written': summary.written,
      'headrace.items.rejected': summary.rejected,
      'headrace.complete': summary.complete ? 1 : 0,
      ...(summary.stoppedBy === undefined ? {} : { 'headrace.stopped_by': summary.stoppedBy }),
    })
    if (error !== undefined) {
      const failure = error instanceof Error ? error : new Error(`${error}`)
      span.recordException(failure)
      span.setStatus({ code: STATUS_ERROR, message: failure.message })
    }
    span.end()
  }
  const onRequest = (message: unknown): void => {
    const { operation, latencyMs, outcome, code } = message as RequestEnd
    duration.record(latencyMs / 1_000, {
      'db.system.name': 'aws.dynamodb',
      'db.operation.name': operation,
      ...(outcome === 'answered' ? {} : { 'error.type': code }),
    })
  }
  const observers = COUNTERS.map(([name, unit, of]) => {
    const counter = meter.createObservableCounter(name, { unit })
    const observe = (result: ObservableResultLike): void => {
      const sums = new Map([...(ended.get(name) ?? [])].map(([key, sum]) => [key, { ...sum }]))
      for (const { start } of running.values())
        for (const [value, attributes] of of(start.progress() as Summary))
          add(sums, value, { ...jobAttributes(start), ...attributes })
      for (const { value, attributes } of sums.values()) result.observe(value, attributes)
    }
    counter.addCallback(observe)
    return () => counter.removeCallback(observe)
  })
  subscribe(RUN_START.name, onStart)
  subscribe(RUN_END.name, onEnd)
  subscribe(REQUEST_END.name, onRequest)
  return () => {
    unsubscribe(RUN_START.name, onStart)
    unsubscribe(RUN_END.name, onEnd)
    unsubscribe(REQUEST_END.name, onRequest)
    for (const remove of observers) remove()
  }
}

function jobAttributes({ operation, table }: Pick<RunStart, 'operation' | 'table'>): Attributes {
  return { 'db.system.name': 'aws.dynamodb', 'db.collection.name': table, 'headrace.operation': operation }
}

function add(
  sums: Map<string, { value: number; attributes: Attributes }>,
  value: number,
  attributes: Attributes,
): void {
  const key = JSON.stringify(attributes)
  const sum = sums.get(key)
  if (sum === undefined) sums.set(key, { value, attributes })
  else sum.value += value
}
