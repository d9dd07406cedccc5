import { type CapacityFlags, benchCapacity as runCapacity } from '../benchCapacity.ts'
import { benchStrategies as runStrategies, type StrategiesFlags } from '../benchStrategies.ts'
import { exitCodeOf } from '../exitCode.ts'
import { Talk, type TalkOptions } from '../talk.ts'

/** `headrace bench strategies` */
export async function benchStrategies(flags: StrategiesFlags): Promise<void> {
  await told(flags, () => runStrategies(flags))
}

/** `headrace bench capacity` */
export async function benchCapacity(flags: CapacityFlags): Promise<void> {
  await told(flags, () => runCapacity(flags))
}

async function told(flags: TalkOptions, run: () => Promise<void>): Promise<void> {
  try {
    await run()
  } catch (error) {
    new Talk(flags).failure(error)
    process.exitCode = exitCodeOf(error)
  }
}
