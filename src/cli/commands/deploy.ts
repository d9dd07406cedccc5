import { join, relative } from 'node:path'
import { command } from '../command.ts'
import { option, required } from '../option.ts'
import { TALK } from '../options.ts'
import { commaSeparated, wholeFrom } from '../values.ts'

export const deploy = command({
  name: 'deploy',
  arguments: '<operation>',
  section: 'Run elsewhere',
  summary: 'Write a CloudFormation template for Step Functions and Lambda, or SQS',
  description:
    'Runs update, delete, copy, load, run or export in slices, so that no job is too long for Lambda. The operation queue writes the messages of a queue to a table. Needs aws-cdk-lib installed beside headrace.',
  examples: [
    'headrace deploy update --table arn:aws:dynamodb:eu-west-1:123456789012:table/users --module add-tier.mjs --synth out',
    'headrace deploy export --table arn:aws:dynamodb:eu-west-1:123456789012:table/users --target s3://my-bucket/exports/ --synth out',
    'headrace deploy load --table arn:aws:dynamodb:eu-west-1:123456789012:table/users --sources s3://my-bucket/in/ --synth out',
    'headrace deploy queue --table arn:aws:dynamodb:eu-west-1:123456789012:table/users --synth out',
  ],
  options: [
    required(option('--table <arn>', { group: 'Common options', description: 'ARN of the table' })),
    required(
      option('--synth <directory>', {
        group: 'Common options',
        description: 'directory for the template and the code of the functions',
      }),
    ),
    option('--module <file...>', {
      group: 'Common options',
      description: 'visitors and what they import, below the working directory',
    }),
    option('--other-table <arn>', { group: 'Common options', description: 'copy: ARN of the target' }),
    option('--sources <address>', {
      group: 'Common options',
      description: 'load: where its files are, s3://BUCKET/PREFIX',
    }),
    option('--target <address>', {
      group: 'Common options',
      description: 'export: start of the address of its object, s3://BUCKET/PREFIX',
    }),
    option('--rejects <address>', {
      group: 'Common options',
      description: 'queue: where rejected records go, s3://BUCKET/PREFIX',
    }),
    option('--concurrency <n>', {
      group: 'Limits',
      description: 'slices that run at once, or functions of a queue',
      defaultText: '40, or 10 for a queue',
      parse: wholeFrom(1),
    }),
    option('--optional <actions>', {
      group: 'Advanced',
      description: 'optional IAM actions to grant, separated by commas; headrace iam lists them',
      parse: commaSeparated,
    }),
    ...TALK,
  ],
  async run([operation], flags) {
    const { Talk } = await import('../talk.ts')
    const { synthesize } = await import('../../engines/synthesize.ts')
    const talk = new Talk(flags)
    const { table, otherTable, module, sources, target, rejects, concurrency, optional, synth } = flags
    const { template, code } = await synthesize(synth, {
      operation,
      tableArn: table,
      otherTableArn: otherTable,
      modules: module,
      sources,
      target,
      rejects,
      maxConcurrency: concurrency,
      optionalActions: optional,
    })
    talk.event('synthesized', { template, code })
    const packaged = join(relative('', synth), 'packaged.json')
    talk.say(`Wrote the template, ${template}, and the code of its functions, ${code}. To deploy them:`)
    talk.say(
      `  aws cloudformation package --template-file ${template} --s3-bucket BUCKET --use-json --output-template-file ${packaged}`,
    )
    talk.say(
      `  aws cloudformation deploy --template-file ${packaged} --stack-name headrace --capabilities CAPABILITY_IAM`,
    )
  },
})
