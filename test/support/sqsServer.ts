import { type FauxqsServer, startFauxqs } from 'fauxqs'
import './localhostNames.ts'

const NAMES = new URL('./localhostNames.js', import.meta.url).href

/** A server of queues on this machine; what it takes to reach it is in the environment while it runs, and for other processes here. */
export interface SqsServer extends AsyncDisposable {
  readonly environment: { readonly [name: string]: string }
  /** A queue, from which a message goes to another after three times in vain. */
  newQueue(seconds: number, isFifo?: boolean): TestQueue
}

export interface TestQueue {
  readonly url: string
  /** Messages that nobody has, and that somebody has, and that were given up. */
  readonly counts: { readonly ready: number; readonly inflight: number; readonly dead: number }
  /** Bodies of those that were given up. */
  readonly dead: readonly string[]
}

/** Times that a message is received before it is given up. */
export const RECEIVES_MAX = 3

export async function startSqsServer(): Promise<SqsServer> {
  const server: FauxqsServer = await startFauxqs({ port: 0, logger: false })
  server.createBucket('headrace-test')
  const environment = {
    AWS_ENDPOINT_URL_S3: server.address,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  }
  Object.assign(process.env, environment)
  const ofChildren = { ...environment, NODE_OPTIONS: `--import ${NAMES}` }
  let queues = 0
  const newQueue = (seconds: number, isFifo = false): TestQueue => {
    queues += 1
    const ending = isFifo ? '.fifo' : ''
    const fifo: Record<string, string> = isFifo ? { FifoQueue: 'true' } : {}
    const deadName = `dead${queues}${ending}`
    const name = `queue${queues}${ending}`
    const { queueArn } = server.createQueue(deadName, { attributes: fifo })
    const { queueUrl } = server.createQueue(name, {
      attributes: {
        ...fifo,
        VisibilityTimeout: `${seconds}`,
        RedrivePolicy: JSON.stringify({ deadLetterTargetArn: queueArn, maxReceiveCount: RECEIVES_MAX }),
      },
    })
    return {
      url: queueUrl,
      get counts() {
        const { ready, delayed, inflight } = server.inspectQueue(name)!.messages
        return { ready: ready.length + delayed.length, inflight: inflight.length, dead: this.dead.length }
      },
      get dead() {
        return server.inspectQueue(deadName)!.messages.ready.map(({ body }) => body)
      },
    }
  }
  return { environment: ofChildren, newQueue, [Symbol.asyncDispose]: () => server.stop() }
}
