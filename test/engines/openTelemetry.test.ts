import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as api from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { connect } from '../../src/database/database.ts'
import { useOpenTelemetry } from '../../src/engines/openTelemetry.ts'
import { updateAll } from '../../src/operations/updateAll.ts'
import { newTable, store } from '../support/store.ts'

test('each run is a span, and what jobs did are counters that never fall, by the real API and SDK', async () => {
  const spans = new InMemorySpanExporter()
  const tracing = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] })
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
  const metering = new MeterProvider({ readers: [reader] })
  api.trace.setGlobalTracerProvider(tracing)
  api.metrics.setGlobalMeterProvider(metering)
  const stop = useOpenTelemetry(api)
  try {
    const table = await newTable()
    await using publisher = table.publisher()
    for (let index = 0; index < 60; index += 1) publisher.put({ id: `user-${index}` })
    await publisher.close()
    await updateAll(table, { set: { tier: 1 } }).run()
    await updateAll(table, { set: { tier: 2 } }).run()
    await assert.rejects(updateNothing(), { code: 'TABLE' })

    const ended = spans.getFinishedSpans()
    assert.deepEqual(
      ended.map(({ name, status, attributes }) => [name, status.code, attributes['headrace.items.written']]),
      [
        ['headrace update', api.SpanStatusCode.UNSET, 60],
        ['headrace update', api.SpanStatusCode.UNSET, 60],
        ['headrace update', api.SpanStatusCode.ERROR, 0],
      ],
    )
    assert.equal(ended[0]!.attributes['db.collection.name'], table.name)
    assert.match(ended[2]!.status.message!, /there is no table/)

    await reader.forceFlush()
    const metrics = exporter
      .getMetrics()
      .at(-1)!
      .scopeMetrics.flatMap((scope) => scope.metrics)
    const items = metrics.find(({ descriptor }) => descriptor.name === 'headrace.items')!
    const written = items.dataPoints.find(
      ({ attributes }) =>
        attributes['headrace.ending'] === 'written' && attributes['db.collection.name'] === table.name,
    )
    assert.equal(written!.value, 120, 'of both runs')
    const durations = metrics.find(({ descriptor }) => descriptor.name === 'db.client.operation.duration')!
    assert.equal(durations.descriptor.unit, 's')
    const operations = durations.dataPoints.map(({ attributes }) => attributes['db.operation.name'])
    assert.ok(operations.includes('BatchExecuteStatement') && operations.includes('Scan'), operations.join())
    const failed = durations.dataPoints.find(({ attributes }) => attributes['error.type'] !== undefined)
    assert.equal(failed!.attributes['error.type'], 'ResourceNotFoundException')
  } finally {
    stop()
    await tracing.shutdown()
    await metering.shutdown()
    api.trace.disable()
    api.metrics.disable()
  }
  const before = spans.getFinishedSpans().length
  const table = await newTable()
  await updateAll(table, { set: { tier: 1 } }).run()
  assert.equal(spans.getFinishedSpans().length, before, 'nothing is told any more')
})

async function updateNothing(): Promise<void> {
  const database = connect({ endpoint: store.endpoint })
  try {
    await updateAll(database.table('nothing-there'), { set: { tier: 1 } }).run()
  } finally {
    await database.close()
  }
}
