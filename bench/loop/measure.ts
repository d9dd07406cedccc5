import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type ShapeName, shapeNamed } from '../shapes.ts'

/** What a measured program is told on its command line; the harness says all of it. */
export interface LoopOptions {
  endpoint: string
  /** PEM text of the certificate to trust; over TLS only. */
  certificateAuthority: string | undefined
  /** Shape of the items; that of `items.ts` where none is said. */
  shape: ShapeName | undefined
  /** Items that count. */
  items: number
  /** Items before those, so that code is compiled and connections are open. */
  warmUpItems: number
  /** Requests in flight; of a scan, segments. */
  inFlight: number
  /** How many pages each segment of a scan has, in the measured part. */
  pagesPerSegment: number
  /** The same, of the table that is read before. */
  warmUpPages: number
}

/** What a measured program prints, in whatever language, as one line of JSON. */
export interface LoopResult {
  /** Items of the measured part. */
  items: number
  /** User and system time of the process in the measured part. */
  cpuMicros: number
  wallMs: number
  /** Most memory that the process had; 0 where it can not be known. */
  maxRssBytes: number
}

export function loopOptions(): LoopOptions {
  const { values } = parseArgs({
    options: {
      endpoint: { type: 'string' },
      ca: { type: 'string' },
      shape: { type: 'string' },
      items: { type: 'string', default: '100000' },
      'warm-up': { type: 'string', default: '25000' },
      'in-flight': { type: 'string', default: '16' },
      pages: { type: 'string', default: '1' },
      'warm-up-pages': { type: 'string', default: '1' },
    },
  })
  if (values.endpoint === undefined) throw new TypeError('--endpoint is missing: URL of a null server')
  return {
    endpoint: values.endpoint,
    certificateAuthority: values.ca === undefined ? undefined : readFileSync(values.ca, 'utf8'),
    shape: values.shape === undefined ? undefined : shapeNamed(values.shape),
    items: Number(values.items),
    warmUpItems: Number(values['warm-up']),
    inFlight: Number(values['in-flight']),
    pagesPerSegment: Number(values.pages),
    warmUpPages: Number(values['warm-up-pages']),
  }
}

/**
 * Runs the warm-up, then the measured part, and prints the result. Time is that of this process alone, user and system,
 * garbage collection and compilation included.
 */
export async function measure(run: { warmUp(): Promise<unknown>; measured(): Promise<number> }): Promise<void> {
  await run.warmUp()
  const cpuBefore = process.cpuUsage()
  const startMs = performance.now()
  const items = await run.measured()
  const wallMs = performance.now() - startMs
  const cpu = process.cpuUsage(cpuBefore)
  const result: LoopResult = {
    items,
    cpuMicros: cpu.user + cpu.system,
    wallMs,
    maxRssBytes: process.resourceUsage().maxRSS * 1_024,
  }
  console.log(JSON.stringify(result))
}
