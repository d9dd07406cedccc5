import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect } from '../../src/database/database.ts'
import { startLocal } from '../../src/local/startLocal.ts'
import { createTable } from '../../src/operations/tables.ts'
import { startGateway } from '../../src/simulator/gateway.ts'
import { headrace, scratchDirectory } from './command.ts'

/** In every secret of this test, and nowhere else. */
const CANARY = 'canary7secret'

/** All files below a directory, but those that the secrets were put in. */
function* filesBelow(directory: string): Generator<string> {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name)
    if (statSync(path).isDirectory()) {
      if (name !== '.aws') yield* filesBelow(path)
    } else yield path
  }
}

test('a canary in environment and profile is in no output, state, log or report, whatever goes wrong', async () => {
  using directory = scratchDirectory()
  await using store = await startLocal({ kind: 'dynoxide' })
  await using gateway = await startGateway({
    upstream: store.endpoint,
    faults: { shares: { 'expired token': 0.05, 'reset after': 0.05, 'error before': 0.05, throttle: 0.05 } },
  })
  await using database = connect({ endpoint: store.endpoint })
  await createTable(database, 'users', { key: { partition: { name: 'id', type: 'S' } } })
  mkdirSync(join(directory.path, '.aws'))
  const profile = `aws_access_key_id = AKIA${CANARY}\naws_secret_access_key = ${CANARY}/key\naws_session_token = ${CANARY}token\n`
  writeFileSync(join(directory.path, '.aws', 'credentials'), `[work]\n${profile}`)
  writeFileSync(join(directory.path, '.aws', 'config'), `[profile work]\nregion = eu-west-1\n`)
  const lines = Array.from({ length: 300 }, (_, index) => (index % 50 === 7 ? '{"wrong":1}' : `{"id":"k${index}"}`))
  writeFileSync(join(directory.path, 'users.jsonl'), `${lines.join('\n')}\n`)
  writeFileSync(join(directory.path, 'bad.mjs'), `export default () => { throw new Error('no') }\n`)
  const keys = {
    AWS_ACCESS_KEY_ID: `AKIA${CANARY}`,
    AWS_SECRET_ACCESS_KEY: `${CANARY}/key`,
    AWS_SESSION_TOKEN: `${CANARY}token`,
    AWS_REGION: 'eu-west-1',
  }
  const said: string[] = []
  const run = async (
    args: readonly string[],
    environment: { readonly [name: string]: string },
    codes: readonly number[],
  ) => {
    const end = await headrace(args, {
      directory: directory.path,
      environment: { AWS_ENDPOINT_URL: gateway.url, ...environment },
    })
    assert.ok(codes.includes(end.code!), `${args.join(' ')}: exit ${end.code}\n${end.stderr}`)
    said.push(end.stdout, end.stderr)
  }
  await run(['load', 'users', 'users.jsonl', '--job', 'one'], keys, [3])
  await run(['load', 'users', 'users.jsonl', '--json'], { AWS_PROFILE: 'work' }, [3])
  await run(['update', 'users', 'bad.mjs', '--profile', 'work', '--keep-old'], {}, [3])
  await run(['update', 'users', '--set', 'a=1', '--once', '--json'], keys, [0])
  await run(['export', 'users', 'out.jsonl'], keys, [0])
  await run(['update', 'users', '--set', 'a=2', '--dry-run', '--json'], keys, [0])
  await run(['status', 'one', '--json'], keys, [0])
  await run(['count', 'no-such-table'], keys, [5])
  await run(
    ['load', 'users', 'users.jsonl'],
    { ...keys, AWS_ENDPOINT_URL: `http://${CANARY}:${CANARY}@127.0.0.1:${gateway.port}` },
    [3, 4],
  )
  await run(['load', 'users', `users.jsonl?X-Amz-Signature=${CANARY}&X-Amz-Credential=AKIA${CANARY}`], keys, [1])
  for (const [index, text] of said.entries()) {
    // What was given on the command line may be repeated to whoever gave it, and only there.
    if (index < said.length - 2) assert.doesNotMatch(text, new RegExp(CANARY))
  }
  const files = [...filesBelow(directory.path)]
  assert.ok(
    files.some((path) => path.endsWith('report.json')) &&
      files.some((path) => path.endsWith('old.jsonl') || path.endsWith('rejects.jsonl')),
  )
  for (const path of files) assert.doesNotMatch(readFileSync(path, 'utf8'), new RegExp(CANARY), path)
})
