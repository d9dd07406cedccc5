import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { transformSync } from '@swc/wasm-typescript'

interface Loaded {
  format: string
  source?: string | ArrayBuffer | Uint8Array | undefined
  shortCircuit?: boolean | undefined
}

/**
 * Takes the types out of TypeScript modules, leaving everything else in its place: what Node does by itself from 22.18
 * on (nodejs.org/api/typescript.html, "Type stripping").
 */
export async function load(
  url: string,
  context: object,
  nextLoad: (url: string, context: object) => Promise<Loaded>,
): Promise<Loaded> {
  if (!/^file:.*\.m?ts$/.test(url)) return nextLoad(url, context)
  const source = await readFile(new URL(url), 'utf8')
  const { code } = transformSync(source, { mode: 'strip-only', filename: fileURLToPath(url) })
  return { format: 'module', source: code, shortCircuit: true }
}
