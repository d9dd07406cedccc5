/** Capacity units as `1,234 RCU` or `1,234 WCU`. */
export function formatUnits(units: number, direction: 'read' | 'write'): string {
  return `${Math.round(units).toLocaleString('en-US')} ${nameOf(direction)}`
}

/** Capacity units per second as `12.5 RCU/s` or `1,234 WCU/s`. */
export function formatUnitRate(unitsPerSecond: number, direction: 'read' | 'write'): string {
  const isWhole = unitsPerSecond >= 100 || Number.isInteger(unitsPerSecond)
  const figure = isWhole ? Math.round(unitsPerSecond).toLocaleString('en-US') : unitsPerSecond.toFixed(1)
  return `${figure} ${nameOf(direction)}/s`
}

function nameOf(direction: 'read' | 'write'): string {
  return direction === 'read' ? 'RCU' : 'WCU'
}
