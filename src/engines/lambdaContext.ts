/** What Lambda tells a handler of its invocation: the part of it that Headrace looks at. */
export interface LambdaContext {
  readonly awsRequestId: string
  /** Milliseconds until the invocation is ended. */
  getRemainingTimeInMillis(): number
}
