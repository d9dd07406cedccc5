/** What Lambda hands over of a queue: the part of it that Headrace looks at. Other readers of queues can make it, too. */
export interface SqsEvent {
  readonly Records: readonly SqsMessage[]
}

export interface SqsMessage {
  readonly messageId: string
  readonly receiptHandle: string
  readonly body: string
  readonly eventSourceARN?: string | undefined
  readonly attributes?: { readonly MessageGroupId?: string | undefined } | undefined
}

/** Messages that shall come again; the others are deleted by whoever called. */
export interface SqsBatchResponse {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[]
}
