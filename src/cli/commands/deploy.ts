import { join, relative } from 'node:path'
import { exitCodeOf } from '../exitCode.ts'
import { Talk, type TalkOptions } from '../talk.ts'

interface DeployFlags extends TalkOptions {
  table: string
  otherTable?: string
  module?: string[]
  sources?: string
  target?: string
  concurrency?: number
  optional?: string
  synth: string
}

/** `headrace deploy` */
export async function deployCommand(operation: string, flags: DeployFlags): Promise<void> {
  const talk = new Talk(flags)
  const { table, otherTable, module, sources, target, concurrency, optional, synth } = flags
  try {
    // What it stands on is large, and seldom there.
    const { synthesize } = await import('../../engines/synthesize.ts')
    const { template, code } = await synthesize(synth, {
      operation,
      tableArn: table,
      ...(otherTable === undefined ? {} : { otherTableArn: otherTable }),
      ...(module === undefined ? {} : { modules: module }),
      ...(sources === undefined ? {} : { sources }),
      ...(target === undefined ? {} : { target }),
      ...(concurrency === undefined ? {} : { maxConcurrency: concurrency }),
      ...(optional === undefined ? {} : { optionalActions: optional.split(',').map((name) => name.trim()) }),
    })
    talk.event('synthesized', { template, code })
    const packaged = join(relative('', synth), 'packaged.json')
    talk.say(`${template} is the template, ${code} what its functions are made of. Then:`)
    talk.say(
      `  aws cloudformation package --template-file ${template} --s3-bucket BUCKET --use-json --output-template-file ${packaged}`,
    )
    talk.say(
      `  aws cloudformation deploy --template-file ${packaged} --stack-name headrace --capabilities CAPABILITY_IAM`,
    )
  } catch (error) {
    talk.failure(error)
    process.exitCode = exitCodeOf(error)
  }
}
