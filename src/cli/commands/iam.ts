import { optionalActions, policyFor } from '../../index.ts'
import { exitCodeOf } from '../exitCode.ts'
import { Talk } from '../talk.ts'

interface IamFlags {
  table: string
  otherTable?: string
  index?: string
  optional?: string | true
  quiet?: boolean
}

/** `headrace iam`: the policy is data; what is left out, and what that costs, is talk. */
export function iamCommand(words: readonly string[], flags: IamFlags): void {
  const talk = new Talk(flags)
  try {
    const verb = words.join(' ')
    const optional = flags.optional === true ? 'all' : (flags.optional?.split(',').map((name) => name.trim()) ?? [])
    const policy = policyFor(verb, {
      tableArn: flags.table,
      otherTableArn: flags.otherTable,
      index: flags.index,
      optional,
    })
    process.stdout.write(`${JSON.stringify(policy, undefined, 2)}\n`)
    if (verb === 'export native')
      talk.say(
        'To the bucket it takes s3:PutObject and s3:AbortMultipartUpload besides, and to its key where it has one.',
      )
    const left = optional === 'all' ? [] : optionalActions(verb).filter(({ action }) => !optional.includes(action))
    if (left.length === 0) return
    talk.say('Left out, as it is optional (--optional grants it):')
    for (const { action, without } of left) talk.say(`  ${action}: without it ${without}`)
  } catch (error) {
    talk.failure(error)
    process.exitCode = exitCodeOf(error)
  }
}
