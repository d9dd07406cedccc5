// Bundles the command line into dist/cli/: a few files in place of hundreds, so that it starts in half the time and with few
// file descriptors. The library (dist/index.js and beside it) stays as the compiler leaves it.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

/** The command, and programs that it starts as threads or processes. All lie side by side, as they are named in the source. */
const PROGRAMS = [
  'src/cli/main.ts',
  'src/cli/strategyProcess.ts',
  'src/engines/sliceThread.ts',
  'src/local/storeHost.ts',
  'src/operations/packageLoader.ts',
  'src/operations/typescriptLoader.ts',
  'src/operations/visitorWorker.ts',
]

/** Optional, native, or with files of their own beside the code. */
const OUTSIDE = [
  '@aws-sdk/client-s3',
  '@aws-sdk/client-sqs',
  '@dynoxide/*',
  '@opentelemetry/api',
  '@resvg/resvg-js',
  '@swc/wasm-typescript',
  'aws-cdk-lib',
  'constructs',
  'dynalite',
  'hyparquet',
  'hyparquet-compressors',
  'hyparquet-writer',
  'ion-js',
]
const FOLDER = 'dist/cli'

rmSync(FOLDER, { recursive: true, force: true })
const { metafile } = await build({
  entryPoints: PROGRAMS,
  entryNames: '[name]',
  chunkNames: '[name]-[hash]',
  outdir: FOLDER,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  // Modules rather than CommonJS, where a package has both: parts of them can be left out.
  mainFields: ['module', 'main'],
  external: OUTSIDE,
  // What is left of CommonJS asks for Node's own modules.
  banner: {
    js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
  },
  // Names stay, for the stack traces of failures that nobody expects.
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  sourcemap: process.argv.includes('--source-maps') ? 'linked' : false,
  metafile: true,
  logLevel: 'warning',
})
writeFileSync(join(FOLDER, 'THIRD-PARTY.txt'), licencesOf(Object.keys(metafile.inputs)))

/** The licences of all packages that went into the bundle, which ask to be passed on with it. */
function licencesOf(inputs) {
  const packages = new Map()
  for (const input of inputs) {
    const folder = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1]
    if (folder === undefined || packages.has(folder)) continue
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    const file = ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'license', 'LICENCE']
      .map((candidate) => join(folder, candidate))
      .find((path) => existsSync(path))
    packages.set(folder, {
      title: `${name} ${version} (${license})`,
      text: file === undefined ? '' : readFileSync(file, 'utf8'),
    })
  }
  // Many share a licence word for word.
  const titles = new Map()
  for (const { title, text } of packages.values()) titles.set(text, [...(titles.get(text) ?? []), title])
  return [...titles]
    .map(([text, names]) => `${names.sort().join('\n')}\n\n${text.trim()}\n`)
    .join(`\n${'-'.repeat(80)}\n\n`)
}
