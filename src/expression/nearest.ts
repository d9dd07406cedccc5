/**
 * Of several names the one that may have been meant by a misspelt one.
 *
 * @returns undefined where none is near
 */
export function nearest(name: string, names: Iterable<string>): string | undefined {
  const wanted = plain(name)
  let best: string | undefined
  let bestDistance = wanted.length < 5 ? 1 : 2
  for (const other of names) {
    const candidate = plain(other)
    if (candidate === wanted) return other
    if (Math.abs(candidate.length - wanted.length) > bestDistance || wanted.length < 3) continue
    const distance = editDistance(wanted, candidate)
    if (distance > bestDistance || (distance === bestDistance && best !== undefined)) continue
    best = other
    bestDistance = distance
  }
  return best
}

/** Without what people forget: capitals, `_`, `-`, blanks. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[_\-\s]/g, '')
}

/** Letters to insert, delete, replace or swap with the next (optimal string alignment). */
function editDistance(left: string, right: string): number {
  let before: number[] = []
  let row = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= right.length; j += 1) {
      const same = left[i - 1] === right[j - 1]
      let cost = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (same ? 0 : 1))
      if (i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1]) {
        cost = Math.min(cost, before[j - 2]! + 1)
      }
      next.push(cost)
    }
    before = row
    row = next
  }
  return row[right.length]!
}
