import { startLocal } from '../../index.ts'
import { EXIT } from '../exitCode.ts'
import { Talk, type TalkOptions } from '../talk.ts'

/** `headrace local` */
export async function local(flags: TalkOptions & { port: number; data?: string; kind?: string }): Promise<void> {
  const talk = new Talk(flags)
  if (flags.kind !== undefined && flags.kind !== 'dynoxide' && flags.kind !== 'dynalite') {
    throw new TypeError(`--kind must be dynoxide or dynalite, not "${flags.kind}"`)
  }
  let ended: (exitCode: number) => void = () => undefined
  const end = new Promise<number>((resolve) => {
    ended = resolve
  })
  const store = await startLocal({
    port: flags.port,
    ...(flags.data === undefined ? {} : { dataDirectory: flags.data }),
    ...(flags.kind === undefined ? {} : { kind: flags.kind }),
    onExit: (reason) => {
      talk.failure(reason)
      ended(EXIT.failure)
    },
  })
  talk.event('ready', { endpoint: store.endpoint, kind: store.kind })
  talk.say(
    `DynamoDB (${store.kind}) at ${store.endpoint}, ${flags.data === undefined ? 'in memory' : `data in ${flags.data}`}. Ctrl-C ends it.`,
  )
  talk.say(`Try: headrace table create demo --key id:S --endpoint-url ${store.endpoint}`)
  process.once('SIGINT', () => ended(EXIT.done))
  process.once('SIGTERM', () => ended(EXIT.done))
  process.exitCode = await end
  await store.stop()
}
