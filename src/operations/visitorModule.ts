import { existsSync } from 'node:fs'
import { register } from 'node:module'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { HeadraceError } from '../runtime/headraceError.ts'
import type { Visitor } from './visitor.ts'

/**
 * The visitor that a module exports as its default.
 *
 * Node runs TypeScript by itself from 22.18 on; before that a loader takes the types out.
 *
 * @throws {HeadraceError} `VISITOR` when there is no such file, it can not be loaded, or exports no function
 */
export async function loadVisitor(path: string): Promise<Visitor> {
  const absolute = resolve(path)
  if (!existsSync(absolute)) throw new HeadraceError('VISITOR', `there is no visitor module ${path}`)
  if (/\.m?ts$/.test(path) && !('typescript' in process.features && process.features.typescript)) {
    register('./typescriptLoader.js', import.meta.url)
  }
  let loaded: { default?: unknown }
  try {
    loaded = (await import(pathToFileURL(absolute).href)) as { default?: unknown }
  } catch (error) {
    const reason = error instanceof Error ? error.message : `${error}`
    throw new HeadraceError('VISITOR', `the visitor module ${path} can not be loaded: ${reason}`, { cause: error })
  }
  if (typeof loaded.default !== 'function') {
    throw new HeadraceError(
      'VISITOR',
      `the visitor module ${path} must have a function as its default export: export default (item) => ({ set: { … } })`,
    )
  }
  return loaded.default as Visitor
}
