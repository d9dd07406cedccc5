import assert from 'node:assert/strict'
import { test } from 'node:test'
import { proxyFor } from '../../src/network/proxy.ts'

const HTTPS_PROXY = 'http://proxy:3128'

function isProxied(url: string, NO_PROXY = ''): boolean {
  return proxyFor(new URL(url), { HTTPS_PROXY, HTTP_PROXY: HTTPS_PROXY, NO_PROXY }) !== undefined
}

test('C11: NO_PROXY is read as other tools read it', () => {
  for (const [url, list, expected] of [
    ['https://db.example.com', '', true],
    ['https://db.example.com', '*', false],
    ['https://db.example.com', 'example.com', false],
    ['https://db.example.com', '.example.com', false],
    ['https://db.example.com', '*.example.com', false],
    ['https://db.example.com', 'a, EXAMPLE.com ,b', false],
    ['https://db.example.com', 'other.com db.example.com', false],
    ['https://mydb-example.com', 'example.com', true],
    ['https://notexample.com', 'example.com', true],
    ['https://db.example.com', 'db.example.com:443', false],
    ['https://db.example.com:8443', 'db.example.com:443', true],
    ['https://db.example.com:8443', 'db.example.com:8443', false],
    ['https://10.1.2.3', '10.0.0.0/8', false],
    ['https://11.1.2.3', '10.0.0.0/8', true],
    ['https://10.1.2.3', '10.1.2.3', false],
    ['https://[2001:db8::1]', '2001:db8::/32', false],
    ['https://[2001:db8::1]', '[2001:db8::1]', false],
    ['https://[2001:db8::1]:8443', '[2001:db8::1]:8443', false],
    ['https://db.example.com', '10.0.0.0/99,,', true],
  ] as const) {
    assert.equal(isProxied(url, list), expected, `${url} with "${list}"`)
  }
})

test('C11: metadata, container credentials and this machine are never reached through a proxy', () => {
  for (const host of [
    '169.254.169.254',
    '[fd00:ec2::254]',
    '169.254.170.2',
    '169.254.170.23',
    '[fd00:ec2::23]',
    'localhost',
    'db.localhost',
    '127.0.0.1',
    '[::1]',
  ]) {
    for (const scheme of ['http', 'https']) assert.equal(isProxied(`${scheme}://${host}`), false, host)
  }
})

test('C11: HTTP_PROXY is for plain HTTP only, and names in lower case take precedence', () => {
  const https = new URL('https://db.example.com')
  const http = new URL('http://db.example.com')
  assert.equal(proxyFor(https, { HTTP_PROXY: 'http://one' }), undefined)
  assert.equal(proxyFor(http, { HTTPS_PROXY: 'http://one' }), undefined)
  assert.equal(proxyFor(http, { HTTP_PROXY: 'http://one' })?.name, 'http://one')
  assert.equal(proxyFor(https, { HTTPS_PROXY: 'http://one', https_proxy: 'http://two' })?.name, 'http://two')
  assert.equal(proxyFor(https, { HTTPS_PROXY: 'http://one', https_proxy: '' }), undefined)
  assert.deepEqual(proxyFor(https, { HTTPS_PROXY: 'https://ann:p%40ss%@proxy.example' }), {
    name: 'https://proxy.example',
    host: 'proxy.example',
    port: 443,
    secure: true,
    authorization: `Basic ${Buffer.from('ann:p%40ss%').toString('base64')}`,
  })
})
