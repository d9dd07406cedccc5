import assert from 'node:assert/strict'
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, connect as connectSocket, createServer, type Server, type Socket } from 'node:net'
import { test } from 'node:test'
import { generate } from 'selfsigned'
import { type ConnectOptions, connect, HeadraceError } from '../../src/index.ts'
import { answerHeaders, listen, operationOf, readBody } from '../support/httpExchange.ts'
import { type ScriptedServer, startScriptedServer } from '../support/scriptedServer.ts'

// Over real sockets, since the simulator's wire has none.

const TABLE = {
  Table: {
    TableName: 'things',
    TableStatus: 'ACTIVE',
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
  },
}

/** A table that takes everything, and counts how often it was given each key. */
async function startTable(): Promise<ScriptedServer & { readonly written: Map<string, number> }> {
  const written = new Map<string, number>()
  const server = await startScriptedServer(({ operation, body }) => {
    if (operation === 'DescribeTable') return { body: TABLE }
    for (const { PutRequest } of body.RequestItems.things) {
      const key = PutRequest.Item.pk.S
      written.set(key, (written.get(key) ?? 0) + 1)
    }
    return { body: { UnprocessedItems: {} } }
  })
  return Object.assign(server, { written })
}

async function publish(options: ConnectOptions, count = 100, maxInFlight = 25) {
  await using database = connect({ answerTimeoutMs: 400, ...options })
  await using publisher = database.table('things').publisher({ maxInFlight })
  for (let index = 0; index < count; index += 1) if (!publisher.put({ pk: `k${index}` })) await publisher.ready
  await publisher.close()
  return publisher.stats
}

type Harm = 'at once' | 'within the request' | 'within the answer' | 'none'

/** A way to a server that does harm to its first connections, one after another. */
async function startHarm(target: string, harms: Harm[], port = 0): Promise<{ server: Server; endpoint: string }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    const harm = harms.shift() ?? 'none'
    socket.on('error', () => undefined)
    if (harm === 'at once') {
      socket.resetAndDestroy()
      return
    }
    const behind = connectSocket(Number(new URL(target).port), '127.0.0.1')
    behind.on('error', () => undefined)
    for (const one of [socket, behind]) sockets.add(one)
    socket.on('data', (chunk) => {
      if (harm === 'within the request') socket.resetAndDestroy()
      else behind.write(chunk)
    })
    behind.on('data', (chunk) => {
      if (harm !== 'within the answer') {
        socket.write(chunk)
        return
      }
      socket.write(chunk.subarray(0, chunk.length - 5), () => socket.resetAndDestroy())
    })
    socket.on('close', () => behind.destroy())
    behind.on('close', () => socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', () => resolve()))
  server.on('close', () => {
    for (const socket of sockets) socket.destroy()
  })
  return { server, endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

test('connections reset before, during and after the body is sent: tried again, and what is unknown may be written twice', async () => {
  await using table = await startTable()
  const harms: Harm[] = ['none', 'at once', 'within the request', 'within the answer', 'within the answer', 'at once']
  const { server, endpoint } = await startHarm(table.endpoint, harms)
  try {
    // The first connection describes the table; then more and more batches go at once, each on a connection of its own.
    // On a busy machine an answer takes its time, and is no harm.
    const stats = await publish({ endpoint, answerTimeoutMs: 10_000 }, 5_000, 5_000)
    assert.equal(stats.stored, 5_000)
    assert.equal(table.written.size, 5_000)
    assert.deepEqual([stats.failedRequests, harms], [5, []])
    // What had arrived before the answer was lost has come twice.
    assert.ok([...table.written.values()].filter((times) => times === 2).length >= 50)
  } finally {
    server.close()
  }
})

test('a connection that is refused is tried again until somebody listens', async () => {
  await using table = await startTable()
  const { server: taken, endpoint } = await startHarm(table.endpoint, [])
  const port = Number(new URL(endpoint).port)
  await new Promise((resolve) => taken.close(resolve))
  const publishing = publish({ endpoint })
  await new Promise((resolve) => setTimeout(resolve, 300))
  const { server } = await startHarm(table.endpoint, [], port)
  try {
    assert.equal((await publishing).stored, 100)
    assert.equal(table.written.size, 100)
    assert.ok([...table.written.values()].every((times) => times === 1))
  } finally {
    server.close()
  }
})

test('a half-open socket is given up after one timeout and never used again', async () => {
  const held: Socket[] = []
  let silent = 0
  const server = createHttpServer(async (request, response) => {
    await readBody(request)
    if (operationOf(request) !== 'DescribeTable' && silent < 3) {
      silent += 1
      held.push(request.socket)
      return
    }
    assert.ok(!held.includes(request.socket), 'a socket that went silent was used again')
    const body = Buffer.from(
      JSON.stringify(operationOf(request) === 'DescribeTable' ? TABLE : { UnprocessedItems: {} }),
    )
    response.writeHead(200, answerHeaders(body, 'ONE')).end(body)
  })
  const endpoint = await listen(server)
  try {
    const startedAt = performance.now()
    const stats = await publish({ endpoint })
    assert.deepEqual([stats.stored, stats.failedRequests, silent], [100, 3, 3])
    assert.ok(performance.now() - startedAt < 3 * 400 + 2_000)
    assert.ok(
      held.every(({ destroyed, readableEnded }) => destroyed || readableEnded),
      'each was closed by the client',
    )
  } finally {
    end(server)
  }
})

test('a body that stalls half-way is a timeout, and the request goes again', async () => {
  let stalled = 0
  const server = createHttpServer(async (request, response) => {
    await readBody(request)
    const body = Buffer.from(
      JSON.stringify(operationOf(request) === 'DescribeTable' ? TABLE : { UnprocessedItems: {} }),
    )
    response.writeHead(200, answerHeaders(body, 'ONE'))
    if (operationOf(request) === 'DescribeTable' || stalled === 2) response.end(body)
    else {
      stalled += 1
      response.write(body.subarray(0, 5))
    }
  })
  const endpoint = await listen(server)
  try {
    const stats = await publish({ endpoint })
    assert.deepEqual([stats.stored, stats.failedRequests, stalled], [100, 2, 2])
  } finally {
    end(server)
  }
})

test('a wrong CRC32 header: the request goes again, and is counted', async () => {
  let wrong = 0
  await using server = await startScriptedServer(({ operation }) => {
    if (operation === 'DescribeTable') return { body: TABLE }
    wrong += 1
    const headers: Record<string, string> = wrong <= 3 ? { 'x-amz-crc32': '12345' } : {}
    return { body: { UnprocessedItems: {} }, headers }
  })
  const stats = await publish({ endpoint: server.endpoint })
  assert.deepEqual([stats.stored, stats.failedRequests, wrong], [100, 3, 7])
})

for (const [what, name, days, trusted] of [
  ['that nobody has signed', 'localhost', [-1, 10], false],
  ['of another host', 'example.com', [-1, 10], true],
  ['that has expired', 'localhost', [-10, -1], true],
] as const) {
  test(`a certificate ${what}: fatal at once, never tried again`, async () => {
    const day = (offset: number): Date => new Date(Date.now() + offset * 86_400_000)
    const made = await generate([{ name: 'commonName', value: name }], {
      notBeforeDate: day(days[0]),
      notAfterDate: day(days[1]),
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: name }] }],
    })
    let connections = 0
    const server = createHttpsServer({ key: made.private, cert: made.cert }, (_, response) => response.end('{}'))
    server.on('connection', () => {
      connections += 1
    })
    server.on('tlsClientError', () => undefined)
    const plain = await listen(server as unknown as HttpServer)
    try {
      const endpoint = plain.replace('http://127.0.0.1', 'https://localhost')
      const startedAt = performance.now()
      await assert.rejects(
        publish({ endpoint, ...(trusted ? { certificateAuthority: made.cert } : {}) }),
        (error: unknown) => {
          assert.ok(error instanceof HeadraceError)
          assert.equal(error.code, 'UNREACHABLE')
          assert.match(error.message, /certificate is not trusted.*NODE_EXTRA_CA_CERTS/)
          return true
        },
      )
      assert.ok(performance.now() - startedAt < 1_500)
      assert.equal(connections, 1)
    } finally {
      end(server as unknown as HttpServer)
    }
  })
}

function end(server: HttpServer): void {
  server.close()
  server.closeAllConnections()
}
