import { readFile } from 'node:fs/promises'
import { HeadraceError } from '../runtime/headraceError.ts'
import { parseJson } from '../runtime/parseJson.ts'
import { fileSentence } from '../storage/fileSentence.ts'
import { StorageError } from '../storage/storageError.ts'
import type { ClassPrices, PriceTable, RegionPrices } from './priceTable.ts'

/**
 * A table of prices from a file: a {@link PriceTable} in JSON, or AWS's own price list of one region or of all, as
 * `https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/AmazonDynamoDB/current/REGION/index.json` has it.
 *
 * @throws {StorageError} when it can not be read
 * @throws {HeadraceError} `CONFIGURATION` when it is neither
 */
export async function readPriceFile(path: string): Promise<PriceTable> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw new StorageError(fileSentence(path, cause), path, { cause })
  }
  try {
    return parsePrices(parseJson(text))
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : `${cause}`
    throw new HeadraceError('CONFIGURATION', `cannot use the price file ${path}: ${reason}`, { cause })
  }
}

/** @throws {TypeError} naming what is missing */
export function parsePrices(value: unknown): PriceTable {
  const table = value as Partial<PriceTable> & Partial<Offer>
  if (table?.products !== undefined && table.terms?.OnDemand !== undefined) return fromOffer(table as Offer)
  if (typeof table?.asOf !== 'string' || typeof table.currency !== 'string' || typeof table.regions !== 'object') {
    throw new TypeError(
      'it is neither the AWS price list for DynamoDB nor an object with "asOf", "currency" and "regions"',
    )
  }
  for (const [region, { classes }] of Object.entries(table.regions)) {
    for (const [name, prices] of Object.entries(classes ?? {})) checkClass(`${region}, ${name}`, prices)
  }
  return table as PriceTable
}

const NEEDED = [
  'onDemandReadsPerMillion',
  'onDemandWritesPerMillion',
  'provisionedReadUnitHour',
  'provisionedWriteUnitHour',
] as const

function checkClass(where: string, prices: ClassPrices): void {
  for (const name of NEEDED) {
    const price: unknown = prices[name]
    if (typeof price !== 'number' || !(price >= 0))
      throw new TypeError(`${name} of ${where} is not a valid price: ${price}`)
  }
}

/** The public price list, as far as it is looked at (AWS billing user guide, "Reading the service price list file"). */
interface Offer {
  readonly publicationDate?: string | undefined
  readonly products: { readonly [sku: string]: { readonly attributes?: { readonly [name: string]: string } } }
  readonly terms: {
    readonly OnDemand: {
      readonly [sku: string]: { readonly [term: string]: { readonly priceDimensions?: Dimensions | undefined } }
    }
  }
}

type Dimensions = {
  readonly [code: string]: { readonly pricePerUnit?: { readonly [currency: string]: string } }
}

type Draft = { -readonly [Name in keyof ClassPrices]?: ClassPrices[Name] }
interface RegionDraft {
  readonly classes: Map<string, Draft>
  exportPerGibibyte?: number | undefined
  importPerGibibyte?: number | undefined
}

const GROUP = /^DDB-(Read|Write|ReplicatedWrite)Units(IA)?$/

function fromOffer(offer: Offer): PriceTable {
  const regions = new Map<string, RegionDraft>()
  let currency = 'USD'
  for (const [sku, { attributes }] of Object.entries(offer.products)) {
    const region = attributes?.['regionCode']
    const found = highestPrice(offer.terms.OnDemand[sku] ?? {})
    if (attributes === undefined || region === undefined || found === undefined) continue
    currency = found.currency
    let prices = regions.get(region)
    if (prices === undefined) {
      prices = { classes: new Map() }
      regions.set(region, prices)
    }
    note(prices, attributes, found.price)
  }
  if (regions.size === 0) throw new TypeError('the price list has no prices')
  return {
    asOf: offer.publicationDate?.slice(0, 10) ?? 'an unknown date',
    currency,
    regions: Object.fromEntries([...regions].map(([region, draft]) => [region, finish(draft)])),
  }
}

/** Of several steps the one that is left when what is free is used up. */
function highestPrice(terms: { readonly [term: string]: { readonly priceDimensions?: Dimensions | undefined } }) {
  let highest: { price: number; currency: string } | undefined
  for (const { priceDimensions = {} } of Object.values(terms)) {
    for (const { pricePerUnit = {} } of Object.values(priceDimensions)) {
      for (const [currency, text] of Object.entries(pricePerUnit)) {
        const price = Number(text)
        if (price > 0 && price > (highest?.price ?? 0)) highest = { price, currency }
      }
    }
  }
  return highest
}

function note(region: RegionDraft, attributes: { readonly [name: string]: string }, price: number): void {
  const usage = attributes['usagetype'] ?? ''
  if (/(?:^|-)ExportDataSize-Bytes$/.test(usage)) region.exportPerGibibyte = price
  if (/(?:^|-)ImportDataSize-Bytes$/.test(usage)) region.importPerGibibyte = price
  const match = GROUP.exec(attributes['group'] ?? '')
  if (match === null) return
  const name = match[2] === undefined ? 'STANDARD' : 'STANDARD_INFREQUENT_ACCESS'
  let prices = region.classes.get(name)
  if (prices === undefined) {
    prices = {}
    region.classes.set(name, prices)
  }
  const onDemand = /RequestUnits/.test(usage)
  const provisioned = /CapacityUnit-Hrs/.test(usage)
  if (match[1] === 'Read' && onDemand) prices.onDemandReadsPerMillion = price * 1_000_000
  else if (match[1] === 'Read' && provisioned) prices.provisionedReadUnitHour = price
  else if (match[1] === 'Write' && onDemand) prices.onDemandWritesPerMillion = price * 1_000_000
  else if (match[1] === 'Write' && provisioned) prices.provisionedWriteUnitHour = price
  else if (match[1] === 'ReplicatedWrite' && onDemand) prices.replicatedWritesPerMillion = price * 1_000_000
}

/** A class of which something is missing is not known. */
function finish({ classes, exportPerGibibyte, importPerGibibyte }: RegionDraft): RegionPrices {
  const whole = [...classes].filter(([, prices]) => NEEDED.every((name) => prices[name] !== undefined))
  return { classes: Object.fromEntries(whole) as RegionPrices['classes'], exportPerGibibyte, importPerGibibyte }
}
