import { resolve } from 'node:path'

/** Why a file can not be read, and what to do, as a sentence; from what Node's file system says. */
export function fileSentence(path: string, cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return `There is no file "${path}" (looked for ${resolve(path)}). Check the name.`
    case 'EISDIR':
      return `"${path}" is a directory. Name a file in it.`
    case 'EACCES':
    case 'EPERM':
      return `You have no permission to read "${path}". Check its permissions.`
    case 'EMFILE':
    case 'ENFILE':
      return `Cannot open "${path}": too many files are open. Raise the limit (ulimit -n).`
    default:
      return `Cannot read ${path === '-' ? 'standard input' : `"${path}"`}: ${cause instanceof Error ? cause.message : cause}`
  }
}
