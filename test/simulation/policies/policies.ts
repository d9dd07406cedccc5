import { driveScenario } from '../../../src/cli/driveScenario.ts'
import type { Drive } from '../../../src/simulator/scenario.ts'
import { batchWriter } from './batchWriter.ts'
import { fixedShare } from './fixedShare.ts'
import { flinkSink } from './flinkSink.ts'
import { sdkRetries } from './sdkRetries.ts'

export interface Policy {
  readonly name: string
  readonly drive: () => Drive
}

/**
 * Ours, and those of the clients that people use today. Where items come from segments or files, ours reads sixteen at once,
 * as it does, and the others read one after another.
 */
export const POLICIES: readonly Policy[] = [
  { name: 'Headrace', drive: () => driveScenario() },
  { name: 'boto3 batch_writer, 50 threads', drive: () => batchWriter() },
  { name: 'AWS SDK standard, 50 calls', drive: () => sdkRetries('standard') },
  { name: 'AWS SDK adaptive, 50 calls', drive: () => sdkRetries('adaptive') },
  { name: 'Flink sink, AIMD', drive: () => flinkSink() },
  { name: 'fixed share of 50 %', drive: () => fixedShare() },
]
