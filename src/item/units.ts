/**
 * Write units for an item of this size: one for each started KiB, at least one (developer guide, "DynamoDB read and
 * write operations").
 */
export function writeUnits(sizeBytes: number): number {
  return sizeBytes <= 1_024 ? 1 : Math.ceil(sizeBytes / 1_024)
}

/** Strongly consistent read units for this many bytes: one for each started 4 KiB, at least one; eventual is half. */
export function readUnits(sizeBytes: number): number {
  return sizeBytes <= 4_096 ? 1 : Math.ceil(sizeBytes / 4_096)
}

/** No request consumes this many: 25 items of 400 KB in a table with 25 indexes are half of it. */
const UNITS_MAX = 1_000_000

/**
 * Capacity units as an endpoint reports them; undefined for what cannot be a number of units. Of those that are there,
 * one that counts as it stands would switch a rate limit off, or make every figure after it NaN.
 */
export function reportedUnits(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 && value <= UNITS_MAX ? value : undefined
}
