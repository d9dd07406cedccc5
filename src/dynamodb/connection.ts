import { HeadraceError } from '../runtime/headraceError.ts'
import type { CredentialProvider } from './credentialSource.ts'
import type { Credentials } from './signer.ts'

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
  readonly provider: CredentialProvider
  readonly loopback: boolean
}

/**
 * Finds endpoint, region and credentials as every AWS tool does. The SDK is loaded only when its configuration files or
 * its provider chain are needed: it takes a third of a second.
 *
 * @throws {HeadraceError} `CONFIGURATION` when there is no region, or the endpoint can not be used
 */
export async function resolveConnection(
  options: ConnectionOptions,
  environment: { readonly [name: string]: string | undefined },
): Promise<Connection> {
  const ignoreConfigured = environment['AWS_IGNORE_CONFIGURED_ENDPOINT_URLS'] === 'true'
  const named =
    options.endpoint ??
    (ignoreConfigured ? undefined : environment['AWS_ENDPOINT_URL_DYNAMODB'] || environment['AWS_ENDPOINT_URL'])
  const namedUrl = named === undefined || named === '' ? undefined : parseEndpoint(named)
  const region = options.region ?? environment['AWS_REGION']
  const loopback = namedUrl !== undefined && isLoopback(namedUrl.hostname)
  const given = options.credentials
  const givenProvider: CredentialProvider | undefined =
    typeof given === 'function' ? given : given && (async () => given)
  const configured = [options.profile, environment['AWS_PROFILE'], environment['AWS_ACCESS_KEY_ID']].some(Boolean)

  if (namedUrl !== undefined && (givenProvider !== undefined || (loopback && !configured))) {
    const fallbackRegion = region ?? environment['AWS_DEFAULT_REGION'] ?? (loopback ? 'us-east-1' : undefined)
    if (fallbackRegion !== undefined) {
      // Emulators take any credentials, but want some.
      const madeUp = async (): Promise<Credentials> => ({ accessKeyId: 'local', secretAccessKey: 'local' })
      return finish(namedUrl, fallbackRegion, givenProvider ?? madeUp, loopback, options)
    }
  }
  const sdk = await loadSdk(options.profile, region)
  const sdkRegion = await sdk
    .region()
    .catch(() => environment['AWS_DEFAULT_REGION'] ?? (loopback ? 'us-east-1' : undefined))
  if (sdkRegion === undefined || sdkRegion === '') {
    throw new HeadraceError(
      'CONFIGURATION',
      'no AWS region: give --region, set AWS_REGION, or set "region" in the profile of ~/.aws/config',
    )
  }
  const provider = givenProvider ?? sdk.credentials
  const url = namedUrl ?? parseEndpoint(await sdk.endpoint(sdkRegion, provider, ignoreConfigured))
  return finish(url, sdkRegion, provider, isLoopback(url.hostname), options)
}

function finish(
  url: URL,
  region: string,
  provider: CredentialProvider,
  loopback: boolean,
  options: ConnectionOptions,
): Connection {
  if (!/^[\w-]+$/.test(region)) {
    throw new HeadraceError('CONFIGURATION', `the region ${JSON.stringify(region)} is not a name like us-east-1`, {
      place: { option: 'region' },
    })
  }
  if (url.protocol === 'http:' && !loopback && options.allowInsecureEndpoint !== true) {
    throw new HeadraceError(
      'CONFIGURATION',
      `the endpoint ${url.origin} is plain HTTP and not this machine: items would cross the network in the clear. ` +
        'Use https://, or allow it with --allow-insecure-endpoint',
    )
  }
  return { endpoint: url.origin, host: url.host, region, provider, loopback }
}

function parseEndpoint(text: string): URL {
  let url: URL | undefined
  try {
    url = new URL(text)
  } catch {
    url = undefined
  }
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new HeadraceError('CONFIGURATION', `the endpoint "${text}" is not an address like http://localhost:8000`, {
      place: { option: 'endpoint' },
    })
  }
  return url
}

function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname === '[::1]' ||
    hostname.endsWith('.localhost') ||
    /^127(?:\.\d+){3}$/.test(hostname)
  )
}

interface Sdk {
  region(): Promise<string>
  readonly credentials: CredentialProvider
  endpoint(region: string, provider: CredentialProvider, ignoreConfigured: boolean): Promise<string>
}

/** The SDK's client is made for its resolved configuration only; it never sends a request. */
async function loadSdk(profile: string | undefined, region: string | undefined): Promise<Sdk> {
  const { DynamoDBClient } = await import('@aws-sdk/client-dynamodb')
  const makeClient = (more: object = {}) =>
    new DynamoDBClient({
      ...(profile === undefined ? {} : { profile }),
      ...(region === undefined ? {} : { region }),
      ...more,
    })
  const client = makeClient()
  let { credentials } = client.config
  const config = client.config as typeof client.config & {
    serviceConfiguredEndpoint?: () => Promise<string | undefined>
    accountIdEndpointMode?: () => Promise<'disabled' | 'preferred' | 'required'>
  }
  return {
    region: async () => config.region(),
    credentials: (options) => {
      // The SDK keeps profile files as it read them first, also when it is told to refresh. What was refused may have been
      // replaced there since.
      if (options?.forceRefresh === true) ({ credentials } = makeClient({ ignoreCache: true }).config)
      return credentials(options)
    },
    endpoint: async (resolvedRegion, provider, ignoreConfigured) => {
      const configured = ignoreConfigured ? undefined : await config.serviceConfiguredEndpoint?.()
      if (configured !== undefined && configured !== '') return configured
      const mode = (await config.accountIdEndpointMode?.()) ?? 'preferred'
      // Where there are no credentials, the first request says so, and what to do.
      const known = mode === 'disabled' ? undefined : await provider().catch(() => undefined)
      const account = (known as { accountId?: string } | undefined)?.accountId
      const { url } = config.endpointProvider({
        Region: resolvedRegion,
        UseFIPS: await config.useFipsEndpoint(),
        UseDualStack: await config.useDualstackEndpoint(),
        AccountIdEndpointMode: mode,
        ...(account === undefined ? {} : { AccountId: account }),
      })
      return url.origin
    },
  }
}
