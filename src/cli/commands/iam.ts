import { command } from '../command.ts'
import { option, required } from '../option.ts'
import { quiet } from '../options.ts'

export const printPolicy = command({
  name: 'iam',
  arguments: '<verb...>',
  section: 'Run elsewhere',
  summary: 'Print the least IAM policy that a command needs',
  examples: [
    'headrace iam load --table arn:aws:dynamodb:eu-west-1:123456789012:table/users',
    'headrace iam update --table arn:aws:dynamodb:eu-west-1:123456789012:table/users --optional',
    'headrace iam table create --table arn:aws:dynamodb:eu-west-1:123456789012:table/users',
  ],
  options: [
    required(option('--table <arn>', { group: 'Common options', description: 'ARN of the table' })),
    option('--other-table <arn>', {
      group: 'Common options',
      description: 'ARN of the second table of copy and diff',
    }),
    option('--index <name>', {
      group: 'Common options',
      description: 'secondary index that is read instead of the table',
    }),
    option('--optional [actions]', {
      group: 'Common options',
      description: 'grant optional actions too: all of them, or these, separated by commas',
    }),
    quiet,
  ],
  // The policy is data; what is left out, and what that costs, is talk.
  async run([words], flags) {
    const { optionalActions, policyFor } = await import('../../index.ts')
    const { Talk } = await import('../talk.ts')
    const talk = new Talk(flags)
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
      talk.say('It also needs s3:PutObject and s3:AbortMultipartUpload on the bucket, and the KMS key if it has one.')
    const left = optional === 'all' ? [] : optionalActions(verb).filter(({ action }) => !optional.includes(action))
    if (left.length === 0) return
    talk.say('Optional actions that are not granted (--optional grants them):')
    for (const { action, without } of left) talk.say(`  ${action}: without it ${without}`)
  },
})
