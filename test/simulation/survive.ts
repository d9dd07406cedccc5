import { sleep } from '../../src/runtime/clock.ts'
import type { Client } from './client.ts'
import type { Run } from './run.ts'

/**
 * Does the work, and in a world with a crash in it does it twice: the client vanishes in the midst of it, and another one
 * begins again from the start, as people do.
 *
 * @param onCrash called when it happened
 */
export async function survive<Value>(
  run: Run,
  work: (client: Client) => Promise<Value>,
  onCrash: () => void,
): Promise<Value> {
  const { world, clock, client, service } = run
  const { crash } = world
  if (crash === undefined) return work(client)
  const crashed = Symbol('crashed')
  const end = await Promise.race([work(client), sleep(clock, crash.afterMs).then(() => crashed)])
  if (typeof end !== 'symbol') return end
  client.vanish()
  onCrash()
  await sleep(clock, crash.downMs)
  run.again = { atMs: clock.now(), requests: service.log.requests.length, writes: service.log.writes.length }
  for (;;) {
    const next = run.connect()
    try {
      await next.table.describe()
      return await work(next)
    } catch (error) {
      // Not even the table can be looked at; somebody starts it once more.
      run.said.push(error)
      if (clock.now() > world.quietAtMs + 60_000) throw error
      next.vanish()
      await sleep(clock, 10_000)
    }
  }
}
