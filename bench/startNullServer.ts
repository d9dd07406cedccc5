import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { NullServerCounts, NullServerMessage, NullServerOptions } from './nullServer.ts'
import { pinned, SERVER_CORE } from './pinned.ts'

export interface NullServer {
  readonly endpoint: string
  /** The certificate to trust, as a PEM file; with TLS only. */
  readonly caFile: string | undefined
  counts(): Promise<NullServerCounts>
  stop(): Promise<void>
}

const PROGRAM: string = fileURLToPath(new URL('./nullServer.js', import.meta.url))

/**
 * Starts the null server in a process of its own.
 *
 * @param cores that it may run on, where the machine lets us say; default one of its own
 */
export async function startNullServer(
  options: Partial<NullServerOptions> = {},
  cores: readonly number[] = [SERVER_CORE],
): Promise<NullServer> {
  const { command, args } = pinned(cores, {
    command: process.execPath,
    args: [PROGRAM, JSON.stringify(options)],
  })
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })

  const receive = async (kind: NullServerMessage['kind']): Promise<NullServerMessage> => {
    const settled = new AbortController()
    try {
      const [message] = (await Promise.race([
        once(child, 'message', { signal: settled.signal }),
        once(child, 'exit', { signal: settled.signal }).then(([code]) => {
          throw new Error(`the null server ended with ${code}`)
        }),
      ])) as [NullServerMessage]
      if (message.kind !== kind) throw new Error(`the null server sent ${message.kind} where ${kind} was expected`)
      return message
    } finally {
      settled.abort()
    }
  }

  const listening = await receive('listening')
  if (listening.kind !== 'listening') throw new Error('unreachable')
  return {
    endpoint: listening.endpoint,
    caFile: listening.caFile,
    async counts() {
      child.send('counts')
      const message = await receive('counts')
      if (message.kind !== 'counts') throw new Error('unreachable')
      return message.counts
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = once(child, 'exit')
      child.disconnect()
      await gone
    },
  }
}
