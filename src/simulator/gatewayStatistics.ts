import { FAULTS, type Fault } from './faults.ts'
import type { GatewayRecord } from './gatewayCall.ts'

/** What a gateway did so far. */
export interface GatewayStatistics {
  readonly requests: number
  readonly requestsByOperation: { readonly [operation: string]: number }
  /** Requests refused whole for want of units. */
  readonly throttledRequests: number
  /** Items and statements of batches that came back for want of units, while others of their batch were made. */
  readonly throttledItems: number
  readonly faults: { readonly [Name in Fault]: number }
  /** Writes that the store made and the client was told of. */
  readonly acknowledgedWrites: number
  readonly readUnits: number
  readonly writeUnits: number
  /** The most requests that were under way at once. */
  readonly inFlightMax: number
  /** Requests that the store did not answer. */
  readonly upstreamFailures: number
}

type Mutable<Type> = { -readonly [Name in keyof Type]: Type[Name] }

/** Counts what happens, one request at a time. */
export class GatewayCounters {
  readonly #counts: Mutable<GatewayStatistics>
  readonly #operations: { [operation: string]: number } = {}
  readonly #faults: Mutable<GatewayStatistics['faults']>
  #inFlight = 0

  constructor() {
    this.#faults = Object.fromEntries(FAULTS.map((fault) => [fault, 0])) as Mutable<GatewayStatistics['faults']>
    this.#counts = {
      requests: 0,
      requestsByOperation: this.#operations,
      throttledRequests: 0,
      throttledItems: 0,
      faults: this.#faults,
      acknowledgedWrites: 0,
      readUnits: 0,
      writeUnits: 0,
      inFlightMax: 0,
      upstreamFailures: 0,
    }
  }

  begin(operation: string, fault: Fault | undefined): void {
    this.#counts.requests += 1
    this.#operations[operation] = (this.#operations[operation] ?? 0) + 1
    if (fault !== undefined) this.#faults[fault] += 1
    this.#inFlight += 1
    this.#counts.inFlightMax = Math.max(this.#counts.inFlightMax, this.#inFlight)
  }

  /** The store has answered, or was not asked. */
  served(record: GatewayRecord): void {
    const counts = this.#counts
    counts.readUnits += record.readUnits
    counts.writeUnits += record.writeUnits
    if (record.throttledItems === 0) return
    if (/^(?:ProvisionedThroughputExceeded|Throttling)Exception$/.test(record.error)) counts.throttledRequests += 1
    else counts.throttledItems += record.throttledItems
  }

  failedUpstream(): void {
    this.#counts.upstreamFailures += 1
  }

  /** The client has its answer, or never will. */
  end(record: GatewayRecord): void {
    this.#inFlight -= 1
    this.#counts.acknowledgedWrites += record.acknowledgedWrites
  }

  snapshot(): GatewayStatistics {
    return { ...this.#counts, requestsByOperation: { ...this.#operations }, faults: { ...this.#faults } }
  }
}
