import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Credentials, connect, HeadraceError } from '../../src/index.ts'
import { headrace, scratchDirectory } from '../e2e/command.ts'
import { newTable, store } from '../support/store.ts'

const BOUNDED = { timeout: 40_000 }
const KEYS: Credentials = { accessKeyId: 'key', secretAccessKey: 'secret' }

function never(): Promise<Credentials> {
  return new Promise(() => undefined)
}

/** Gives credentials that are about to expire, and from its second call on nothing. */
function onceOnly(): () => Promise<Credentials> {
  let asked = 0
  return async () => {
    asked += 1
    return asked === 1 ? { ...KEYS, expiration: new Date(Date.now() + 11_000) } : never()
  }
}

function isCode(...codes: string[]): (error: unknown) => boolean {
  return (error) => error instanceof HeadraceError && codes.includes(error.code)
}

test('C3: with a credentials provider that never answers close() ends by the patience', BOUNDED, async () => {
  const { name } = await newTable()
  await using database = connect({ endpoint: store.endpoint, credentials: never })
  const publisher = database.table(name).publisher({ patienceMs: 1_000 })
  publisher.put({ id: 'a' })
  await assert.rejects(publisher.close(), isCode('CREDENTIALS', 'NO_PROGRESS'))
})

test('C3: with a credentials provider that never answers destroy() ends close()', BOUNDED, async () => {
  const { name } = await newTable()
  await using database = connect({ endpoint: store.endpoint, credentials: never })
  const publisher = database.table(name).publisher()
  publisher.put({ id: 'a' })
  const closed = assert.rejects(publisher.close(), isCode('CLOSED'))
  await sleep(50)
  publisher.destroy()
  await closed
})

for (const [name, provider] of [
  ['never answers', never],
  ['hangs at its second call', onceOnly()],
] as const) {
  test(`C3, E1: with a credentials provider that ${name} db.close() ends every wait`, BOUNDED, async () => {
    const table = await newTable()
    const database = connect({ endpoint: store.endpoint, credentials: provider })
    const publisher = database.table(table.name).publisher()
    if (name !== 'never answers') {
      publisher.put({ id: 'first' })
      await publisher.flush()
      // From now on what is there expires too soon to be used.
      await sleep(1_500)
    }
    publisher.put({ id: 'a' })
    const ends = [
      assert.rejects(publisher.close(), isCode('CLOSED')),
      assert.rejects(database.table(table.name).get({ id: 'a' }), isCode('CLOSED')),
      assert.rejects(async () => {
        for await (const _ of database.table(table.name).scan({ segments: 1 })) assert.fail('it has no credentials')
      }, isCode('CLOSED')),
    ]
    await sleep(100)
    await database.close()
    await Promise.all(ends)
  })
}

/** Who has ended and whom nobody has asked for yet still has a number, but runs nothing. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !existsSync(`/proc/${pid}/stat`) || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

/** A profile whose `credential_process` runs this script, which is told its own directory. */
function profileWith(directory: string, script: string): { readonly [name: string]: string } {
  const path = join(directory, 'provide.mjs')
  writeFileSync(path, script)
  const config = join(directory, 'config')
  writeFileSync(
    config,
    `[profile hanging]\nregion = us-east-1\ncredential_process = ${process.execPath} ${path} ${directory}\n`,
  )
  return { AWS_CONFIG_FILE: config, AWS_SHARED_CREDENTIALS_FILE: join(directory, 'none'), AWS_PROFILE: 'hanging' }
}

/** Notes its process, gives credentials that last 12 s, and hangs when it is asked again. */
const HANGS_LATER = `
import { appendFileSync, existsSync } from 'node:fs'
const file = process.argv[2] + '/asked'
const again = existsSync(file)
appendFileSync(file, process.pid + '\\n')
if (again) setInterval(() => {}, 1000)
else console.log(JSON.stringify({ Version: 1, AccessKeyId: 'key', SecretAccessKey: 'secret', SessionToken: 't',
  Expiration: new Date(Date.now() + 12_000).toISOString() }))
`

test(
  'E1: a credential_process that hangs at its second call, then Ctrl-C: the process and its child leave',
  BOUNDED,
  async () => {
    using directory = scratchDirectory()
    const { name } = await newTable()
    const environment = profileWith(directory.path, HANGS_LATER)
    writeFileSync(
      join(directory.path, 'items.jsonl'),
      Array.from({ length: 50_000 }, (_, index) => `{"id":"k${index}"}\n`).join(''),
    )
    let stoppedAt = 0
    const end = await headrace(
      ['load', name, 'items.jsonl', '--endpoint-url', store.endpoint, '--rate', '100', '--job', 'job'],
      {
        directory: directory.path,
        environment,
        lifeMs: 35_000,
        onStart: async (child) => {
          const asked = join(directory.path, 'asked')
          while (!existsSync(asked) || readFileSync(asked, 'utf8').split('\n').length < 3) await sleep(50)
          // Until the credentials that it has are used up.
          await sleep(3_000)
          stoppedAt = performance.now()
          child.kill('SIGINT')
        },
      },
    )
    assert.equal(end.signal, null, `it had to be killed: ${end.stderr}`)
    assert.notEqual(end.code, 0)
    assert.ok(performance.now() - stoppedAt < 20_000, end.stderr)
    const [, second] = readFileSync(join(directory.path, 'asked'), 'utf8').split('\n')
    await sleep(200)
    assert.ok(!isRunning(Number(second)), 'the credential_process lives on')
  },
)

test('C10: why a credential_process fails is said, with what it wrote', BOUNDED, async () => {
  using directory = scratchDirectory()
  const { name } = await newTable()
  const environment = profileWith(directory.path, `console.error('the vault is sealed'); process.exit(3)`)
  const end = await headrace(['table', 'describe', name, '--endpoint-url', store.endpoint], {
    directory: directory.path,
    environment,
  })
  assert.equal(end.code, 4, end.stderr)
  assert.match(end.stderr, /credential_process ".*provide\.mjs.*" failed with exit status 3: the vault is sealed/)
})

test('C10: a profile that is not there is named, with those that are', BOUNDED, async () => {
  using directory = scratchDirectory()
  const { name } = await newTable()
  const environment = { ...profileWith(directory.path, ''), AWS_PROFILE: undefined }
  const end = await headrace(['table', 'describe', name, '--profile', 'nosuch', '--endpoint-url', store.endpoint], {
    directory: directory.path,
    environment,
  })
  assert.equal(end.code, 4, end.stderr)
  assert.match(end.stderr, /there is no profile "nosuch" in .*config.*Known profiles: hanging/)
})

test('C10: an endpoint of this machine in the profile needs no region and no account', BOUNDED, async () => {
  using directory = scratchDirectory()
  const { name } = await newTable()
  const config = join(directory.path, 'config')
  const sso =
    'sso_start_url = https://corp.example\nsso_region = us-east-1\nsso_account_id = 123456789012\nsso_role_name = r\n'
  writeFileSync(config, `[profile local]\nendpoint_url = ${store.endpoint}\n[profile expired]\n${sso}`)
  const environment = { AWS_CONFIG_FILE: config, AWS_SHARED_CREDENTIALS_FILE: join(directory.path, 'none') }
  for (const args of [
    ['--profile', 'local'],
    ['--profile', 'expired', '--endpoint-url', store.endpoint],
  ]) {
    const end = await headrace(['table', 'describe', name, ...args], { directory: directory.path, environment })
    assert.equal(end.code, 0, end.stderr)
  }
})

test(
  'C4: credentials that are lost in the middle are on the screen, and --patience ends the job',
  BOUNDED,
  async () => {
    using directory = scratchDirectory()
    const { name } = await newTable()
    const script = `
import { existsSync, writeFileSync } from 'node:fs'
const file = process.argv[2] + '/asked'
if (existsSync(file)) { console.error('the session is over'); process.exit(7) }
writeFileSync(file, '')
console.log(JSON.stringify({ Version: 1, AccessKeyId: 'key', SecretAccessKey: 'secret', SessionToken: 't',
  Expiration: new Date(Date.now() + 12_000).toISOString() }))`
    writeFileSync(
      join(directory.path, 'items.jsonl'),
      Array.from({ length: 20_000 }, (_, index) => `{"id":"k${index}"}\n`).join(''),
    )
    const end = await headrace(
      ['load', name, 'items.jsonl', '--endpoint-url', store.endpoint, '--rate', '100', '--patience', '12s'],
      { directory: directory.path, environment: profileWith(directory.path, script), lifeMs: 39_000 },
    )
    assert.equal(end.code, 6, end.stderr)
    const told = /nothing was written to table \S+ for (\d+) s; .*the session is over/.exec(end.stderr)
    assert.ok(told !== null && Number(told[1]) <= 10, end.stderr)
  },
)
