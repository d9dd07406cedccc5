import { HeadraceError } from '../runtime/headraceError.ts'

/** The embedded DynamoDB can not be started. The message says why and what to do. */
export class LocalError extends HeadraceError {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super('LOCAL', message, options)
  }
}
