import type { ChildEnd } from '../runtime/childProcesses.ts'

const ADVICE =
  'Set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, ' +
  'or sign in with "aws sso login" or "aws login"; for a local DynamoDB pass --endpoint-url http://localhost:PORT'

/**
 * Why there are no credentials, and what to do, for people. The SDK goes on to its next provider after a
 * `credential_process` that failed, and then says only that there was none.
 */
export function explainCredentials(error: unknown, children: readonly ChildEnd[]): string {
  const reason = (error instanceof Error ? error.message : `${error}`).replace(/\.$/, '')
  const failed = children.find(({ exitCode }) => exitCode !== 0) ?? children.at(-1)
  if (failed === undefined) return `no AWS credentials: ${reason}. ${ADVICE}`
  const { command, exitCode, stderr } = failed
  if (exitCode === undefined) return `no AWS credentials: ${reason}. It was waiting for the command ${quote(command)}`
  const end =
    exitCode === 0 ? 'did not print credentials in the format of AWS tools' : `failed with exit status ${exitCode}`
  const said = stderr === '' ? '' : `: ${stderr.replace(/\s+/g, ' ')}`
  return `no AWS credentials: the credential_process ${quote(command)} ${end}${said}. Run the command on its own to see why`
}

function quote(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text)
}
