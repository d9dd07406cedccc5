/** Units of a table itself and of each of its indexes. */
interface Parts {
  own: number
  readonly indexes: Map<string, number>
}

/** The units that a request has used, as `ConsumedCapacity` tells of them. */
export class Consumption {
  readonly #tables = new Map<string, Parts>()

  add(table: string, index: string | undefined, units: number): void {
    let parts = this.#tables.get(table)
    if (parts === undefined) {
      parts = { own: 0, indexes: new Map() }
      this.#tables.set(table, parts)
    }
    if (index === undefined) parts.own += units
    else parts.indexes.set(index, (parts.indexes.get(index) ?? 0) + units)
  }

  /**
   * The member of an answer, one object for each table.
   *
   * @param wanted the request's `ReturnConsumedCapacity`: `TOTAL` for one figure, `INDEXES` for its parts too, which are
   *   those that used any
   */
  describe(wanted: unknown): object[] | undefined {
    if (wanted !== 'TOTAL' && wanted !== 'INDEXES') return undefined
    return [...this.#tables].map(([TableName, { own, indexes }]) => {
      let total = own
      for (const units of indexes.values()) total += units
      if (wanted === 'TOTAL') return { TableName, CapacityUnits: total }
      const parts = [...indexes].map(([name, units]) => [name, { CapacityUnits: units }])
      return {
        TableName,
        CapacityUnits: total,
        Table: { CapacityUnits: own },
        ...(parts.length === 0 ? {} : { GlobalSecondaryIndexes: Object.fromEntries(parts) }),
      }
    })
  }
}
