import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findStore } from '../local/findStore.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { parseJson } from '../runtime/parseJson.ts'
import { type Finding, failure, ok } from './finding.ts'

/** The oldest Node that Headrace runs on, as its package says; a test holds the two together. */
export const NODE_FROM: readonly [major: number, minor: number] = [20, 19]

/** What each optional package is for. */
const PACKAGES: readonly (readonly [purpose: string, names: readonly string[]])[] = [
  ['S3', ['@aws-sdk/client-s3']],
  ['Parquet', ['hyparquet', 'hyparquet-writer', 'hyparquet-compressors']],
  ['Ion', ['ion-js']],
]

/** Headrace itself and what it runs on: nothing is sent. */
export function examineProgram(headraceVersion: string): Finding[] {
  return [ok('headrace', `version ${headraceVersion}`), examineNode(process.versions.node), examinePackages()]
}

/** @param version such as `20.19.0` */
export function examineNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const supported = NODE_FROM.join('.')
  if (major < NODE_FROM[0] || (major === NODE_FROM[0] && minor < NODE_FROM[1])) {
    return failure('node', `version ${version} is too old`, `Install Node ${supported} or newer`, 'configuration')
  }
  const isNative = 'typescript' in process.features && Boolean(process.features.typescript)
  const how = isNative ? 'runs TypeScript modules itself' : 'TypeScript modules run through a loader'
  return ok('node', `version ${version} (supported: ${supported} or newer); ${how}`)
}

function examinePackages(): Finding {
  const installed: string[] = []
  const missing: string[] = []
  const commands: string[] = []
  for (const [purpose, names] of PACKAGES) {
    const absent = names.filter((name) => versionOf(name) === undefined)
    if (absent.length === 0) {
      installed.push(`${purpose} (${names[0]} ${versionOf(names[0]!)})`)
    } else {
      missing.push(purpose)
      commands.push(`npm install ${absent.join(' ')}`)
    }
  }
  try {
    installed.push(`embedded store (${findStore().kind})`)
  } catch (error) {
    if (!(error instanceof HeadraceError)) throw error
    missing.push('embedded store')
    commands.push(`npm install --save-dev @dynoxide/${process.platform}-${process.arch} or dynalite`)
  }
  const parts = [
    ...(installed.length === 0 ? [] : [`installed: ${installed.join(', ')}`]),
    ...(missing.length === 0 ? [] : [`not installed: ${missing.join(', ')}`]),
  ]
  return ok('packages', parts.join('; '), missing.length === 0 ? undefined : `If you need them: ${commands.join('; ')}`)
}

/** Undefined for one that is not installed. */
function versionOf(name: string): string | undefined {
  let folder: string
  try {
    folder = dirname(fileURLToPath(import.meta.resolve(name)))
  } catch (error) {
    if (/NOT_FOUND/.test(`${(error as NodeJS.ErrnoException).code}`)) return undefined
    throw error
  }
  // Upwards from the module to the package that it belongs to.
  for (let above = folder; above !== dirname(above); above = dirname(above)) {
    try {
      const manifest = parseJson(readFileSync(join(above, 'package.json'), 'utf8')) as Manifest
      if (manifest.name === name) return manifest.version
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  return undefined
}

interface Manifest {
  readonly name?: string | undefined
  readonly version?: string | undefined
}
