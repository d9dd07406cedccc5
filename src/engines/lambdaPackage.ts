import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, isAbsolute, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SLICED_OPERATIONS } from '../operations/registry.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { parseJson } from '../runtime/parseJson.ts'

/** So Lambda finds them as `index.slice`, `index.queue` and so on. */
const INDEX = "export * from './node_modules/headrace/dist/engines/lambdaFunctions.js'\n"

/** The command line's, and an emulator: a function has no use for them. */
const LEFT_OUT: ReadonlySet<string> = new Set(['commander', '@dynoxide/linux-x64'])
/** Taken where they are installed: for queues that messages are sent on to. */
const TAKEN_ALONG: readonly string[] = ['@aws-sdk/client-sqs']

/** @throws {TypeError} */
export function checkSlicedOperation(operation: string): void {
  if (SLICED_OPERATIONS.includes(operation)) return
  throw new TypeError(`"${operation}" jobs cannot run in slices: use one of ${SLICED_OPERATIONS.join(', ')}`)
}

/** What is no program, and would only be loaded up. */
const NO_PROGRAM = /\.(?:map|d\.[cm]?ts|md|markdown)$|[\\/](?:docs|dist-types|test|tests)$/

export interface LambdaPackageOptions {
  /** Visitors and what they import: files and folders below the working directory; each keeps its path. */
  readonly modules?: readonly string[] | undefined
}

/**
 * Makes a folder that is all a Lambda function needs, for `index.prepare`, `index.slice`, `index.finish` and `index.queue`: this
 * package, what it needs of others as they are installed here, and modules of one's own.
 *
 * @param folder emptied first, if it is there
 * @throws {HeadraceError} `CONFIGURATION` when a module is not there, or lies elsewhere
 */
export function packLambda(folder: string, { modules = [] }: LambdaPackageOptions = {}): void {
  const paths = modules.map(modulePath)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(join(folder, 'node_modules'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n')
  writeFileSync(join(folder, 'index.js'), INDEX)
  for (const path of paths) cpSync(resolve(path), join(folder, path), { recursive: true })
  const root = packageRoot(dirname(fileURLToPath(import.meta.url)))
  const own = join(folder, 'node_modules', 'headrace')
  mkdirSync(own)
  cpSync(join(root, 'package.json'), join(own, 'package.json'))
  // No function runs the command line.
  const commandLine = join(root, 'dist', 'cli')
  const filter = (path: string): boolean => path !== commandLine && isProgram(path)
  cpSync(join(root, 'dist'), join(own, 'dist'), { recursive: true, filter })
  copyDependencies(root, own, join(folder, 'node_modules'), TAKEN_ALONG)
}

/** What a package needs, and what that needs. Side by side, but for a second version, which lies within who needs it. */
function copyDependencies(from: string, to: string, shared: string, more: readonly string[] = []): void {
  const { dependencies = {}, optionalDependencies = {} } = readPackage(from)
  const optional = new Set([...Object.keys(optionalDependencies), ...more])
  for (const name of new Set([...Object.keys(dependencies), ...optional])) {
    if (LEFT_OUT.has(name)) continue
    const found = findPackage(name, from)
    if (found === undefined) {
      if (optional.has(name)) continue
      const message = `the package ${name} is not installed beside ${from}: run npm install`
      throw new HeadraceError('CONFIGURATION', message)
    }
    const there = join(shared, name)
    if (existsSync(there) && readPackage(there).version === readPackage(found).version) continue
    const target = existsSync(there) ? join(to, 'node_modules', name) : there
    const nested = join(found, 'node_modules')
    cpSync(found, target, {
      recursive: true,
      dereference: true,
      filter: (path) => path !== nested && isProgram(path),
    })
    copyDependencies(found, target, shared)
  }
}

/** As Node looks for it: beside those who need it, and further up. */
function findPackage(name: string, from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const path = join(folder, 'node_modules', name)
    if (existsSync(join(path, 'package.json'))) return path
    if (dirname(folder) === folder) return undefined
  }
}

function packageRoot(from: string): string {
  let folder = from
  while (!existsSync(join(folder, 'dist', 'index.js')) || !existsSync(join(folder, 'package.json'))) {
    if (dirname(folder) === folder)
      throw new HeadraceError('CONFIGURATION', `${from} is not inside an installed headrace package`)
    folder = dirname(folder)
  }
  return folder
}

interface PackageFile {
  readonly version?: string | undefined
  readonly dependencies?: { readonly [name: string]: string } | undefined
  readonly optionalDependencies?: { readonly [name: string]: string } | undefined
}

function readPackage(folder: string): PackageFile {
  return parseJson(readFileSync(join(folder, 'package.json'), 'utf8')) as PackageFile
}

function isProgram(path: string): boolean {
  return !NO_PROGRAM.test(path)
}

function modulePath(path: string): string {
  const inside = relative(process.cwd(), resolve(path))
  if (inside === '' || inside.startsWith('..') || isAbsolute(inside)) {
    const message = `${path} is not below ${process.cwd()}: the function loads the module from the same relative path`
    throw new HeadraceError('CONFIGURATION', message)
  }
  if (statSync(inside, { throwIfNoEntry: false }) === undefined)
    throw new HeadraceError('CONFIGURATION', `there is no module ${path}`)
  return inside
}
