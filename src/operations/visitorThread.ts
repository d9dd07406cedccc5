/** What the main thread and a thread with a visitor say to each other. */
export interface ThreadOrder {
  readonly module: string
  readonly visitTimeoutMs: number
  /** Per item of a batch, what its visit has come to: see {@link VISIT}. */
  readonly states: SharedArrayBuffer
  /** One number, which goes up whenever a visit begins or ends. */
  readonly progress: SharedArrayBuffer
}

/** Items in DynamoDB JSON. */
export interface ThreadBatch {
  readonly items: readonly string[]
}

/** `failed` is why the module can not be loaded. */
export type ThreadNews =
  | { readonly ready: true }
  | { readonly failed: string }
  | { readonly answers: readonly Answer[] }

/**
 * What came of an item of the batch: an edit as `editText` writes it, `delete`, or nothing; a fault of the visitor, or an edit
 * that is none.
 */
export interface Answer {
  readonly index: number
  readonly kind: 'edit' | 'delete' | 'nothing' | 'fault' | 'invalid'
  readonly text?: string | undefined
}

export const VISIT = { waiting: 0, underWay: 1, done: 2 } as const

/** Items that a thread is given at once. */
export const BATCH_MAX = 64
