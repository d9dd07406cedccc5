import { formatUnits } from '../runtime/units.ts'

/** 1234567 as `1,234,567`. */
export function formatCount(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

/** 12345 as `12,345`, 3.217 as `3.2`: as many digits as tell something. */
export function formatRate(value: number): string {
  return value >= 100 ? formatCount(value) : value.toFixed(1)
}

/** Milliseconds as `850 ms`, `12.3 s`, `4 min 05 s`, `2 h 07 min`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 1_000) return `${Math.round(durationMs)} ms`
  const seconds = durationMs / 1_000
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${`${Math.floor(seconds % 60)}`.padStart(2, '0')} s`
  return `${Math.floor(minutes / 60)} h ${`${minutes % 60}`.padStart(2, '0')} min`
}

/** An amount of money as `$0.0042`, `$12.34`, `$1,234`: as many digits as tell something; other currencies by their code. */
export function formatMoney(amount: number, currency: string): string {
  const digits = amount >= 1_000 ? 0 : amount >= 0.1 || amount === 0 ? 2 : 4
  const text =
    amount > 0 && amount < 0.0001
      ? '0.0001'
      : amount.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
  const money = currency === 'USD' ? `$${text}` : `${text} ${currency}`
  return amount > 0 && amount < 0.0001 ? `less than ${money}` : money
}

/** Bytes as `850 bytes`, `12.3 KB`, `4.1 GB`; a KB is 1,024 bytes, as DynamoDB counts. */
export function formatBytes(bytes: number): string {
  const units = ['bytes', 'KB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 1_000 && unit < units.length - 1) {
    value /= 1_024
    unit += 1
  }
  return `${unit === 0 ? formatCount(value) : value >= 100 ? value.toFixed(0) : value.toFixed(1)} ${units[unit]}`
}

/** `12 RCU, 1,234 WCU`: what was consumed, without what is 0. */
export function formatConsumed(spent: { readonly readUnits: number; readonly writeUnits: number }): string {
  return [
    ...(spent.readUnits > 0 ? [formatUnits(spent.readUnits, 'read')] : []),
    ...(spent.writeUnits > 0 ? [formatUnits(spent.writeUnits, 'write')] : []),
  ].join(', ')
}
