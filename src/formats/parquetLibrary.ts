import { HeadraceError } from '../runtime/headraceError.ts'

/** Where a file of ours says what its columns hold; see {@link ParquetNote}. */
export const NOTE_KEY = 'headrace.schema'

/**
 * What brings items back from a file of ours exactly; JSON in its metadata. Others see ordinary columns.
 */
export interface ParquetNote {
  readonly version: 1
  /** Columns of text that stand for something else: JSON, DynamoDB JSON, numbers that no numeric column can hold. */
  readonly columns: { readonly [name: string]: 'json' | 'ddb' | 'N' }
  /** The column with the rest of each item, a map in DynamoDB JSON: attributes that are NULL, or have no column. */
  readonly rest?: string | undefined
}

type Reading = typeof import('hyparquet')
type Writing = typeof import('hyparquet-writer')
type Compressors = NonNullable<Parameters<Reading['parquetRead']>[0]['compressors']>

/** @throws {HeadraceError} `CONFIGURATION` where the package is not installed */
export function loadParquetReader(): Promise<Reading> {
  return loaded(() => import('hyparquet'), 'hyparquet')
}

/** @throws {HeadraceError} `CONFIGURATION` where the package is not installed */
export function loadParquetWriter(): Promise<Writing> {
  return loaded(() => import('hyparquet-writer'), 'hyparquet-writer')
}

/** @throws {HeadraceError} `CONFIGURATION` where the package is not installed */
export async function loadParquetCompressors(): Promise<Compressors> {
  const { compressors } = await loaded(() => import('hyparquet-compressors'), 'hyparquet-compressors')
  return compressors
}

async function loaded<Module>(load: () => Promise<Module>, name: string): Promise<Module> {
  try {
    return await load()
  } catch (cause) {
    const message = `this Parquet file needs the package ${name}, which is not installed: npm install ${name}`
    throw new HeadraceError('CONFIGURATION', message, { cause })
  }
}
