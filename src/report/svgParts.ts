/** Text within an SVG or a page, which may be read as XML: what XML has no way to write is shown as �. */
export function escapeText(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\p{Cc}\ufffe\uffff]/gu, (letter) => ('\t\n\r'.includes(letter) ? letter : '\ufffd'))
    .replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`)
}

/** A line from value to value; it breaks where one is missing. Empty when all are. */
export function linePath(
  values: readonly (number | undefined)[],
  x: (index: number) => number,
  y: (value: number) => number,
): string {
  let path = ''
  let drawing = false
  for (const [index, value] of values.entries()) {
    if (value === undefined || Number.isNaN(value)) {
      drawing = false
      continue
    }
    path += `${drawing ? 'L' : 'M'}${x(index).toFixed(1)} ${y(value).toFixed(1)}`
    drawing = true
  }
  return path
}

/** A line that keeps each value for the whole of its step. */
export function stepPath(
  values: readonly number[],
  x: (index: number) => number,
  y: (value: number) => number,
): string {
  let path = `M${x(0).toFixed(1)} ${y(values[0] ?? 0).toFixed(1)}`
  for (const [index, value] of values.entries()) {
    if (value !== values[index - 1] && index > 0) path += `V${y(value).toFixed(1)}`
    if (value !== values[index + 1]) path += `H${x(index + 1).toFixed(1)}`
  }
  return path
}

/** The distance between ticks, 1, 2 or 5 times a power of ten, so that there are about so many up to a maximum. */
export function tickStep(max: number, count: number): number {
  const rough = max / count
  const power = 10 ** Math.floor(Math.log10(rough))
  const factor = [1, 2, 5, 10].find((one) => one * power >= rough) ?? 10
  return factor * power
}
