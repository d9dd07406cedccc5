import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { LiveServer, type LiveServerOptions } from '../../src/cli/liveServer.ts'
import { livePage } from '../../src/report/livePage.ts'

/** More than a connection of the loopback interface takes for somebody who does not read. */
const LARGE = 14_000_000

function start(content: LiveServerOptions['content'], failures: unknown[] = []): Promise<LiveServer> {
  return LiveServer.start({
    port: 0,
    page: livePage(false),
    content,
    onWish: undefined,
    onFailure: (error) => failures.push(error),
  })
}

function follow(url: string): Socket {
  const { port, host, pathname } = new URL(url)
  const socket = connect(Number(port), '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(`GET ${pathname}events HTTP/1.1\r\nhost: ${host}\r\n\r\n`)
  return socket
}

function large(): ReturnType<LiveServerOptions['content']> {
  return { title: 't', state: 'running', sections: new Map([['facts', `${Math.random()}`.repeat(LARGE / 18)]]) }
}

test('who takes nothing of what is sent is let go of, and until then gets nothing more', async () => {
  const server = await start(large)
  const slow = follow(server.url)
  slow.pause()
  await once(slow, 'connect')
  const before = process.memoryUsage().external
  for (let shown = 0; shown < 30; shown += 1) {
    // Showing so much takes long, and the server rests from it.
    await wait(200)
    server.show()
  }
  slow.resume()
  await once(slow, 'close', { signal: AbortSignal.timeout(10_000) })
  assert.ok(slow.bytesRead > 0 && slow.bytesRead < 2 * LARGE, `${slow.bytesRead} bytes of what was shown thirty times`)
  assert.ok(process.memoryUsage().external - before < 4 * LARGE)
  await server.close()
})

test('it closes in half a second, whoever does not listen', async () => {
  const server = await start(large)
  const slow = follow(server.url)
  slow.pause()
  await once(slow, 'connect')
  await wait(200)
  const begunAt = performance.now()
  await server.close()
  const tookMs = performance.now() - begunAt
  assert.ok(tookMs > 400 && tookMs < 1_500, `${tookMs} ms`)
  slow.resume()
  await once(slow, 'close', { signal: AbortSignal.timeout(10_000) })
})

test('what cannot be shown is told of once, and ends nothing', async () => {
  const failures: unknown[] = []
  const server = await start(() => {
    throw new Error('the disk is gone')
  }, failures)
  const follower = follow(server.url)
  await once(follower, 'data', { signal: AbortSignal.timeout(10_000) })
  server.show()
  await wait(50)
  server.show()
  assert.deepEqual(
    failures.map((error) => (error as Error).message),
    ['the disk is gone'],
  )
  await server.close()
})
