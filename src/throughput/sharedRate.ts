/** Units a second that several processes spend together. */
export interface SharedRate {
  /** One more that spends of it. */
  join(nowMs: number): SharedBudget
}

/** What a limiter asks of it; see `UnitBucket`. */
export interface SharedBudget {
  shortMs(units: number, nowMs: number): number
  spend(units: number): void
  settle(estimatedUnits: number, consumedUnits: number, spentAtMs: number): void
  /** Called when there may be more than a moment ago. */
  onGrant: (() => void) | undefined
  /** Spends no more, and releases timers. */
  close(): void
}
