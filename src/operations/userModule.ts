import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire, register } from 'node:module'
import { basename, isAbsolute, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { HeadraceError } from '../runtime/headraceError.ts'

/**
 * The function that a user's module exports as its default.
 *
 * Node runs TypeScript by itself from 22.18 on; before that a loader takes the types out.
 *
 * @param kind what it is for, such as `visitor`
 * @param example of such an export, for the error
 * @throws {HeadraceError} `VISITOR` when there is no such file, it can not be loaded, or exports no function
 */
export async function loadFunction<Value>(module: URL, kind: string, example: string): Promise<Value> {
  const loaded = await loadDefault(module, kind)
  if (typeof loaded === 'function') return loaded as Value
  const path = shortPath(fileURLToPath(module))
  const message = `the ${kind} module ${path} must have a function as its default export: ${example}`
  throw new HeadraceError('VISITOR', message)
}

/**
 * Whatever a user's module exports as its default; undefined for nothing.
 *
 * @throws {HeadraceError} `VISITOR` when there is no such file, or it can not be loaded
 */
export async function loadDefault(module: URL, kind: string): Promise<unknown> {
  const path = fileURLToPath(module)
  if (!existsSync(path)) throw new HeadraceError('VISITOR', `there is no ${kind} module ${shortPath(path)}`)
  if (/\.m?ts$/.test(path) && !('typescript' in process.features && process.features.typescript)) {
    register('./typescriptLoader.js', import.meta.url)
  }
  if (!findsHeadrace(path)) register('./packageLoader.js', import.meta.url)
  try {
    return ((await import(module.href)) as { default?: unknown }).default
  } catch (error) {
    const message = `the ${kind} module ${shortPath(path)} cannot be loaded: ${loadFault(error, path)}`
    throw new HeadraceError('VISITOR', message, { cause: error })
  }
}

/** What is wrong with a module, and what to do where the cause is not in its text. */
function loadFault(error: unknown, path: string): string {
  // The loader that strips types throws plain objects; whatever comes from another thread may be one, too.
  const { message = `${error}`, code, startLine } = error as { message?: string; code?: string; startLine?: number }
  const fault = startLine === undefined ? message : `line ${startLine}: ${message}`
  if (code === 'UnsupportedSyntax' || code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX')
    return `${fault}. Headrace strips types, as Node does: enum, namespace and parameter properties need a compiler`
  if (/\.js$/.test(path) && /Unexpected token 'export'|Cannot use import statement/.test(message))
    return `${fault}. Node reads it as CommonJS: call it ${basename(path, '.js')}.mjs, or set "type": "module" in package.json`
  return fault
}

/** Whether a module that imports `headrace` finds it, where it lies. */
function findsHeadrace(path: string): boolean {
  try {
    createRequire(path).resolve('headrace/package.json')
    return true
  } catch {
    return false
  }
}

/**
 * What tells a module from another, and from what it was before somebody edited it.
 *
 * @param kind as of {@link loadFunction}
 * @throws {HeadraceError} `VISITOR` when there is no such file, or it can not be read
 */
export function moduleSpec(module: URL, kind: string): { readonly module: string; readonly digest: string } {
  const path = fileURLToPath(module)
  const name = shortPath(path)
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    const { code, message: reason } = error as NodeJS.ErrnoException
    const message =
      code === 'ENOENT' ? `there is no ${kind} module ${name}` : `the ${kind} module ${name} cannot be read: ${reason}`
    throw new HeadraceError('VISITOR', message, { cause: error })
  }
  return { module: name, digest: createHash('sha256').update(bytes).digest('hex') }
}

/** As people name it: what lies below the working directory, from there. */
function shortPath(path: string): string {
  const inside = relative(process.cwd(), path)
  return inside.startsWith('..') || isAbsolute(inside) ? path : inside
}
