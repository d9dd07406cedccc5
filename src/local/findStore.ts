import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { LocalError } from './localError.ts'

export type StoreKind = 'dynoxide' | 'dynalite'

/** A store that is installed: the path of a program, or of a module for Node. */
export interface FoundStore {
  readonly kind: StoreKind
  readonly path: string
}

/** What is looked at to find one; the defaults are this machine's. */
export interface StoreSurroundings {
  readonly platform: string
  readonly arch: string
  readonly environment: { readonly [name: string]: string | undefined }
  /** The path of a module's file. Throws where the module is not installed. */
  readonly resolve: (specifier: string) => string
}

const here: StoreSurroundings = {
  platform: process.platform,
  arch: process.arch,
  environment: process.env,
  resolve: createRequire(import.meta.url).resolve,
}

/**
 * The store to start: the program that `HEADRACE_DYNOXIDE` names, else dynoxide from its package for this platform,
 * else dynalite.
 *
 * @param kind only this one
 * @throws {LocalError} saying what to install.
 */
export function findStore(kind?: StoreKind, surroundings: StoreSurroundings = here): FoundStore {
  const { platform, arch, environment, resolve } = surroundings
  const packageName = `@dynoxide/${platform}-${arch}`
  if (kind !== 'dynalite') {
    const named = environment['HEADRACE_DYNOXIDE']
    if (named !== undefined && named !== '') {
      if (existsSync(named)) return { kind: 'dynoxide', path: named }
      throw new LocalError(`HEADRACE_DYNOXIDE names "${named}", which does not exist. Correct or unset it.`)
    }
    const manifest = tryResolve(resolve, `${packageName}/package.json`)
    if (manifest !== undefined) {
      const path = join(dirname(manifest), platform === 'win32' ? 'dynoxide.exe' : 'dynoxide')
      if (existsSync(path)) return { kind: 'dynoxide', path }
    }
  }
  if (kind !== 'dynoxide') {
    const path = tryResolve(resolve, 'dynalite')
    if (path !== undefined) return { kind: 'dynalite', path }
  }
  const installs = [`npm install --save-dev ${packageName}`, 'npm install --save-dev dynalite']
  const advice =
    kind === undefined
      ? installs.join('\n  or, if there is no such package for your system:\n  ')
      : installs[kind === 'dynoxide' ? 0 : 1]
  throw new LocalError(`No ${kind ?? 'embedded DynamoDB'} is installed. Run\n  ${advice}`)
}

function tryResolve(resolve: (specifier: string) => string, specifier: string): string | undefined {
  try {
    return resolve(specifier)
  } catch {
    return undefined
  }
}
