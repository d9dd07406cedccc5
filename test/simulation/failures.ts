/** What the checkers object to, the first few of it. */
export class Failures {
  readonly found: string[] = []

  add(message: string): void {
    if (this.found.length < 10) this.found.push(message)
  }

  /** Objects unless the two are the same. */
  same(what: string, actual: unknown, expected: unknown): void {
    if (actual !== expected) this.add(`${what}: ${actual}, not ${expected}`)
  }

  /** Objects unless this holds. */
  holds(what: string, condition: boolean): void {
    if (!condition) this.add(what)
  }
}
