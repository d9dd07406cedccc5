import { basename, dirname } from 'node:path/posix'
import { FormatError } from '../formats/formatError.ts'
import {
  CHECKSUM_ENDINGS,
  digestData,
  EXPORT_STARTED,
  isChecksumOf,
  MANIFEST_FILES,
  MANIFEST_SUMMARY,
  type ManifestText,
  type NativeFile,
  type NativeManifest,
  readNativeManifest,
} from '../formats/nativeManifest.ts'
import { counted } from '../runtime/counted.ts'
import { type FileTree, fileTree } from '../storage/fileTree.ts'
import { isS3, readS3Address, type S3, type S3Object } from '../storage/s3.ts'
import { StorageError } from '../storage/storageError.ts'
import { type FileOptions, file, type RecordSource, s3File } from './file.ts'

/** Data files that are checked at once. */
const CHECKING_MAX = 4

/** Exports of DynamoDB to S3 that lie somewhere, as their manifests tell. */
export interface NativeExports {
  readonly exports: readonly NativeExport[]
  /** Files that lie in the same directory and belong to none of them. */
  readonly others: readonly string[]
}

export interface NativeExport {
  readonly directory: string
  readonly manifest: NativeManifest
}

export interface NativeFilesOptions {
  readonly s3: S3
  /** Read all data and compare it with the manifests before anything is made of it. */
  readonly verify: boolean
  /** Told how many data files are about to be checked. */
  readonly onVerify: ((files: number) => void) | undefined
  readonly file: FileOptions
}

interface DataFile extends NativeFile {
  readonly found: S3Object
}

/**
 * Exports of DynamoDB to S3 (`AWSDynamoDB/<ExportId>/manifest-summary.json` and what it speaks of), in or below a directory,
 * or named by one of their manifests. Every checksum is compared, and every file that a manifest names is there, before this
 * resolves; undefined where there is no export.
 *
 * @param path of this machine, or an `s3://` address
 * @throws {FormatError} for a manifest or a data file that is not what it should be
 * @throws {StorageError} for what is not there or can not be read
 */
export async function findNativeFiles(path: string, options: NativeFilesOptions): Promise<NativeExports | undefined> {
  const tree = fileTree(path, options.s3)
  const { directories, below } = await directoriesOf(path, tree)
  if (directories.length === 0) return undefined
  const exports: NativeExport[] = []
  for (const directory of directories) {
    exports.push({ directory, manifest: await readManifest(directory, tree, options.verify) })
  }
  const owned = exports.flatMap(({ directory, manifest }) => [
    directory === '.' ? '' : `${directory}/`,
    ...(manifest.isIncremental ? [`${sharedData(directory)}/`] : []),
  ])
  return { exports, others: below.filter((name) => !owned.some((prefix) => name.startsWith(prefix))) }
}

/** Where exports lie, and all files around them. */
async function directoriesOf(path: string, tree: FileTree): Promise<{ directories: string[]; below: string[] }> {
  const name = slashed(path)
  if (isManifest(basename(name))) return { directories: [directoryOf(name)], below: [] }
  const below = (await tree.below(name)).map(slashed)
  const directories = new Set(below.filter((one) => isManifest(basename(one))).map(directoryOf))
  const begun = below.find(
    (one) => basename(one) === EXPORT_STARTED && !below.includes(within(directoryOf(one), MANIFEST_SUMMARY)),
  )
  if (begun !== undefined) {
    throw new StorageError(
      `${directoryOf(begun)} is an unfinished export: it has no ${MANIFEST_SUMMARY}. Wait for it to finish, or pass ` +
        'its directory "data" to load what is there',
      begun,
    )
  }
  return { directories: [...directories].sort(), below: below.sort() }
}

function isManifest(name: string): boolean {
  return name === MANIFEST_SUMMARY || name === MANIFEST_FILES
}

/** On Windows `/` does as well. */
function slashed(path: string): string {
  const name = process.platform === 'win32' && !isS3(path) ? path.replaceAll('\\', '/') : path
  return name.replace(/^(?:\.\/+)+(?=.)/, '')
}

/** As {@link slashed} names it: the directory where one stands has no name. */
function within(directory: string, name: string): string {
  return directory === '.' ? name : `${directory}/${name}`
}

function directoryOf(name: string): string {
  return isS3(name) ? name.slice(0, name.lastIndexOf('/')) : dirname(name)
}

/** Where the data of incremental exports lies, beside the directories of all of them. */
function sharedData(directory: string): string {
  return directory.includes('/') ? `${directoryOf(directory)}/data` : directory === '.' ? '../data' : 'data'
}

async function readManifest(directory: string, tree: FileTree, verify: boolean): Promise<NativeManifest> {
  const [summary, files] = [
    await readChecked(`${directory}/${MANIFEST_SUMMARY}`, tree, verify),
    await readChecked(`${directory}/${MANIFEST_FILES}`, tree, verify),
  ]
  return readNativeManifest(summary, files)
}

async function readChecked(name: string, tree: FileTree, verify: boolean): Promise<ManifestText> {
  const bytes = await tree.read(name)
  const stem = name.slice(0, -'.json'.length)
  for (const ending of CHECKSUM_ENDINGS) {
    if ((await tree.find(stem + ending)) === undefined) continue
    if (isChecksumOf((await tree.read(stem + ending)).toString('latin1'), bytes))
      return { name, text: bytes.toString() }
    const what = `it does not match its checksum ${basename(stem + ending)}. Download the export again.`
    throw new FormatError(what, { file: name })
  }
  if (!verify) return { name, text: bytes.toString() }
  const names = CHECKSUM_ENDINGS.map((ending) => basename(stem + ending)).join(' or ')
  throw new FormatError(`its checksum ${names} is missing. Download it, or pass --no-verify.`, { file: name })
}

/**
 * The data files of an export, each there and what its checksum says.
 *
 * @param phase of its records, see `RecordSource`
 * @throws {FormatError} and {StorageError} as {@link findNativeFiles}
 */
export async function nativeSources(
  { directory, manifest }: NativeExport,
  { s3, verify, onVerify, file: fileOptions }: NativeFilesOptions,
  phase: number,
): Promise<RecordSource[]> {
  const tree = fileTree(directory, s3)
  const { format, isIncremental } = manifest
  const files: DataFile[] = []
  // All are looked for first: that one is missing is known at once.
  for (const one of manifest.files) files.push(await findData(one, directory, tree))
  if (verify) {
    onVerify?.(files.length)
    const left = [...files]
    const check = async (): Promise<void> => {
      for (let one = left.shift(); one !== undefined; one = left.shift()) await checkData(one, tree)
    }
    const checks = await Promise.allSettled(Array.from({ length: CHECKING_MAX }, check))
    for (const ended of checks) if (ended.status === 'rejected') throw ended.reason
  }
  const options = { ...fileOptions, format, changes: isIncremental }
  return files.map(({ name, found, itemCount }) => {
    const source = isS3(name) ? s3File(s3, readS3Address(name), found, options) : file(name, options)
    return { ...withItemCount(source, itemCount), phase }
  })
}

/** The same source, which is known to have so many records. */
export function withItemCount(source: RecordSource, itemCount: number): RecordSource {
  const describe = async () => ({ ...((await source.describe?.()) ?? { name: source.name }), itemCount })
  return { ...source, itemCount, describe }
}

async function findData(one: NativeFile, directory: string, tree: FileTree): Promise<DataFile> {
  const places = [`${directory}/data/${one.name}`, `${sharedData(directory)}/${one.name}`]
  for (const name of places) {
    const found = await tree.find(name)
    if (found !== undefined) return { ...one, name, found }
  }
  const message = `${places[0]} is missing, but ${directory}/${MANIFEST_FILES} lists it. Download the export again.`
  throw new StorageError(message, places[0]!)
}

/** @throws {FormatError} for a file that is cut short, not the one that the manifest means, or of another number of items */
async function checkData({ name, found, md5, itemCount }: DataFile, tree: FileTree): Promise<void> {
  const { md5: is, lines } = await digestData(tree.open(name, found), name)
  if (is !== md5) {
    const what = `its MD5 is ${is}, but the manifest says ${md5}: it is damaged, or another file. Download the export again.`
    throw new FormatError(what, { file: name })
  }
  // An item is a line, in either format.
  if (lines !== itemCount)
    throw new FormatError(
      `it has ${counted(lines, 'item')}, but the manifest says ${itemCount}. Download the export again.`,
      {
        file: name,
      },
    )
}
