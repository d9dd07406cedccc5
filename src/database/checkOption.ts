/**
 * An option that is a whole number within bounds.
 *
 * @throws {TypeError} with the option's name, the value and the range
 */
export function checkWhole(name: string, value: number, least: number, most: number): number {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new TypeError(`${name} must be a whole number from ${least} to ${most}, not ${describe(value)}`)
  }
  return value
}

function describe(value: unknown): string {
  return typeof value === 'string' ? `the string "${value}"` : `${value}`
}
