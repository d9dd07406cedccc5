import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findStore, type StoreSurroundings } from '../../src/local/findStore.ts'
import { LocalError } from '../../src/local/localError.ts'

const bare: StoreSurroundings = {
  platform: 'linux',
  arch: 'arm64',
  environment: {},
  resolve: (specifier) => {
    throw new Error(`not installed: ${specifier}`)
  },
}

test('where nothing is installed, the error says what to install', () => {
  const message = (kind?: 'dynoxide' | 'dynalite') => {
    try {
      findStore(kind, bare)
    } catch (error) {
      assert.ok(error instanceof LocalError)
      return error.message
    }
    return assert.fail('found one')
  }
  assert.match(message(), /npm install --save-dev @dynoxide\/linux-arm64\n[\s\S]*npm install --save-dev dynalite$/)
  assert.match(
    message('dynoxide'),
    /^No dynoxide is installed. Run\n {2}npm install --save-dev @dynoxide\/linux-arm64$/,
  )
  assert.match(message('dynalite'), /^No dynalite is installed. Run\n {2}npm install --save-dev dynalite$/)
})

test('dynalite serves where there is no dynoxide', () => {
  const resolve = (specifier: string) => {
    if (specifier === 'dynalite') return '/modules/dynalite/index.js'
    throw new Error('not installed')
  }
  assert.deepStrictEqual(findStore(undefined, { ...bare, resolve }), {
    kind: 'dynalite',
    path: '/modules/dynalite/index.js',
  })
})

test('HEADRACE_DYNOXIDE comes before what is installed, and must be there', () => {
  const environment = { HEADRACE_DYNOXIDE: process.execPath }
  assert.deepStrictEqual(findStore(undefined, { ...bare, environment }), { kind: 'dynoxide', path: process.execPath })
  assert.throws(
    () => findStore(undefined, { ...bare, environment: { HEADRACE_DYNOXIDE: '/no/such/file' } }),
    /HEADRACE_DYNOXIDE names "\/no\/such\/file", which does not exist/,
  )
})
