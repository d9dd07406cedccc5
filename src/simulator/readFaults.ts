import { checkFaults, FAULTS, type Fault, type FaultPlan } from './faults.ts'

/** Items and statements that fail on their own within a batch that does not. */
const PART = 'part of batch'

/**
 * Reads faults as people write them: `throttle=0.1, reset after=0.02`. `part of batch` is the share of the items of a
 * batch that fail on their own.
 *
 * @throws {TypeError} that names what there is
 */
export function readFaults(text: string): FaultPlan {
  const shares: { [Name in Fault]?: number } = {}
  let partFailureShare = 0
  for (const part of text.split(',')) {
    const match = /^\s*([a-z ]+?)\s*=\s*(\d*\.?\d+)\s*$/.exec(part)
    const name = match?.[1]
    if (name !== PART && !(FAULTS as readonly (string | undefined)[]).includes(name)) {
      throw new TypeError(
        `"${part.trim()}" is not a fault and its share, such as throttle=0.1: faults are ${[...FAULTS, PART].join(', ')}`,
      )
    }
    if (name === PART) partFailureShare = Number(match![2])
    else shares[name as Fault] = Number(match![2])
  }
  const plan: FaultPlan = { shares, partFailureShare }
  checkFaults(plan)
  return plan
}
