import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { TcpProxy } from './tcpProxy.ts'

/** A server that sends everything back, with a proxy before it. */
async function withEcho(use: (proxy: TcpProxy) => Promise<void>): Promise<void> {
  const server = createServer((socket) => void socket.on('error', () => undefined).pipe(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    await using proxy = await TcpProxy.start({ targetPort: (server.address() as AddressInfo).port, seed: 1 })
    await use(proxy)
  } finally {
    server.close()
  }
}

async function echo(proxy: TcpProxy, text: string): Promise<string> {
  const socket = connect(proxy.port, '127.0.0.1')
  socket.end(text)
  const pieces: Buffer[] = []
  for await (const piece of socket) pieces.push(piece)
  return Buffer.concat(pieces).toString()
}

test('bytes arrive whole and in order, through latency, slices and little bandwidth', async () => {
  await withEcho(async (proxy) => {
    const text = Array.from({ length: 4_000 }, (_, index) => `${index},`).join('')
    proxy.faults = { latencyMs: 5, bytesPerSecond: 200_000, sliceShare: 1 }
    const begin = performance.now()
    assert.ok((await echo(proxy, text)) === text)
    assert.ok(performance.now() - begin > 150)
    assert.ok(proxy.counts.sliced > 0)
  })
})

test('resets are resets', async () => {
  await withEcho(async (proxy) => {
    proxy.faults = { resetShare: 1 }
    await assert.rejects(echo(proxy, 'x'), /ECONNRESET/)
    assert.equal(proxy.counts.reset, 1)
  })
})

test('half-open connections say nothing, new ones work; refused ones are refused for a while', async () => {
  await withEcho(async (proxy) => {
    const socket = connect(proxy.port, '127.0.0.1')
    let heard = ''
    socket.setEncoding('utf8').on('data', (text: string) => {
      heard += text
    })
    socket.write('a')
    await once(socket, 'data')
    proxy.play([
      { atMs: 0, kind: 'half-open' },
      { atMs: 100, kind: 'refused', forMs: 200 },
    ])
    await sleep(30)
    socket.write('b')
    assert.equal(await echo(proxy, 'c'), 'c')
    assert.equal(heard, 'a')
    assert.equal(socket.readyState, 'open')
    socket.on('error', () => undefined)
    await sleep(100)
    await assert.rejects(echo(proxy, 'd'), /ECONNREFUSED/)
    await sleep(300)
    assert.equal(await echo(proxy, 'e'), 'e')
    assert.deepEqual([proxy.counts.halfOpen, proxy.counts.refusedPeriods], [1, 1])
  })
})
