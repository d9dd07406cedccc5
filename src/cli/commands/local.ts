import { command } from '../command.ts'
import { EXIT } from '../exitCode.ts'
import { option, withDefault } from '../option.ts'
import { TALK } from '../options.ts'
import { wholeFrom } from '../values.ts'

export const runLocal = command({
  name: 'local',
  arguments: '',
  section: 'Learn and try',
  summary: 'Run a DynamoDB on this machine until Ctrl-C',
  examples: ['headrace local', 'headrace local --port 8000', 'headrace local --port 8000 --data ./dynamodb-data'],
  options: [
    withDefault(
      option('--port <port>', { group: 'Common options', description: 'port to listen on', parse: wholeFrom(0) }),
      8000,
    ),
    option('--data <directory>', {
      group: 'Common options',
      description: 'keep the tables in this directory',
      defaultText: 'in memory',
    }),
    option('--kind <kind>', {
      group: 'Common options',
      description: 'which embedded store',
      choices: ['dynoxide', 'dynalite'],
      defaultText: 'whichever is installed',
    }),
    ...TALK,
  ],
  async run(_, flags) {
    const { startLocal } = await import('../../index.ts')
    const { Talk } = await import('../talk.ts')
    const talk = new Talk(flags)
    let ended: (exitCode: number) => void = () => undefined
    const end = new Promise<number>((resolve) => {
      ended = resolve
    })
    const store = await startLocal({
      port: flags.port,
      dataDirectory: flags.data,
      kind: flags.kind,
      onExit: (reason) => {
        talk.failure(reason)
        ended(EXIT.failure)
      },
    })
    // Before anybody is told that it runs.
    process.once('SIGINT', () => ended(EXIT.done))
    process.once('SIGTERM', () => ended(EXIT.done))
    const place = flags.data === undefined ? 'in memory' : `data in ${flags.data}`
    talk.event('ready', { endpoint: store.endpoint, kind: store.kind })
    talk.say(`DynamoDB (${store.kind}) at ${store.endpoint}, ${place}. Press Ctrl-C to stop it.`)
    talk.say(`Try: headrace table create demo --key id:S --endpoint-url ${store.endpoint}`)
    process.exitCode = await end
    await store.stop()
  },
})
