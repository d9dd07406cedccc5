import { createRequire, syncBuiltinESMExports } from 'node:module'

// Packing takes place in threads, and ends at no certain moment of virtual time. Here it is done when it is asked for, so
// that a seed is a run to the byte. To be imported in front of whatever packs.

const zlib = createRequire(import.meta.url)('node:zlib') as typeof import('node:zlib')
const gzipAtOnce = (bytes: Buffer, options: object, callback: (error: null, packed: Buffer) => void): void => {
  queueMicrotask(() => callback(null, zlib.gzipSync(bytes, options)))
}
zlib.gzip = gzipAtOnce as unknown as typeof zlib.gzip
syncBuiltinESMExports()
