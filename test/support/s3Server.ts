import { type FauxqsServer, startFauxqs } from 'fauxqs'

/** An S3 server on this machine, with one bucket; what it takes to reach it is in the environment while it runs. */
export interface S3Server extends AsyncDisposable {
  readonly endpoint: string
  readonly bucket: string
  readonly environment: { readonly [name: string]: string }
}

export async function startS3Server(): Promise<S3Server> {
  const server: FauxqsServer = await startFauxqs({ port: 0, logger: false })
  const bucket = 'headrace-test'
  server.createBucket(bucket)
  const endpoint = server.address
  const environment = {
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  }
  Object.assign(process.env, environment)
  return { endpoint, bucket, environment, [Symbol.asyncDispose]: () => server.stop() }
}
