import { type Finding, failure, ok, warning } from './finding.ts'
import type { WireAnswer } from './wire.ts'

/** A signature is valid for five minutes before and after its time (IAM user guide, "Signature Version 4"). */
const FAILURE_MS = 4 * 60_000
const WARNING_MS = 60_000

/** Compares this machine's clock to the `date` header of the answer that came fastest. */
export function examineClock(answers: readonly Pick<WireAnswer, 'date' | 'sentAtMs' | 'latencyMs'>[]): {
  readonly finding: Finding
  readonly skewMs: number
} {
  const dated = answers.filter(({ date }) => Number.isFinite(Date.parse(date)))
  const [best] = dated.sort((one, other) => one.latencyMs - other.latencyMs)
  if (best === undefined) {
    const advice = 'Compare it yourself: signatures allow 5 minutes'
    return { finding: warning('clock', 'not checked: the endpoint does not send its time', advice), skewMs: 0 }
  }
  // The header has whole seconds: half of one is lost on average.
  const skewMs = Date.parse(best.date) + 500 - (best.sentAtMs + best.latencyMs / 2)
  const seconds = Math.round(Math.abs(skewMs) / 1_000)
  if (seconds <= 1) return { finding: ok('clock', 'within 1 s of the service'), skewMs: 0 }
  const off = `${seconds} s ${skewMs > 0 ? 'behind' : 'ahead of'} the service`
  if (Math.abs(skewMs) > FAILURE_MS) {
    const message = `this machine is ${off}: signatures allow 300 s`
    return { finding: failure('clock', message, SET_CLOCK, 'configuration'), skewMs }
  }
  if (Math.abs(skewMs) > WARNING_MS)
    return { finding: warning('clock', `this machine is ${off}: signatures allow 300 s`, SET_CLOCK), skewMs }
  return { finding: ok('clock', `this machine is ${off}`), skewMs }
}

export const SET_CLOCK = "Set this machine's clock, and let NTP keep it right"
