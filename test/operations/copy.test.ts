import assert from 'node:assert/strict'
import { test } from 'node:test'
import { copy, type JobReject, type PlainItem, type Transform } from '../../src/index.ts'
import { type Attributes, readAttributes } from '../../src/simulator/attributes.ts'
import { type Started, start, UNITS } from '../simulation/start.ts'

const ITEMS = 20

/** Two tables, of which the first has items. */
async function startWithTarget(): Promise<Started> {
  const at = await start({})
  at.simulated.fill(
    Array.from({ length: ITEMS }, (_, index) => readAttributes({ pk: { S: `k${index}` } })) as Attributes[],
  )
  at.service.addTable({
    name: 'target',
    key: { partition: { name: 'pk', type: 'S' } },
    capacity: { billing: 'provisioned', readUnitsPerSecond: UNITS, writeUnitsPerSecond: UNITS, burstSeconds: 0 },
  })
  return at
}

for (const isLater of [false, true]) {
  const how = isLater ? 'in a promise' : 'at once'

  test(`a list with what is no item costs that item alone, which the reject names (${how})`, async () => {
    const at = await startWithTarget()
    const rejects: JobReject[] = []
    const transform: Transform = (item) => {
      const made = (item['pk'] === 'k7' ? [item, null] : [item]) as PlainItem[]
      return isLater ? Promise.resolve(made) : made
    }
    const job = copy(at.table, at.database.table('target'), {
      transform,
      segments: 4,
      onReject: (reject) => rejects.push(reject),
    })
    const { written, rejected } = await at.clock.run(job.run())
    assert.deepEqual({ written, rejected }, { written: ITEMS - 1, rejected: 1 })
    const [{ code, place, message } = {} as JobReject] = rejects
    assert.deepEqual({ code, place }, { code: 'TransformFailed', place: 'pk="k7"' })
    assert.match(message, /element 2 of its list must be an item, not null/)
  })

  test(`an item that cannot be looked at fails the job, and is not passed over in silence (${how})`, async () => {
    const at = await startWithTarget()
    const transform: Transform = (item) => {
      const made = {
        ...item,
        get odd(): string {
          throw new RangeError('a getter of the transform')
        },
      }
      return isLater ? Promise.resolve(made) : made
    }
    const job = copy(at.table, at.database.table('target'), { transform, segments: 4, onReject: () => undefined })
    await assert.rejects(at.clock.run(job.run()), /a getter of the transform/)
  })
}
