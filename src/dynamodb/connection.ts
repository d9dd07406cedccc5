import { MADE_UP } from '../network/credentialOrigin.ts'
import {
  type CredentialProvider,
  CredentialSource,
  type Credentials,
  PROVIDER_MS,
} from '../network/credentialSource.ts'
import { isLoopback } from '../network/loopback.ts'
import { readProfiles } from '../network/profiles.ts'
import { type Environment, type HttpProxy, proxyFor } from '../network/proxy.ts'
import { sdkRequestHandler } from '../network/routedAgent.ts'
import { ChildProcesses } from '../runtime/childProcesses.ts'
import { type Clock, systemClock } from '../runtime/clock.ts'
import { HeadraceError } from '../runtime/headraceError.ts'

export interface ConnectionOptions {
  /** Default: AWS_REGION, the profile's, AWS_DEFAULT_REGION; for a loopback endpoint at last `us-east-1`. */
  readonly region?: string | undefined
  /** A profile of ~/.aws/config. Default: AWS_PROFILE, else `default`. */
  readonly profile?: string | undefined
  /** Default: AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL, the profile's, else the region's own. */
  readonly endpoint?: string | undefined
  /** Default: the AWS SDK's provider chain; made-up ones for a loopback endpoint when none are configured. */
  readonly credentials?: Credentials | CredentialProvider | undefined
  /** Sends over plain HTTP to a host that is not this machine. Default false. */
  readonly allowInsecureEndpoint?: boolean | undefined
}

/** Where requests go and what signs them. */
export interface Connection {
  /** `https://host` without a path. */
  readonly endpoint: string
  /** As in the `host` header. */
  readonly host: string
  readonly region: string
  readonly credentials: CredentialSource
  readonly loopback: boolean
  /** What requests go through; undefined where they go straight to the endpoint. */
  readonly proxy: HttpProxy | undefined
  readonly regionOrigin: SettingOrigin
  readonly endpointOrigin: SettingOrigin
}

/**
 * Where a setting comes from: an option, an environment variable by its name, the profile, or what applies where none is
 * given (`us-east-1` for an endpoint on this machine, or the region's own endpoint).
 */
export type SettingOrigin =
  | 'option'
  | 'AWS_REGION'
  | 'AWS_DEFAULT_REGION'
  | 'AWS_ENDPOINT_URL_DYNAMODB'
  | 'AWS_ENDPOINT_URL'
  | 'profile'
  | 'default'

/**
 * Finds endpoint, region and credentials as every AWS tool does. The SDK is loaded only when its configuration files or
 * its provider chain are needed: it takes a third of a second.
 *
 * @param signal ends a wait for credentials
 * @throws {HeadraceError} `CONFIGURATION` when there is no region, or the endpoint can not be used
 */
export async function resolveConnection(
  options: ConnectionOptions,
  environment: Environment,
  clock: Clock = systemClock,
  signal?: AbortSignal,
): Promise<Connection> {
  const ignoreConfigured = environment['AWS_IGNORE_CONFIGURED_ENDPOINT_URLS'] === 'true'
  const [named, namedBy] = namedEndpoint(options, ignoreConfigured ? {} : environment)
  const namedUrl = named === undefined || named === '' ? undefined : parseEndpoint(named)
  const region = options.region ?? environment['AWS_REGION']
  const regionBy: SettingOrigin = options.region === undefined ? 'AWS_REGION' : 'option'
  const given = options.credentials
  const givenProvider: CredentialProvider | undefined =
    typeof given === 'function' ? given : given && (async () => given)
  const configured = [options.profile, environment['AWS_PROFILE'], environment['AWS_ACCESS_KEY_ID']].some(Boolean)
  const sourceOf = (provider: CredentialProvider): CredentialSource => {
    const source = new CredentialSource(provider, clock)
    if (signal?.aborted) source.close()
    else signal?.addEventListener('abort', () => source.close(), { once: true })
    return source
  }

  if (namedUrl !== undefined) {
    const loopback = isLoopback(namedUrl.hostname)
    const provider = givenProvider ?? (loopback && !configured ? async () => MADE_UP : undefined)
    const fallback = fallbackRegion(environment, loopback)
    const known = region === undefined ? fallback : { name: region, origin: regionBy }
    if (provider !== undefined && known !== undefined) {
      return finish(namedUrl, namedBy, known, sourceOf(provider), options, environment)
    }
  }
  if (options.profile !== undefined) await checkProfile(options.profile, environment)
  const sdk = await loadSdk(options.profile, region, environment)
  const profileEndpoint = namedUrl === undefined && !ignoreConfigured ? await sdk.profileEndpoint() : undefined
  const knownUrl = namedUrl ?? (profileEndpoint ? parseEndpoint(profileEndpoint) : undefined)
  const loopback = knownUrl !== undefined && isLoopback(knownUrl.hostname)
  const fallback = fallbackRegion(environment, loopback)
  // What is named is used, or refused for what it is.
  const found = region
    ? { name: region, origin: regionBy }
    : await sdk.region().then(
        (name): Region => ({ name, origin: 'profile' }),
        () => fallback,
      )
  if (found === undefined || found.name === '') {
    throw new HeadraceError(
      'CONFIGURATION',
      'no AWS region. Pass --region, set AWS_REGION, or set "region" in the profile in ~/.aws/config; for a local DynamoDB pass --endpoint-url',
      { place: { setting: 'region' } },
    )
  }
  const credentials = sourceOf(givenProvider ?? (loopback ? orMadeUp(sdk.credentials) : sdk.credentials))
  const url = knownUrl ?? (await regionEndpoint(sdk, found.name, credentials))
  const urlBy = namedUrl !== undefined ? namedBy : knownUrl !== undefined ? 'profile' : 'default'
  return finish(url, urlBy, found, credentials, options, environment)
}

interface Region {
  readonly name: string
  readonly origin: SettingOrigin
}

/** The region where neither an option nor AWS_REGION nor the profile names one. */
function fallbackRegion(environment: Environment, loopback: boolean): Region | undefined {
  const name = environment['AWS_DEFAULT_REGION']
  if (name !== undefined) return { name, origin: 'AWS_DEFAULT_REGION' }
  return loopback ? { name: 'us-east-1', origin: 'default' } : undefined
}

function namedEndpoint(
  { endpoint }: ConnectionOptions,
  environment: Environment,
): readonly [string | undefined, SettingOrigin] {
  if (endpoint !== undefined) return [endpoint, 'option']
  const own = environment['AWS_ENDPOINT_URL_DYNAMODB']
  return own ? [own, 'AWS_ENDPOINT_URL_DYNAMODB'] : [environment['AWS_ENDPOINT_URL'], 'AWS_ENDPOINT_URL']
}

function finish(
  url: URL,
  endpointOrigin: SettingOrigin,
  { name: region, origin: regionOrigin }: Region,
  credentials: CredentialSource,
  options: ConnectionOptions,
  environment: Environment,
): Connection {
  const loopback = isLoopback(url.hostname)
  if (!/^[\w-]+$/.test(region)) {
    throw new HeadraceError(
      'CONFIGURATION',
      `the region ${JSON.stringify(region)} is not a valid name such as us-east-1`,
      {
        place: { option: 'region', setting: 'region' },
      },
    )
  }
  if (url.protocol === 'http:' && !loopback && options.allowInsecureEndpoint !== true) {
    throw new HeadraceError(
      'CONFIGURATION',
      `the endpoint ${url.origin} is plain HTTP on another machine: items would cross the network unencrypted. ` +
        'Use https://, or allow it with --allow-insecure-endpoint',
      { place: { setting: 'endpoint' } },
    )
  }
  const proxy = proxyFor(url, environment)
  const { origin: endpoint, host } = url
  return { endpoint, host, region, credentials, loopback, proxy, regionOrigin, endpointOrigin }
}

/**
 * A profile that an emulator is used with need not be signed in, or have any credentials. But a command of its own that
 * fails is told: whoever wrote it there wants it to work.
 */
function orMadeUp(provider: CredentialProvider): CredentialProvider {
  return async (options) => {
    const children = new ChildProcesses()
    try {
      return await children.during(() => provider(options))
    } catch (error) {
      if (children.ends.length > 0) throw error
      return MADE_UP
    }
  }
}

/** @throws {HeadraceError} `CONFIGURATION` for a profile that is in neither of AWS's files */
async function checkProfile(profile: string, environment: Environment): Promise<void> {
  const { files, names } = await readProfiles(environment)
  if (names.has(profile)) return
  const known = [...names]
  const list =
    known.length === 0 ? 'They do not define any profile' : `Known profiles: ${known.slice(0, 20).join(', ')}`
  throw new HeadraceError(
    'CONFIGURATION',
    `there is no profile ${JSON.stringify(profile)} in ${files.join(' or ')}. ${list}. Check --profile, or add it with "aws configure"`,
    { place: { setting: 'profile' } },
  )
}

function parseEndpoint(text: string): URL {
  let url: URL | undefined
  try {
    url = new URL(text)
  } catch {
    url = undefined
  }
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new HeadraceError(
      'CONFIGURATION',
      `the endpoint "${text}" is not a valid address such as http://localhost:8000`,
      {
        place: { option: 'endpoint', setting: 'endpoint' },
      },
    )
  }
  return url
}

interface Sdk {
  region(): Promise<string>
  readonly credentials: CredentialProvider
  /** The endpoint that the profile names; undefined where it names none. */
  profileEndpoint(): Promise<string | undefined>
  /** The endpoint of a region; some have one for each account. */
  regionEndpoint(region: string, account: string | undefined): Promise<URL>
  /** Whether the endpoint depends on the account. */
  usesAccount(): Promise<boolean>
}

async function regionEndpoint(sdk: Sdk, region: string, credentials: CredentialSource): Promise<URL> {
  try {
    // Where there are no credentials, the first request says so, and what to do.
    const known = (await sdk.usesAccount()) ? await credentials.get(PROVIDER_MS).catch(() => undefined) : undefined
    return await sdk.regionEndpoint(region, (known as { accountId?: string } | undefined)?.accountId)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : `${cause}`
    throw new HeadraceError(
      'CONFIGURATION',
      `cannot form a DynamoDB endpoint from region ${JSON.stringify(region)} and the account of the credentials: ${reason}. ` +
        'Check AWS_REGION, AWS_ACCOUNT_ID and AWS_ACCOUNT_ID_ENDPOINT_MODE',
      { cause, place: { setting: 'region' } },
    )
  }
}

/** The SDK's client is made for its resolved configuration only; it never sends a request to DynamoDB. */
async function loadSdk(
  profile: string | undefined,
  region: string | undefined,
  environment: Environment,
): Promise<Sdk> {
  const { DynamoDBClient } = await import('@aws-sdk/client-dynamodb')
  // What the providers ask (STS, SSO) goes the way of all other requests.
  const requestHandler = await sdkRequestHandler(environment)
  const makeClient = (more: object = {}) =>
    new DynamoDBClient({
      ...(profile === undefined ? {} : { profile }),
      ...(region === undefined ? {} : { region }),
      requestHandler,
      // Not in the type: the clients that the providers make are made with it.
      ...{ clientConfig: { requestHandler } },
      ...more,
    })
  const client = makeClient()
  let { credentials } = client.config
  const config = client.config as typeof client.config & {
    serviceConfiguredEndpoint?: () => Promise<string | undefined>
    accountIdEndpointMode?: (() => Promise<'disabled' | 'preferred' | 'required'>) | undefined
  }
  const accountMode = async () => (await config.accountIdEndpointMode?.()) ?? 'preferred'
  return {
    region: async () => config.region(),
    credentials: (options) => {
      // The SDK keeps profile files as it read them first, also when it is told to refresh. What was refused may have been
      // replaced there since.
      if (options?.forceRefresh === true) ({ credentials } = makeClient({ ignoreCache: true }).config)
      // Without this the SDK's chain gives what it kept while it looks for others unseen, which nobody could end.
      return credentials({ ...options, forceRefresh: true })
    },
    profileEndpoint: async () => config.serviceConfiguredEndpoint?.(),
    usesAccount: async () => (await accountMode()) !== 'disabled',
    regionEndpoint: async (resolvedRegion, account) =>
      config.endpointProvider({
        Region: resolvedRegion,
        UseFIPS: await config.useFipsEndpoint(),
        UseDualStack: await config.useDualstackEndpoint(),
        AccountIdEndpointMode: await accountMode(),
        AccountId: account,
      }).url,
  }
}
