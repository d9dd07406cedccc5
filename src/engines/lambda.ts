export { embeddedMetrics } from './embeddedMetrics.ts'
export type { LambdaContext } from './lambdaContext.ts'
export { lambdaErrorName, PERMANENT_CODES } from './lambdaError.ts'
export {
  finishHandler,
  prepareHandler,
  type RunHandlerOptions,
  type RunInput,
  type RunState,
  type RunSummary,
} from './runHandlers.ts'
export type { StoredResult } from './runStore.ts'
export { type SliceEvent, type SliceHandler, type SliceHandlerOptions, sliceHandler } from './sliceHandler.ts'
export type { SqsBatchResponse, SqsEvent, SqsMessage } from './sqsEvent.ts'
export { type SqsHandler, type SqsHandlerOptions, sqsHandler } from './sqsHandler.ts'
export { type StateMachineOptions, stateMachineDefinition } from './stateMachine.ts'
