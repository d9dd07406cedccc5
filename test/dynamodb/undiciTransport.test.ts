import assert from 'node:assert/strict'
import dns from 'node:dns'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TransportAnswer, TransportFailure } from '../../src/dynamodb/transport.ts'
import { UndiciTransport, type UndiciTransportOptions } from '../../src/dynamodb/undiciTransport.ts'
import { type Clock, systemClock } from '../../src/runtime/clock.ts'
import { TcpProxy } from '../support/tcpProxy.ts'

/** undici looks at its timeouts about each half second, and at short ones more exactly. */
const TIMEOUT_MS = 700

type End = TransportAnswer | TransportFailure

function send(transport: UndiciTransport): Promise<End> {
  return new Promise((resolve) => {
    transport.send(['host', 'here', 'content-length', '2'], Buffer.from('{}'), {
      onAnswer: resolve,
      onFailure: resolve,
    })
  })
}

/** A server that says its name after a while, and keeps idle connections for long. */
async function startServer(name: string, host: string, port = 0, answerMs = 0): Promise<Server> {
  const server = createServer(async (request, response) => {
    request.resume()
    if (answerMs > 0) await sleep(answerMs)
    response.end(name)
  })
  server.keepAliveTimeout = 60_000
  server.listen(port, host)
  await once(server, 'listening')
  return server
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

async function withProxy(
  more: Partial<UndiciTransportOptions>,
  use: (transport: UndiciTransport, proxy: TcpProxy) => Promise<void>,
): Promise<void> {
  // Each answer takes a while, so that so many requests at once are so many connections.
  const server = await startServer('hello', '127.0.0.1', 0, 20)
  try {
    await using proxy = await TcpProxy.start({ targetPort: portOf(server), seed: 1 })
    const transport = new UndiciTransport({
      endpoint: `http://127.0.0.1:${proxy.port}`,
      clock: systemClock,
      answerTimeoutMs: TIMEOUT_MS,
      ...more,
    })
    try {
      await use(transport, proxy)
    } finally {
      await transport.close()
    }
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

async function happens(proxy: TcpProxy, kind: 'half-open' | 'reset'): Promise<void> {
  proxy.play([{ atMs: 0, kind }])
  await sleep(20)
}

function assertAnswered(end: End): void {
  assert.ok('status' in end, 'kind' in end ? `${end.kind}: ${end.message}` : '')
  assert.equal(end.status, 200)
}

test('of connections that all went half-open while they were idle, one request waits for its timeout, and only once', async () => {
  await withProxy({}, async (transport, proxy) => {
    for (const end of await Promise.all(Array.from({ length: 8 }, () => send(transport)))) assertAnswered(end)
    assert.equal(proxy.counts.connections, 8)
    await happens(proxy, 'half-open')
    assert.equal(proxy.counts.halfOpen, 8)
    const failure = await send(transport)
    assert.ok('kind' in failure && failure.kind === 'timeout', JSON.stringify(failure))
    const begin = performance.now()
    // More than one: not only the next connection of those that are idle may be a live one.
    for (const end of await Promise.all(Array.from({ length: 4 }, () => send(transport)))) assertAnswered(end)
    assert.ok(performance.now() - begin < TIMEOUT_MS / 2, `${performance.now() - begin} ms`)
    assert.equal(proxy.counts.connections, 12)
  })
})

test('connections that were heard of while a request waited in vain are kept', async () => {
  await withProxy({}, async (transport, proxy) => {
    assertAnswered(await send(transport))
    await happens(proxy, 'half-open')
    let waits = true
    const waiting = send(transport).finally(() => {
      waits = false
    })
    // Another is in use all the time, and well.
    while (waits) assertAnswered(await send(transport))
    const failure = await waiting
    assert.ok('kind' in failure && failure.kind === 'timeout')
    assert.equal(proxy.counts.connections, 2)
    assertAnswered(await send(transport))
    assert.equal(proxy.counts.connections, 2)
  })
})

test('a reset says nothing of other connections', async () => {
  await withProxy({}, async (transport, proxy) => {
    for (const end of await Promise.all([send(transport), send(transport)])) assertAnswered(end)
    proxy.faults = { resetShare: 1 }
    const failure = await send(transport)
    assert.ok('kind' in failure && failure.kind === 'reset')
    proxy.faults = {}
    assertAnswered(await send(transport))
    assert.equal(proxy.counts.connections, 2)
  })
})

/** The machine's clock, which a test may put forward. */
function shiftedClock(): Clock & { shiftMs: number } {
  return {
    shiftMs: 0,
    now() {
      return systemClock.now() + this.shiftMs
    },
    wallNow: () => systemClock.wallNow(),
    setTimer: (callback, delayMs) => systemClock.setTimer(callback, delayMs),
  }
}

test('a connection lives for four to five minutes, and those that were opened together are not renewed together', async () => {
  const clock = shiftedClock()
  await withProxy({ clock }, async (transport, proxy) => {
    const round = async () => {
      for (const end of await Promise.all(Array.from({ length: 16 }, () => send(transport)))) assertAnswered(end)
      return proxy.counts.connections
    }
    assert.equal(await round(), 16)
    clock.shiftMs = 230_000
    assert.equal(await round(), 16)
    clock.shiftMs = 270_000
    const half = await round()
    assert.ok(half >= 21 && half <= 27, `${half} connections`)
    clock.shiftMs = 300_000
    assert.equal(await round(), 32)
  })
})

test('within five minutes what is sent goes to the address that the name now stands for', async (context) => {
  const before = await startServer('before', '127.0.0.1')
  // A second address of this machine; not every system has one.
  const after = await startServer('after', '127.0.0.2', portOf(before)).catch(() => undefined)
  if (after === undefined) {
    before.close()
    context.skip('this machine has no address 127.0.0.2')
    return
  }
  const { lookup } = dns
  let address = '127.0.0.1'
  const clock = shiftedClock()
  const transport = new UndiciTransport({ endpoint: `http://db.example:${portOf(before)}`, clock })
  const told = async (): Promise<string> => {
    const end = await send(transport)
    return 'body' in end ? end.body.toString() : end.message
  }
  try {
    dns.lookup = ((_host: string, options: { all?: boolean }, then: (...told: unknown[]) => void) =>
      options.all === true ? then(null, [{ address, family: 4 }]) : then(null, address, 4)) as typeof dns.lookup
    assert.equal(await told(), 'before')
    address = '127.0.0.2'
    assert.equal(await told(), 'before', 'the connection is still good')
    clock.shiftMs = 300_000
    assert.equal(await told(), 'after')
  } finally {
    dns.lookup = lookup
    await transport.close()
    for (const server of [before, after]) {
      server.closeAllConnections()
      server.close()
    }
  }
})
