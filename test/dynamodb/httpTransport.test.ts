import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import dns from 'node:dns'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TLSSocket } from 'node:tls'
import { promisify } from 'node:util'
import { generate } from 'selfsigned'
import { HttpTransport, type HttpTransportOptions } from '../../src/dynamodb/httpTransport.ts'
import type { TransportAnswer, TransportFailure } from '../../src/dynamodb/transport.ts'
import { type Clock, systemClock } from '../../src/runtime/clock.ts'
import { TcpProxy } from '../support/tcpProxy.ts'

const TIMEOUT_MS = 700

type End = TransportAnswer | TransportFailure

function send(transport: HttpTransport, body: Buffer = Buffer.from('{}')): Promise<End> {
  return new Promise((resolve) => {
    transport.send(['host', 'here'], body, {
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
  server.keepAliveTimeout = 600_000
  server.listen(port, host)
  await once(server, 'listening')
  return server
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

/** A test of what must end ends itself. */
const BOUNDED = { timeout: 20_000 }

async function withProxy(
  more: Partial<HttpTransportOptions>,
  use: (transport: HttpTransport, proxy: TcpProxy) => Promise<void>,
): Promise<void> {
  // Each answer takes a while, so that so many requests at once are so many connections.
  const server = await startServer('hello', '127.0.0.1', 0, 20)
  try {
    await using proxy = await TcpProxy.start({ targetPort: portOf(server), seed: 1 })
    const transport = new HttpTransport({
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

test(
  'of connections that all went half-open while they were idle, one request waits for its timeout, and only once',
  BOUNDED,
  async () => {
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
  },
)

test('connections that were heard of while a request waited in vain are kept', BOUNDED, async () => {
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

test('a reset says nothing of other connections', BOUNDED, async () => {
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

test(
  'a connection lives for four to five minutes, and those that were opened together are not renewed together',
  BOUNDED,
  async () => {
    const clock = shiftedClock()
    // However long none of them is used.
    await withProxy({ clock, answerTimeoutMs: 600_000 }, async (transport, proxy) => {
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
  },
)

test('within five minutes what is sent goes to the address that the name now stands for', BOUNDED, async (context) => {
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
  const transport = new HttpTransport({ endpoint: `http://db.example:${portOf(before)}`, clock })
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

/** A server that is told each byte it gets, and says whatever the test likes. */
async function withRawServer(
  onData: (socket: Socket, data: Buffer, connection: number) => void,
  use: (transport: HttpTransport, connections: Socket[]) => Promise<void>,
  more: Partial<HttpTransportOptions> = {},
): Promise<void> {
  const connections: Socket[] = []
  const server = createTcpServer((socket) => {
    const connection = connections.push(socket)
    socket.on('error', () => undefined)
    socket.on('data', (data) => onData(socket, data, connection))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const transport = new HttpTransport({ endpoint, clock: systemClock, answerTimeoutMs: TIMEOUT_MS, ...more })
  try {
    await use(transport, connections)
  } finally {
    await transport.close()
    for (const socket of connections) socket.destroy()
    server.close()
  }
}

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}'

test('a request is one POST with its length, and its bytes arrive as they are, small and large', BOUNDED, async () => {
  const received: { headers: unknown; body: Buffer }[] = []
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece)
    received.push({ headers: request.headers, body: Buffer.concat(pieces) })
    response.end(Buffer.concat(pieces))
  })
  server.listen(0, '::1')
  await once(server, 'listening')
  // Names of IPv6 stand in brackets.
  const transport = new HttpTransport({ endpoint: `http://[::1]:${portOf(server)}`, clock: systemClock })
  try {
    for (const bytes of [0, 1, 65_535, 65_536, 65_537, 16_000_000]) {
      const body = Buffer.alloc(bytes, 'item')
      const end = await send(transport, body)
      assertAnswered(end)
      assert.ok('body' in end && end.body.equals(body), `${bytes} bytes`)
      const last = received.pop()!
      assert.deepEqual(last.headers, { host: 'here', 'content-length': `${bytes}` })
      assert.ok(last.body.equals(body))
    }
  } finally {
    await transport.close()
    server.close()
  }
})

test(
  'a connection that the server closes, or says it will close, is not used again, and no request is lost to it',
  BOUNDED,
  async () => {
    const ways = [
      (socket: Socket) => void socket.end(ANSWER.replace('\r\n', '\r\nConnection: close\r\n')),
      (socket: Socket) => void socket.write(ANSWER.replace('\r\n', '\r\nConnection: close\r\n')),
      (socket: Socket) => void socket.end(ANSWER),
      (socket: Socket) => void socket.end('HTTP/1.0 200 OK\r\n\r\n{}'),
      // What it goes on to say is no answer to anything.
      (socket: Socket) => void socket.write(`${ANSWER}HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n`),
      (socket: Socket) => {
        socket.write(ANSWER)
        setTimeout(() => socket.write('HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n'), 5)
      },
    ]
    for (const way of ways) {
      await withRawServer(way, async (transport, connections) => {
        for (let count = 1; count <= 3; count += 1) {
          assertAnswered(await send(transport))
          await sleep(20)
          assert.equal(connections.length, count)
        }
      })
    }
  },
)

test('a connection is not used when the server is about to close it, by its own account', BOUNDED, async () => {
  const clock = shiftedClock()
  const way = (socket: Socket) => void socket.write(ANSWER.replace('\r\n', '\r\nKeep-Alive: timeout=5\r\n'))
  await withRawServer(
    way,
    async (transport, connections) => {
      for (const [atMs, opened] of [
        [0, 1],
        [2_500, 1],
        [5_000, 1],
        [8_200, 2],
      ] as const) {
        clock.shiftMs = atMs
        assertAnswered(await send(transport))
        assert.equal(connections.length, opened, `after ${atMs} ms`)
      }
    },
    { clock, answerTimeoutMs: 600_000 },
  )
})

test('who answers before the request is read gets no other on that connection', BOUNDED, async () => {
  const refusal = 'HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n'
  const way = (socket: Socket, _data: Buffer, connection: number) => {
    if (connection > 1) return
    socket.pause()
    socket.write(refusal)
  }
  await withRawServer(way, async (transport, connections) => {
    const end = await send(transport, Buffer.alloc(32 << 20))
    assert.ok('status' in end && end.status === 413)
    void send(transport)
    await sleep(100)
    assert.equal(connections.length, 2)
  })
})

test('what is no HTTP ends as a reset, in words', BOUNDED, async () => {
  await withRawServer(
    (socket) => void socket.write('SSH-2.0-OpenSSH_9.6\r\n\r\n'),
    async (transport) => {
      const end = await send(transport)
      assert.ok('kind' in end && end.kind === 'reset')
      assert.match(end.message, /is not HTTP\/1\.1: it starts with "SSH-2\.0/)
    },
  )
})

test('an answer that ends early is a reset, one that stops a timeout', BOUNDED, async () => {
  for (const [way, kind, message] of [
    [(socket: Socket) => void socket.end(), 'reset', 'the server closed the connection'],
    [(socket: Socket) => void socket.end(ANSWER.slice(0, -1)), 'reset', 'the server closed the connection'],
    [(socket: Socket) => void socket.write(ANSWER.slice(0, -1)), 'timeout', 'the answer ended early'],
    [(socket: Socket) => void socket.write('HTTP/1.1 200'), 'timeout', 'the answer ended early'],
    [() => undefined, 'timeout', 'no answer in time'],
  ] as const) {
    await withRawServer(way, async (transport) => {
      const end = await send(transport)
      assert.deepEqual('kind' in end && [end.kind, end.message], [kind, message])
    })
  }
})

test(
  'an abort ends the request as closed and its connection with it, and a late one harms nobody',
  BOUNDED,
  async () => {
    await withRawServer(
      (socket, _data, connection) => void (connection === 1 || socket.write(ANSWER)),
      async (transport, connections) => {
        let abort = (): void => undefined
        const promise = new Promise<End>((resolve) => {
          abort = transport.send(['host', 'here'], Buffer.from('{}'), { onAnswer: resolve, onFailure: resolve })
        })
        while (connections.length === 0) await sleep(5)
        abort()
        const end = await promise
        assert.ok('kind' in end && end.kind === 'closed')
        let late = (): void => undefined
        const first = new Promise<End>((resolve) => {
          late = transport.send(['host', 'here'], Buffer.from('{}'), { onAnswer: resolve, onFailure: resolve })
        })
        assertAnswered(await first)
        // Another is on its connection by now.
        const second = send(transport)
        late()
        assertAnswered(await second)
        assert.equal(connections.length, 2)
      },
    )
  },
)

test(
  'a server that takes connections and never shows who it is: no connection in time, and nothing was sent',
  BOUNDED,
  async () => {
    const received: Buffer[] = []
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined)
      socket.on('data', (data) => received.push(data))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const endpoint = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
    const transport = new HttpTransport({ endpoint, clock: systemClock, connectTimeoutMs: 200 })
    try {
      const end = await send(transport)
      assert.ok('kind' in end && end.kind === 'connect')
      assert.match(end.message, /^no connection to 127\.0\.0\.1:\d+ in time$/)
      assert.ok(!Buffer.concat(received).includes('POST'))
    } finally {
      await transport.close()
      server.close()
    }
  },
)

test(
  'over TLS: the name is checked, later connections take up the session of the first, and all are released',
  BOUNDED,
  async () => {
    const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }], {
      keySize: 2048,
      algorithm: 'sha256',
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
    })
    const reused: boolean[] = []
    let requests = 0
    const server = createHttpsServer({ key, cert }, async (request, response) => {
      requests += 1
      request.resume()
      await sleep(20)
      response.end('hello')
    })
    server.on('secureConnection', (socket: TLSSocket) => reused.push(socket.isSessionReused()))
    server.listen(0, 'localhost')
    await once(server, 'listening')
    const options = { clock: systemClock, certificateAuthority: cert }
    const transport = new HttpTransport({ endpoint: `https://localhost:${portOf(server)}`, ...options })
    try {
      assertAnswered(await send(transport))
      for (const end of await Promise.all([send(transport), send(transport), send(transport)])) assertAnswered(end)
      assert.deepEqual(reused, [false, true, true])
      assert.equal(requests, 4)
      const stranger = new HttpTransport({ endpoint: `https://localhost:${portOf(server)}`, clock: systemClock })
      const end = await send(stranger)
      assert.ok('kind' in end && end.kind === 'certificate')
      await stranger.close()
      assert.equal(requests, 4, 'nothing is said to a server that is not trusted')
    } finally {
      await transport.close()
      server.close()
      // Nobody holds it open.
      await once(server, 'close')
    }
  },
)

test('idle connections do not keep a process alive', BOUNDED, async () => {
  const server = await startServer('hello', '127.0.0.1')
  const program = `
    import { HttpTransport } from ${JSON.stringify(new URL('../../src/dynamodb/httpTransport.js', import.meta.url).href)}
    import { systemClock } from ${JSON.stringify(new URL('../../src/runtime/clock.js', import.meta.url).href)}
    const transport = new HttpTransport({ endpoint: 'http://127.0.0.1:${portOf(server)}', clock: systemClock })
    const told = (end) => console.log(end.status)
    transport.send(['host', 'here'], Buffer.from('{}'), { onAnswer: told, onFailure: told })`
  try {
    const run = promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], { timeout: 8_000 })
    assert.equal((await run).stdout, '200\n')
  } finally {
    server.closeAllConnections()
    server.close()
  }
})

test('a request that is long on its way is waited for longer than an answer, and not for ever', BOUNDED, async () => {
  // More than the buffers of both ends hold.
  const body = Buffer.alloc(24 << 20)
  for (const reads of [true, false]) {
    const begin = performance.now()
    let received = 0
    const way = (socket: Socket, data: Buffer) => {
      if (received === 0) {
        socket.pause()
        if (reads) setTimeout(() => socket.resume(), 800)
      }
      received += data.length
      if (received > body.length) socket.write(ANSWER)
    }
    await withRawServer(
      way,
      async (transport) => {
        const end = await send(transport, body)
        if (reads) assertAnswered(end)
        else assert.deepEqual('kind' in end && [end.kind, end.message], ['timeout', 'no answer in time'])
        assert.ok(performance.now() - begin >= (reads ? 800 : 1_200))
      },
      // Six times as long is ample time for the bytes on a busy machine, too.
      { answerTimeoutMs: reads ? 600 : 200 },
    )
  }
})
