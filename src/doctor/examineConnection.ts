import type { Database } from '../database/database.ts'
import { connect } from '../database/database.ts'
import {
  type Connection,
  type ConnectionOptions,
  resolveConnection,
  type SettingOrigin,
} from '../dynamodb/connection.ts'
import type { Transport } from '../dynamodb/transport.ts'
import { credentialOrigin, MADE_UP } from '../network/credentialOrigin.ts'
import type { Credentials } from '../network/credentialSource.ts'
import type { Environment } from '../network/proxy.ts'
import { readTrust } from '../network/trust.ts'
import type { Clock } from '../runtime/clock.ts'
import { counted } from '../runtime/counted.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { examineClock, SET_CLOCK } from './examineClock.ts'
import { type Finding, failure, failureOf, notChecked, ok, warning } from './finding.ts'
import { withTimeLimit } from './timeLimit.ts'
import { Wire, type WireAnswer, WireError } from './wire.ts'

/** What the examinations have in common. */
export interface Surroundings {
  readonly options: ConnectionOptions
  readonly environment: Environment
  readonly clock: Clock
  /** Ends whatever is under way. */
  readonly signal: AbortSignal
  /** Another wire, for tests. */
  readonly transport?: Transport | undefined
}

/** The service answers and takes the credentials. */
export interface Reached {
  readonly connection: Connection
  readonly credentials: Credentials
  readonly wire: Wire
  readonly database: Database
}

/** A provider may ask a server, which asks another. */
const CREDENTIALS_MS = 10_000
const RESOLVE_MS = 12_000
const REQUESTS = 5
/** Of all requests together. */
const REQUESTS_MS = 8_000
/** Requests of the table's examination wait no longer. */
const ANSWER_MS = 4_000
const EXPIRES_SOON_MS = 10 * 60_000

/** Errors that say that the credentials themselves are not accepted, whatever they may do. */
const NOT_ACCEPTED =
  /^(?:ExpiredToken|UnrecognizedClient|InvalidSignature|IncompleteSignature|MissingAuthenticationToken|InvalidClientTokenId|OptInRequired|NotAuthorized|InvalidToken)/
const CLOCK_REFUSED = /^(?:RequestExpired|RequestTimeTooSkewed)|Signature (?:expired|not yet current)/

const SIGN_IN =
  'Set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or sign in with "aws sso login" or "aws login"'

/**
 * The way to DynamoDB, step by step: certificates, region, credentials, proxy, endpoint, clock, and whether the service
 * takes the credentials. A step that fails does not keep later ones from being looked at.
 *
 * @returns what to go on with; undefined where the service cannot be used
 */
export async function examineConnection(
  around: Surroundings,
  report: (finding: Finding) => void,
): Promise<Reached | undefined> {
  const trust = await examineTrust(around.environment, report)
  // Without what cannot be used, the rest can still be looked at.
  const environment = trust.isUsable ? around.environment : { ...around.environment, AWS_CA_BUNDLE: undefined }
  const connection = await resolve({ ...around, environment }, report)
  if (connection === undefined) return undefined
  const { region, regionOrigin, endpoint, proxy } = connection
  report(
    ok('region', `${region} (${originWords(regionOrigin, '--region', 'the default for an endpoint on this machine')})`),
  )
  const credentials = await examineCredentials(around, connection, report)
  if (proxy === undefined) report(ok('proxy', 'none: requests go directly to the endpoint'))
  else report(ok('proxy', `${proxy.name}, as HTTPS_PROXY, HTTP_PROXY and NO_PROXY say`))
  if (endpoint.startsWith('https:') && !trust.isUsable) {
    for (const check of ['endpoint', 'clock', 'access'])
      report(notChecked(check, 'the certificate authorities cannot be read'))
    return undefined
  }
  const wire = new Wire(connection, trust.authorities, around.clock, around.transport)
  const isAccepted = await examineEndpoint(around, connection, credentials, wire, report).catch(async (error) => {
    await wire.close()
    throw error
  })
  if (!isAccepted || credentials === undefined) {
    await wire.close()
    return undefined
  }
  const database = connect({
    endpoint,
    region,
    credentials: (options) => {
      if (options?.forceRefresh === true) connection.credentials.invalidate(undefined)
      return connection.credentials.get(CREDENTIALS_MS)
    },
    allowInsecureEndpoint: true,
    answerTimeoutMs: ANSWER_MS,
    clock: around.clock,
    transport: around.transport,
  })
  return { connection, credentials, wire, database }
}

async function examineTrust(
  environment: Environment,
  report: (finding: Finding) => void,
): Promise<{ isUsable: boolean; authorities: string[] | undefined }> {
  const { AWS_CA_BUNDLE: bundle, NODE_EXTRA_CA_CERTS: extra } = environment
  try {
    const authorities = await readTrust(environment)
    const besides = extra ? `, and those of NODE_EXTRA_CA_CERTS (${extra})` : ''
    report(
      ok(
        'certificates',
        bundle
          ? `the authorities of AWS_CA_BUNDLE (${bundle}, ${counted(countCertificates(authorities?.[0]), 'certificate')}) in place of Node's own${besides}`
          : `Node's own certificate authorities${besides}`,
      ),
    )
    return { isUsable: true, authorities }
  } catch (error) {
    if (!(error instanceof HeadraceError)) throw error
    report(failureOf('certificates', error, "Correct AWS_CA_BUNDLE, or unset it to use Node's own authorities"))
    return { isUsable: false, authorities: undefined }
  }
}

function countCertificates(pem = ''): number {
  return pem.split('-----BEGIN CERTIFICATE-----').length - 1
}

/** Region, endpoint and the source of credentials. What is wrong is reported as the setting that it is about. */
async function resolve(around: Surroundings, report: (finding: Finding) => void): Promise<Connection | undefined> {
  const { options, environment, clock, signal } = around
  const attempt = async (given: ConnectionOptions): Promise<Connection> => {
    // Not the signal of the command: after Ctrl-C the tables of a probe are dropped with these credentials.
    const closing = new AbortController()
    try {
      return await withTimeLimit(clock, RESOLVE_MS, signal, 'Reading the configuration', () =>
        resolveConnection(given, environment, clock, closing.signal),
      )
    } catch (error) {
      closing.abort()
      throw error
    }
  }
  try {
    return await attempt(options)
  } catch (error) {
    if (!(error instanceof HeadraceError)) throw error
    const setting = error.place.setting ?? 'configuration'
    report(failureOf(setting, error, ADVICE_OF_SETTING[setting]!))
    if (setting === 'region' && options.region === undefined) {
      // The credentials need no region: any will do to look at them.
      const connection = await attempt({ ...options, region: 'us-east-1' }).catch(() => undefined)
      if (connection !== undefined) await examineCredentials(around, connection, report)
    } else {
      report(notChecked('credentials', `the ${setting} cannot be used`))
    }
    for (const check of ['endpoint', 'clock', 'access']) report(notChecked(check, `the ${setting} cannot be used`))
    return undefined
  }
}

const ADVICE_OF_SETTING: { readonly [setting: string]: string } = {
  profile: 'Check --profile and AWS_PROFILE, or run "aws configure"',
  region: 'Give --region eu-west-1 or whichever region the table is in',
  endpoint: 'Check --endpoint-url, AWS_ENDPOINT_URL_DYNAMODB and AWS_ENDPOINT_URL',
  proxy: 'Correct the proxy variable, or unset it',
  certificates: "Correct AWS_CA_BUNDLE, or unset it to use Node's own authorities",
  configuration: 'Check ~/.aws/config and ~/.aws/credentials',
}

async function examineCredentials(
  { clock, signal }: Surroundings,
  { credentials: source }: Connection,
  report: (finding: Finding) => void,
): Promise<Credentials | undefined> {
  try {
    const credentials = await withTimeLimit(clock, CREDENTIALS_MS + 1_000, signal, 'The credentials provider', () =>
      source.get(CREDENTIALS_MS),
    )
    const from = `from ${credentialOrigin(credentials)}`
    if (credentials === MADE_UP) {
      report(ok('credentials', credentialOrigin(credentials)))
      return credentials
    }
    const took = `took ${Math.round(source.tookMs ?? 0)} ms`
    const { expiration } = credentials
    if (expiration === undefined) {
      const end = credentials.sessionToken === undefined ? 'they do not expire' : 'their session says no end'
      report(ok('credentials', `${from}; ${took}; ${end}`))
      return credentials
    }
    const leftMs = expiration.getTime() - clock.wallNow()
    const expiry = `${expiration.toISOString()}, in ${durationWords(leftMs)}`
    if (leftMs <= 0) {
      report(failure('credentials', `${from}; expired at ${expiration.toISOString()}`, SIGN_IN, 'configuration'))
      return undefined
    }
    if (leftMs < EXPIRES_SOON_MS) {
      const advice = 'Sign in again before a long job, unless the provider renews them'
      report(warning('credentials', `${from}; ${took}; expire at ${expiry}`, advice))
    } else {
      report(ok('credentials', `${from}; ${took}; expire at ${expiry}`))
    }
    return credentials
  } catch (error) {
    // Also ends a process that the provider waits for.
    source.close()
    if (!(error instanceof HeadraceError)) throw error
    report(failureOf('credentials', error, SIGN_IN))
    return undefined
  }
}

/** @returns whether requests with these credentials are accepted */
async function examineEndpoint(
  { clock, signal }: Surroundings,
  connection: Connection,
  credentials: Credentials | undefined,
  wire: Wire,
  report: (finding: Finding) => void,
): Promise<boolean> {
  const { endpoint, endpointOrigin } = connection
  const origin = originWords(endpointOrigin, '--endpoint-url', "the region's own")
  const where = `${endpoint} (${origin})`
  const answers: WireAnswer[] = []
  const ask = async (): Promise<void> => {
    const answer = await wire.send('ListTables', { Limit: 1 }, credentials)
    answers.push(answer)
  }
  try {
    await withTimeLimit(clock, REQUESTS_MS, signal, `A request to ${endpoint}`, async (limited) => {
      for (let request = 0; request < REQUESTS && !limited.aborted; request += 1) await ask()
    })
  } catch (error) {
    // Some answers came: it is reachable, though slow or not always.
    if (answers.length === 0 || signal.aborted) {
      report(unreachable(where, connection, error))
      for (const check of ['clock', 'access']) report(notChecked(check, 'the endpoint does not answer'))
      return false
    }
  }
  const [first] = answers
  if (first!.body === undefined) {
    const advice = 'Check the endpoint and the proxy: a gateway or sign-in page answers in its place'
    report(failure('endpoint', `${where} answers with HTTP ${first!.status}, but not as DynamoDB does`, advice))
    for (const check of ['clock', 'access']) report(notChecked(check, 'DynamoDB does not answer'))
    return false
  }
  const latencies = answers.map(({ latencyMs }) => latencyMs).sort((one, other) => one - other)
  const p50 = latencies[Math.floor(latencies.length / 2)]!
  const tls = endpoint.startsWith('https:') ? 'over TLS' : 'over plain HTTP'
  const speed = `${where}, ${tls}; latency p50 ${p50.toFixed(p50 < 10 ? 1 : 0)} ms of ${counted(answers.length, 'request')}`
  if (answers.length < REQUESTS) {
    report(warning('endpoint', `${speed}, then no answer`, 'Check the network: it loses requests, or is very slow'))
  } else if (!endpoint.startsWith('https:') && !connection.loopback) {
    report(warning('endpoint', `${speed}: items cross the network in the clear`, 'Use https://'))
  } else {
    report(ok('endpoint', speed))
  }
  const { finding, skewMs } = examineClock(answers)
  report(finding)
  wire.skewMs = skewMs
  return examineAccess(clock, signal, first!, credentials, wire, report)
}

async function examineAccess(
  clock: Clock,
  signal: AbortSignal,
  first: WireAnswer,
  credentials: Credentials | undefined,
  wire: Wire,
  report: (finding: Finding) => void,
): Promise<boolean> {
  if (credentials === undefined) {
    report(notChecked('access', 'there are no credentials'))
    return false
  }
  let { code, message } = first
  if (isClockRefusal(code, message)) {
    // As jobs do, with the service's own time.
    ;({ code, message } = await withTimeLimit(clock, ANSWER_MS, signal, 'A request', () =>
      wire.send('ListTables', { Limit: 1 }, credentials),
    ).catch((error: unknown) => ({ code: 'ConnectionFailed', message: `${error}` })))
  }
  const said = `${code}${message === '' ? '' : `: ${message}`}`
  if (isClockRefusal(code, message)) {
    report(failure('access', `DynamoDB refuses the time of this machine (${said})`, SET_CLOCK, 'configuration'))
    return false
  }
  if (NOT_ACCEPTED.test(code)) {
    report(failure('access', `DynamoDB does not accept the credentials (${said})`, adviceOf(code), 'configuration'))
    return false
  }
  if (/Throttl|ThroughputExceeded|RequestLimitExceeded/.test(code)) {
    report(warning('access', `DynamoDB throttles the first requests (${said})`, 'Wait for other jobs to end'))
    return true
  }
  if (first.status >= 500 || code === 'ConnectionFailed') {
    report(warning('access', `DynamoDB fails at the moment (${said})`, 'Run headrace doctor again in a minute'))
    return true
  }
  report(ok('access', 'DynamoDB accepts the credentials'))
  return true
}

function isClockRefusal(code: string, message: string): boolean {
  return CLOCK_REFUSED.test(code) || CLOCK_REFUSED.test(message)
}

function adviceOf(code: string): string {
  if (code.startsWith('Expired')) return 'They have expired: sign in again with "aws sso login" or "aws login"'
  if (code.startsWith('UnrecognizedClient') || code.startsWith('InvalidClientTokenId'))
    return 'Check that the access key exists, is active, and belongs to an account that uses this region'
  if (code.startsWith('InvalidSignature')) return 'Check the secret access key: it does not belong to the access key'
  return SIGN_IN
}

function unreachable(where: string, { proxy }: Connection, error: unknown): Finding {
  const kind = error instanceof WireError ? error.failure.kind : 'timeout'
  const reason = error instanceof Error ? error.message : `${error}`
  const through = proxy === undefined ? '' : ` through the proxy ${proxy.name}`
  if (kind === 'certificate') {
    const advice = 'If it is your own or of a proxy, name its CA file in AWS_CA_BUNDLE or NODE_EXTRA_CA_CERTS'
    return failure('endpoint', `${where}: its certificate is not trusted (${reason})`, advice)
  }
  const message = `${where} does not answer${through} (${reason})`
  if (kind === 'proxy')
    return failure('endpoint', message, 'Check HTTPS_PROXY, its user name and password, and NO_PROXY')
  const advice =
    kind === 'timeout'
      ? 'It accepts connections and stays silent: check firewalls and proxies on the way'
      : 'Check the name, the region, the network, and whether a proxy is needed (HTTPS_PROXY)'
  return failure('endpoint', message, advice)
}

function originWords(origin: SettingOrigin, flag: string, byDefault: string): string {
  if (origin === 'option') return flag
  if (origin === 'profile') return 'the profile'
  return origin === 'default' ? byDefault : origin
}

function durationWords(ms: number): string {
  const minutes = Math.round(ms / 60_000)
  if (minutes < 2) return counted(Math.max(0, Math.round(ms / 1_000)), 'second')
  return minutes < 120 ? counted(minutes, 'minute') : counted(Math.round(minutes / 60), 'hour')
}
