import type { Credentials } from './credentialSource.ts'

/** Emulators take any credentials, but want some. */
export const MADE_UP: Credentials = { accessKeyId: 'local', secretAccessKey: 'local' }

/**
 * In words, by the marks that the SDK's providers leave on what they give (`setCredentialFeature` of `@aws-sdk/core`). What
 * comes through several of them has several marks, so the order counts. Instance metadata leaves none.
 */
const ORIGINS: readonly (readonly [mark: string, words: string])[] = [
  ['CREDENTIALS_CODE', 'the program'],
  ['CREDENTIALS_ENV_VARS_STS_WEB_ID_TOKEN', 'a web identity token (AWS_WEB_IDENTITY_TOKEN_FILE)'],
  ['CREDENTIALS_PROFILE_STS_WEB_ID_TOKEN', 'a web identity token that the profile names'],
  ['CREDENTIALS_STS_ASSUME_ROLE_WEB_ID', 'a web identity token'],
  ['CREDENTIALS_STS_ASSUME_ROLE', 'a role that the profile assumes'],
  ['CREDENTIALS_PROFILE_PROCESS', 'the credential_process of the profile'],
  ['CREDENTIALS_PROCESS', 'the credential_process of the profile'],
  ['CREDENTIALS_PROFILE_SSO', 'SSO, as the profile says'],
  ['CREDENTIALS_PROFILE_SSO_LEGACY', 'SSO, as the profile says'],
  ['CREDENTIALS_SSO', 'SSO'],
  ['CREDENTIALS_SSO_LEGACY', 'SSO'],
  ['CREDENTIALS_PROFILE_LOGIN', 'aws login, as the profile says'],
  ['CREDENTIALS_LOGIN', 'aws login'],
  ['CREDENTIALS_HTTP', 'the container'],
  ['CREDENTIALS_PROFILE', 'the profile'],
  ['CREDENTIALS_ENV_VARS', 'the environment (AWS_ACCESS_KEY_ID)'],
]

/** Which source gave these credentials, in words. */
export function credentialOrigin(credentials: Credentials): string {
  if (credentials === MADE_UP) return 'made up, for an endpoint on this machine'
  const marks = (credentials as { $source?: object }).$source
  const found = ORIGINS.find(([mark]) => marks !== undefined && mark in marks)
  return found === undefined ? 'the instance metadata' : found[1]
}
