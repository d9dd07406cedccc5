import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

/** What a measured program is told on its command line; the harness says all of it. */
export interface LoopOptions {
  endpoint: string
  /** PEM text of the certificate to trust; over TLS only. */
  certificateAuthority: string | undefined
  /** Items that count. */
  items: number
  /** Items before those, so that code is compiled and connections are open. */
  warmUpItems: number
  /** How many pages each segment of a scan has, in the measured part. */
  pagesPerSegment: number
}

/** What a measured program prints, as one line of JSON. */
export interface LoopResult {
  client: string
  path: string
  tls: boolean
  items: number
  cpuMicrosPerItem: number
  itemsPerSecond: number
  peakRssMegabytes: number
}

export function loopOptions(): LoopOptions {
  const { values } = parseArgs({
    options: {
      endpoint: { type: 'string' },
      ca: { type: 'string' },
      items: { type: 'string', default: '100000' },
      'warm-up': { type: 'string', default: '25000' },
      pages: { type: 'string', default: '1' },
    },
  })
  if (values.endpoint === undefined) throw new TypeError('--endpoint is missing: URL of a null server')
  return {
    endpoint: values.endpoint,
    certificateAuthority: values.ca === undefined ? undefined : readFileSync(values.ca, 'utf8'),
    items: Number(values.items),
    warmUpItems: Number(values['warm-up']),
    pagesPerSegment: Number(values.pages),
  }
}

/**
 * Runs the warm-up, then the measured part, and prints the result. Time is that of this process alone, user and system,
 * garbage collection and compilation included.
 */
export async function measure(
  client: string,
  path: 'publish' | 'update' | 'scan',
  options: LoopOptions,
  run: { warmUp(): Promise<unknown>; measured(): Promise<number> },
): Promise<void> {
  await run.warmUp()
  const cpuBefore = process.cpuUsage()
  const startMs = performance.now()
  const items = await run.measured()
  const wallMs = performance.now() - startMs
  const cpu = process.cpuUsage(cpuBefore)
  const result: LoopResult = {
    client,
    path,
    tls: options.endpoint.startsWith('https:'),
    items,
    cpuMicrosPerItem: (cpu.user + cpu.system) / items,
    itemsPerSecond: (items / wallMs) * 1_000,
    peakRssMegabytes: process.resourceUsage().maxRSS / 1_024,
  }
  console.log(JSON.stringify(result))
}
