import { decodeItem } from '../../src/item/decode.ts'
import { type Attributes, isSame } from '../../src/simulator/attributes.ts'
import type { Model } from './ask.ts'
import { checkTable } from './checkers.ts'
import type { RejectLine } from './livesJob.ts'
import type { Run } from './run.ts'

type Items = ReadonlyMap<string, Attributes>

/** An application changes, deletes and makes some items, between a job and its undoing. */
export function interfere({ service, world, random, met }: Run, start: Items, after: Items): void {
  const { partition, sort } = world.key
  for (const [key, item] of start) {
    const die = random()
    if (die >= 0.2) continue
    met.add('changed since')
    const names = sort === undefined ? [partition.name] : [partition.name, sort.name]
    const keyItem = Object.fromEntries(names.map((name) => [name, item[name]!]))
    const touched = touchedBy(item, after.get(key))
    service.writeFromBeside('things', keyItem, (now) => {
      if (now === undefined) return { ...keyItem, beside: { N: '1' } }
      if (die < 0.05) return undefined
      if (die < 0.1 || touched.length === 0) return { ...now, beside: { N: '1' } }
      return { ...now, [touched[0]!]: { S: 'by others' } }
    })
  }
}

/** Everything is as it was, but for what others have changed of it since, which is told, and stays as they left it. */
export function checkUndone(
  run: Run,
  { start, after, between }: { readonly start: Items; readonly after: Items; readonly between: Items },
  rejects: readonly RejectLine[],
): void {
  const { failures, records } = run
  const model: Model = new Map()
  const changedSince = new Set<string>()
  for (const [key, item] of start) {
    const [made, now] = [after.get(key), between.get(key)]
    const touched = touchedBy(item, made)
    const isDeleted = made === undefined
    let end: Attributes | undefined
    if (!isDeleted && touched.length === 0) end = now
    else if (isDeleted ? now === undefined : now !== undefined && isAlike(now, made, touched)) {
      end = isDeleted ? item : put(now!, item, touched)
    } else {
      changedSince.add(key)
      end = now
    }
    if (end !== undefined) model.set(key, end)
  }
  checkTable(run, model, 'undone')
  // Of an item whose change was under way in a life that ended there may be two images, each with an end of its own.
  const told = new Set(rejects.map(({ item }) => records.keyText(decodeItem(item!))))
  for (const key of changedSince) failures.holds(`nobody was told that ${key} was changed since`, told.has(key))
  for (const key of told) failures.holds(`${key} was told to be changed since`, changedSince.has(key))
  for (const { code } of rejects) failures.same('code', code, 'ChangedSince')
}

/** Names of the attributes that a job has changed; none when it is gone. */
function touchedBy(item: Attributes, made: Attributes | undefined): string[] {
  if (made === undefined) return []
  const names = new Set([...Object.keys(item), ...Object.keys(made)])
  return [...names].filter((name) => !isAlike(item, made, [name]))
}

function isAlike(left: Attributes, right: Attributes, names: readonly string[]): boolean {
  return isSame(pick(left, names), pick(right, names))
}

function pick(item: Attributes, names: readonly string[]): Attributes {
  return Object.fromEntries(names.flatMap((name) => (item[name] === undefined ? [] : [[name, item[name]]])))
}

function put(item: Attributes, from: Attributes, names: readonly string[]): Attributes {
  const rest = Object.keys(item).filter((name) => !names.includes(name))
  return { ...pick(item, rest), ...pick(from, names) }
}
