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
