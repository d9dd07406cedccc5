import { HeadraceError } from '../runtime/headraceError.ts'

/** What one check of `headrace doctor` found. */
export interface Finding {
  /** What was looked at, such as `region`. */
  readonly check: string
  /** `unknown` for what this endpoint cannot tell. */
  readonly state: 'ok' | 'unknown' | 'warning' | 'failure'
  readonly message: string
  /** What to do next. */
  readonly advice?: string | undefined
  /** What kind of failure it is. Default `other`. */
  readonly kind?: 'configuration' | 'refused' | 'other' | undefined
}

export function ok(check: string, message: string, advice?: string): Finding {
  return { check, state: 'ok', message, advice }
}

export function unknown(check: string, why: string): Finding {
  return { check, state: 'unknown', message: why }
}

export function warning(check: string, message: string, advice: string): Finding {
  return { check, state: 'warning', message, advice }
}

export function failure(check: string, message: string, advice: string, kind: Finding['kind'] = 'other'): Finding {
  return { check, state: 'failure', message, advice, kind }
}

/** Of a check that something before it makes impossible. */
export function notChecked(check: string, why: string, advice = 'Correct that first'): Finding {
  return warning(check, `not checked: ${why}`, advice)
}

/**
 * Of a check that threw. The last sentence of Headrace's errors says what to do.
 *
 * @param advice where the error gives none
 */
export function failureOf(check: string, error: unknown, advice: string): Finding {
  const text = error instanceof Error ? error.message : `${error}`
  const [, message = text, own] = /^(.*[^.])\. (["A-Z].*)$/s.exec(text) ?? []
  return failure(check, message, own ?? advice, kindOf(error))
}

function kindOf(error: unknown): Finding['kind'] {
  if (!(error instanceof HeadraceError)) return 'other'
  switch (error.code) {
    case 'CONFIGURATION':
    case 'CREDENTIALS':
      return 'configuration'
    case 'TABLE':
    case 'DENIED':
    case 'REFUSED':
      return 'refused'
    default:
      return 'other'
  }
}
