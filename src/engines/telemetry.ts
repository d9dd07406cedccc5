export type { RequestEnd, RunEnd, RunStart } from '../runtime/channels.ts'
export { type OpenTelemetryApi, useOpenTelemetry } from './openTelemetry.ts'
