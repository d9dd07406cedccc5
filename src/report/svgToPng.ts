import { HeadraceError } from '../runtime/headraceError.ts'

/** So that it is sharp on today's screens. */
const ZOOM = 2
const MIN_TEXT = '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20"><text y="15">0</text></svg>'

export interface PngOptions {
  /** Draw with the fonts of this machine. Default true; without, there are none. */
  readonly systemFonts?: boolean | undefined
}

/**
 * One of our pictures as a PNG, in its light colours, two pixels to one of its own.
 *
 * @throws {HeadraceError} `CONFIGURATION` where the package that draws is not installed, or this machine has no font
 */
export async function svgToPng(svg: string, { systemFonts = true }: PngOptions = {}): Promise<Uint8Array> {
  const { Resvg } = await loadResvg()
  // What it has to say of fonts that are not here goes to standard error, which is not ours.
  const options = { font: { loadSystemFonts: systemFonts }, logLevel: 'off' } as const
  // A picture without its words would be worse than none.
  if (new Resvg(MIN_TEXT, options).getBBox() === undefined) {
    throw new HeadraceError(
      'CONFIGURATION',
      'cannot draw a PNG: this machine has no font. Install one (such as the package fonts-dejavu-core), or choose a name ending in .svg',
    )
  }
  return new Resvg(plainColors(svg), { ...options, fitTo: { mode: 'zoom', value: ZOOM } }).render().asPng()
}

/** Variables by what they stand for: what draws knows neither them nor schemes of colours. */
export function plainColors(svg: string): string {
  const style = /<style>[^<]*<\/style>/.exec(svg)?.[0] ?? ''
  const colors = new Map<string, string>()
  // The first is the light one.
  for (const [, name, color] of style.matchAll(/(--[a-z-]+): *(#[0-9a-f]{6})/g))
    if (!colors.has(name!)) colors.set(name!, color!)
  return svg.replace(/var\((--[a-z-]+)\)/g, (all, name: string) => colors.get(name) ?? all)
}

async function loadResvg(): Promise<typeof import('@resvg/resvg-js')> {
  try {
    return await import('@resvg/resvg-js')
  } catch (cause) {
    const message =
      'a PNG needs the package @resvg/resvg-js, which is not installed: npm install @resvg/resvg-js, or choose a name ending in .svg'
    throw new HeadraceError('CONFIGURATION', message, { cause })
  }
}
