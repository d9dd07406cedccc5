export interface CallAnswer {
  status: number
  headers: Headers
  bytes: Buffer
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes
  body: any
}

/** Stores want a signature to be there, and do not look at it. */
const MADE_UP =
  'AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0'

/** One request in DynamoDB's protocol, by the plainest client there is; throws what the network throws. */
export async function call(
  endpoint: string,
  operation: string,
  body: object,
  signal?: AbortSignal,
): Promise<CallAnswer> {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `DynamoDB_20120810.${operation}`,
      'x-amz-date': '20260101T000000Z',
      authorization: MADE_UP,
    },
    body: JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  })
  const bytes = Buffer.from(await response.arrayBuffer())
  return { status: response.status, headers: response.headers, bytes, body: JSON.parse(bytes.toString()) }
}
