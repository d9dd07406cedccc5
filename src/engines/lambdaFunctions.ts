// What Lambda calls; a program of its own, whose streams are the function's log.
import { finishHandler, prepareHandler } from './runHandlers.ts'
import { type SliceHandler, sliceHandler } from './sliceHandler.ts'
import { type SqsHandler, sqsHandler } from './sqsHandler.ts'

const onWarning = (text: string): void => console.warn(text)
const onMetrics = (line: string): void => console.log(line)

export const prepare: ReturnType<typeof prepareHandler> = prepareHandler()
export const slice: SliceHandler = sliceHandler({ onWarning, onMetrics })
export const finish: ReturnType<typeof finishHandler> = finishHandler()
export const queue: SqsHandler = sqsHandler({ onWarning, onMetrics, slice })
