/** Prices of one region and table class, of one unit each. */
export interface ClassPrices {
  /** A million read or write units on demand. */
  readonly onDemandReadsPerMillion: number
  readonly onDemandWritesPerMillion: number
  /** A million write units of a global table, in each region that it is in; undefined where not known. */
  readonly replicatedWritesPerMillion?: number | undefined
  /** One provisioned unit for an hour. */
  readonly provisionedReadUnitHour: number
  readonly provisionedWriteUnitHour: number
}

export interface RegionPrices {
  /** By table class, as `TableDescription.tableClass` has it. */
  readonly classes: { readonly [tableClass: string]: ClassPrices }
  /** Export to S3 and import from S3, of 1,073,741,824 bytes; undefined where not known. */
  readonly exportPerGibibyte?: number | undefined
  readonly importPerGibibyte?: number | undefined
}

/** What DynamoDB costs. `BUILT_IN_PRICES` has one region; `readPriceFile` reads what AWS publishes of any. */
export interface PriceTable {
  /** The day these prices were AWS's, `2026-09-11`. */
  readonly asOf: string
  /** `USD`, or as the file has it. */
  readonly currency: string
  /** By region, such as `us-east-1`. */
  readonly regions: { readonly [region: string]: RegionPrices }
}

/**
 * AWS's public price list as of that day. Only the region whose prices were checked is here: a price of another region
 * would be a guess, and is said to be unknown until `--price-file` names its list.
 */
export const BUILT_IN_PRICES: PriceTable = {
  asOf: '2026-09-11',
  currency: 'USD',
  regions: {
    'us-east-1': {
      classes: {
        STANDARD: {
          onDemandReadsPerMillion: 0.125,
          onDemandWritesPerMillion: 0.625,
          replicatedWritesPerMillion: 0.625,
          provisionedReadUnitHour: 0.00013,
          provisionedWriteUnitHour: 0.00065,
        },
        STANDARD_INFREQUENT_ACCESS: {
          onDemandReadsPerMillion: 0.155,
          onDemandWritesPerMillion: 0.78,
          provisionedReadUnitHour: 0.00016,
          provisionedWriteUnitHour: 0.00081,
        },
      },
      exportPerGibibyte: 0.1,
      importPerGibibyte: 0.15,
    },
  },
}
