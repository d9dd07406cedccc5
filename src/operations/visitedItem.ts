import type { PlainItem } from '../item/attributeValue.ts'
import type { RawItem } from './prepareChange.ts'
import type { LedgerPage } from './segmentLedger.ts'

/** An item that a walk has come to: as it was read, and its place in the account. */
export class VisitedItem implements RawItem {
  readonly ledgerPage: LedgerPage
  readonly index: number
  /** Times that it was not as it had been read. */
  conflicts = 0
  /** What is asked for is that it goes. */
  deletes = false

  constructor(ledgerPage: LedgerPage, index: number) {
    this.ledgerPage = ledgerPage
    this.index = index
  }

  get item(): PlainItem {
    return this.ledgerPage.page.items[this.index]!
  }

  get segment(): number {
    return this.ledgerPage.page.segment
  }

  attribute(name: string): string | undefined {
    return this.ledgerPage.page.rawAttribute(this.index, name)
  }

  bytes(): number {
    return this.ledgerPage.page.rawBytes(this.index)
  }

  names(): readonly string[] {
    return this.ledgerPage.page.rawNames(this.index)
  }
}
