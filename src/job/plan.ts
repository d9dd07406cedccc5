import type { PlainItem } from '../item/attributeValue.ts'
import type { Cost } from './costMeter.ts'
import type { Estimate } from './estimate.ts'

/** What a job would do, found out by reading a little and writing nothing. */
export interface Plan {
  readonly operation: string
  readonly table: string
  /** With region and account; empty for a table that is not there yet. */
  readonly tableArn: string
  /** Attributes of its key. */
  readonly keyNames: readonly string[]
  /** The table's, such as `us-east-1`; of an emulator what it was told to be. */
  readonly region: string
  /** The endpoint is on this machine: nothing is charged, and prices are what AWS would ask. */
  readonly emulator: boolean
  /** Items of the table, or records of the files, that are looked at. */
  readonly items: Estimate
  /** Of these items, by the service's rules. */
  readonly bytes: Estimate
  /** Items that are written or deleted, one of which several are made counting once; undefined for work that only reads. */
  readonly changes: Estimate | undefined
  readonly readUnits: Estimate
  /** Of the table and its indexes together. */
  readonly writeUnits: Estimate
  /** Of each secondary index, in units of its own; they are part of `writeUnits`. */
  readonly indexWriteUnits: { readonly [index: string]: number }
  /** How fast it reads and writes; undefined for what it does not do. */
  readonly read: PlanRate | undefined
  readonly write: PlanRate | undefined
  /** At these rates; undefined where nothing but machine and network bounds them. */
  readonly durationMs: number | undefined
  /** Undefined where the price of region or table class is not known. */
  readonly cost: PlanCost | undefined
  /** What AWS's own services would cost for this, where there is one that does it. */
  readonly native: readonly NativeService[]
  readonly sample: PlanSample
  /** Some items as they are and as they would be. */
  readonly samples: readonly ItemSample[]
  /** What to think of before it is run, a sentence each. */
  readonly warnings: readonly string[]
  /** What could not be found out, a sentence each. */
  readonly unknown: readonly string[]
}

export interface PlanRate {
  /** Units of the table a second; `Infinity` where nothing bounds it. */
  readonly unitsPerSecond: number
  /** Where that comes from, for people. */
  readonly why: string
}

export interface PlanCost extends Cost {
  readonly low: number
  /** `Infinity` where too little was seen to say. */
  readonly high: number
}

export interface NativeService {
  readonly service: 'export to S3' | 'import from S3'
  /** Undefined where the price is not known. */
  readonly amount: number | undefined
  readonly currency: string
  /** What it can not do, or needs, for people. */
  readonly limits: string
}

/** How much was looked at. */
export interface PlanSample {
  readonly items: number
  /** Of the table; 0 where none was read. */
  readonly readUnits: number
  /** Everything was looked at, so that counts are exact as of now. */
  readonly whole: boolean
  /** In words: `3,204 items of 32 segments`. */
  readonly words: string
}

export interface ItemSample {
  /** Undefined for an item that is new. */
  readonly before: PlainItem | undefined
  /** Undefined for an item that is deleted. */
  readonly after: PlainItem | undefined
}

export interface PlanOptions {
  /** Items to show before and after, 0 to 100. Default 3. */
  readonly samples?: number | undefined
  readonly signal?: AbortSignal | undefined
}
