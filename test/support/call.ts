export interface CallAnswer {
  status: number
  headers: Headers
  bytes: Buffer
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes
  body: any
}

/** One unsigned request in DynamoDB's protocol, by the plainest client there is; throws what the network throws. */
export async function call(
  endpoint: string,
  operation: string,
  body: object,
  signal?: AbortSignal,
): Promise<CallAnswer> {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `DynamoDB_20120810.${operation}` },
    body: JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  })
  const bytes = Buffer.from(await response.arrayBuffer())
  return { status: response.status, headers: response.headers, bytes, body: JSON.parse(bytes.toString()) }
}
