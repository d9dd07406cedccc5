import type { PlainItem } from '../../item/attributeValue.ts'
import { checkChange } from '../tableChange.ts'
import { isFault, type TransformFault } from '../transform.ts'
import type { WrittenItem } from './writeCharge.ts'

/**
 * What a plan is to weigh of what a transform has made. Of what is there now only the attributes that a change names are known.
 *
 * @throws {Error} where it failed
 */
export function plannedWrites(
  made: readonly PlainItem[] | TransformFault,
  makesChanges: boolean,
): readonly WrittenItem[] {
  if (isFault(made)) throw new Error(made.fault)
  if (!makesChanges) return made.map((after) => ({ before: undefined, after }))
  return made.map((one) => {
    const change = checkChange(one)
    if ('put' in change) return { before: undefined, after: change.put }
    if ('delete' in change) return { before: change.delete, after: undefined }
    const { update: key, set = {}, expect = {} } = change
    return { before: { ...key, ...expect }, after: { ...key, ...expect, ...set } }
  })
}
