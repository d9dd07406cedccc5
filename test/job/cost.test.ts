import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { CostMeter, type PricedTable } from '../../src/job/costMeter.ts'
import { BUILT_IN_PRICES } from '../../src/job/priceTable.ts'
import { parsePrices, readPriceFile } from '../../src/job/readPriceFile.ts'
import { formatBytes, formatMoney } from '../../src/report/figures.ts'

const ON_DEMAND: PricedTable = { tableClass: 'STANDARD', billing: 'on demand', replicas: [] }
const MILLIONS = { readUnits: 2_000_000, writeUnits: 3_000_000 }

function amount(table: Partial<PricedTable>, units = MILLIONS, region = 'us-east-1'): number | undefined {
  const cost = new CostMeter({ ...ON_DEMAND, ...table }, region).costOf(units)
  return cost === undefined ? undefined : Math.round(cost.amount * 1e9) / 1e9
}

test('units cost what the price list says, by table class, billing and regions', () => {
  assert.equal(amount({}), 2 * 0.125 + 3 * 0.625)
  assert.equal(amount({ tableClass: 'STANDARD_INFREQUENT_ACCESS' }), 2 * 0.155 + 3 * 0.78)
  // A provisioned unit for an hour is 3,600 of them.
  const hourly = amount({ billing: 'provisioned' }, { readUnits: 3_600, writeUnits: 7_200 })!
  assert.ok(Math.abs(hourly - (0.00013 + 2 * 0.00065)) < 1e-12)
  // Each of three regions is written to; only one is read.
  assert.equal(amount({ replicas: ['eu-west-1', 'us-west-2'] }), 2 * 0.125 + 3 * 3 * 0.625)
})

test('what is not known is undefined, and never a failure', () => {
  assert.equal(amount({}, MILLIONS, 'mars-north-1'), undefined)
  assert.equal(amount({}, MILLIONS, 'constructor'), undefined)
  assert.equal(amount({ tableClass: 'GLACIAL' }), undefined)
  assert.equal(amount({ tableClass: 'toString' }), undefined)
  assert.equal(amount({ tableClass: 'STANDARD_INFREQUENT_ACCESS', replicas: ['eu-west-1'] }), undefined)
})

test('cost adds up: of two parts it is the sum, and more units never cost less', () => {
  const units = fc.record({ readUnits: fc.nat(1e9), writeUnits: fc.nat(1e9) })
  const table = fc.record({
    tableClass: fc.constantFrom('STANDARD', 'STANDARD_INFREQUENT_ACCESS'),
    billing: fc.constantFrom<PricedTable['billing']>('on demand', 'provisioned'),
    replicas: fc.constant([]),
  })
  fc.assert(
    fc.property(table, units, units, (priced, left, right) => {
      const meter = new CostMeter(priced, 'us-east-1')
      const both = {
        readUnits: left.readUnits + right.readUnits,
        writeUnits: left.writeUnits + right.writeUnits,
      }
      const [one, other, sum] = [left, right, both].map((part) => meter.costOf(part)!.amount) as [
        number,
        number,
        number,
      ]
      assert.ok(Math.abs(one + other - sum) <= 1e-9 * Math.max(1, sum))
      assert.ok(sum >= one)
    }),
  )
})

/** As AWS publishes it, cut to what matters. */
function offer(): object {
  const products: { [sku: string]: object } = {}
  const terms: { [sku: string]: object } = {}
  const add = (sku: string, attributes: object, ...prices: string[]): void => {
    products[sku] = { sku, attributes: { servicecode: 'AmazonDynamoDB', regionCode: 'eu-north-1', ...attributes } }
    const dimensions = prices.map((price, index) => [`${sku}.${index}`, { pricePerUnit: { USD: price } }])
    terms[sku] = { [`${sku}.TERM`]: { priceDimensions: Object.fromEntries(dimensions) } }
  }
  add('A', { group: 'DDB-ReadUnits', usagetype: 'EUN1-ReadRequestUnits' }, '0.0000001340')
  add('B', { group: 'DDB-WriteUnits', usagetype: 'EUN1-WriteRequestUnits' }, '0.0000006700')
  add('C', { group: 'DDB-ReadUnits', usagetype: 'EUN1-ReadCapacityUnit-Hrs' }, '0.0000000000', '0.0001386000')
  add('D', { group: 'DDB-WriteUnits', usagetype: 'EUN1-WriteCapacityUnit-Hrs' }, '0.0006930000', '0.0000000000')
  add('E', { group: 'DDB-ReplicatedWriteUnits', usagetype: 'EUN1-ReplWriteRequestUnits' }, '0.0000006700')
  add('F', { group: 'DDB-WriteUnitsIA', usagetype: 'EUN1-IA-WriteRequestUnits' }, '0.0000008300')
  add('G', { usagetype: 'EUN1-ExportDataSize-Bytes' }, '0.1056000000')
  add('H', { usagetype: 'EUN1-ImportDataSize-Bytes' }, '0.1584000000')
  add('I', { usagetype: 'EUN1-IncrementalExportDataSize-Bytes' }, '0.9')
  add('J', { usagetype: 'EUN1-VectorSearch' }, '0.002')
  return { offerCode: 'AmazonDynamoDB', publicationDate: '2026-10-02T11:22:33Z', products, terms: { OnDemand: terms } }
}

test("AWS's own price list is read, and a class that is not whole is not known", () => {
  const prices = parsePrices(offer())
  assert.equal(prices.asOf, '2026-10-02')
  const region = prices.regions['eu-north-1']!
  assert.deepEqual(Object.keys(region.classes), ['STANDARD'])
  assert.equal(region.exportPerGibibyte, 0.1056)
  assert.equal(region.importPerGibibyte, 0.1584)
  const cost = new CostMeter(ON_DEMAND, 'eu-north-1', prices).costOf(MILLIONS)!
  assert.ok(Math.abs(cost.amount - (2 * 0.134 + 3 * 0.67)) < 1e-9)
  assert.equal(cost.asOf, '2026-10-02')
  const hour = new CostMeter({ ...ON_DEMAND, billing: 'provisioned' }, 'eu-north-1', prices)
  assert.ok(Math.abs(hour.costOf({ readUnits: 3_600, writeUnits: 3_600 })!.amount - 0.0008316) < 1e-12)
})

test('a price file that is none says what it should be', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'headrace-prices-'))
  try {
    const path = join(directory, 'prices.json')
    const broken: [text: string, message: RegExp][] = [
      ['{', /cannot use the price file .*: .*JSON/],
      ['null', /neither the AWS price list/],
      ['{"asOf":"2026-01-01","currency":"USD"}', /neither the AWS price list/],
      [
        '{"asOf":"2026-01-01","currency":"EUR","regions":{"x":{"classes":{"STANDARD":{}}}}}',
        /onDemandReadsPerMillion of x/,
      ],
      ['{"products":{},"terms":{"OnDemand":{}}}', /has no prices/],
    ]
    for (const [text, message] of broken) {
      writeFileSync(path, text)
      await assert.rejects(readPriceFile(path), message)
    }
    await assert.rejects(readPriceFile(join(directory, 'none.json')), /There is no file/)
    writeFileSync(path, JSON.stringify(BUILT_IN_PRICES))
    assert.deepEqual(await readPriceFile(path), BUILT_IN_PRICES)
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('money and bytes are written with as many digits as tell something', () => {
  assert.equal(formatMoney(0, 'USD'), '$0.00')
  assert.equal(formatMoney(0.000001, 'USD'), 'less than $0.0001')
  assert.equal(formatMoney(0.00312, 'USD'), '$0.0031')
  assert.equal(formatMoney(12.345, 'EUR'), '12.35 EUR')
  assert.equal(formatMoney(1234.5, 'USD'), '$1,235')
  assert.equal(formatBytes(999), '999 bytes')
  assert.equal(formatBytes(5_242_880), '5.0 MB')
})
