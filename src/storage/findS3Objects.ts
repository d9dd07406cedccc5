import { nameOf, readS3Address, type S3, type S3Address, type S3Object } from './s3.ts'
import { StorageError } from './storageError.ts'
import { readWildcard } from './wildcard.ts'

export interface FoundObject {
  readonly address: S3Address
  readonly object: S3Object
}

/**
 * The objects that an address stands for: the one of that key, whatever it is called; those of a pattern (`*`, `**`, `?`);
 * or, below a prefix that ends in `/` or that no object is called by, those that are wanted. Sorted by their keys.
 *
 * @param isWanted of a key
 * @param wanted such an object in words, for the error
 * @throws {StorageError} for what is not there, and where nothing is wanted
 * @throws {TypeError} for what is no address
 */
export async function findS3Objects(
  s3: S3,
  url: string,
  isWanted: (key: string) => boolean,
  wanted: string,
): Promise<FoundObject[]> {
  const address = readS3Address(url)
  const { bucket, key } = address
  const below = async (prefix: string, isOne: (key: string) => boolean): Promise<FoundObject[]> => {
    const found = await s3.list({ bucket, key: prefix })
    return found
      .filter((object) => isOne(object.key) && !object.key.endsWith('/'))
      .map((object) => ({ address: { bucket, key: object.key }, object }))
  }
  const pattern = readWildcard(key)
  if (pattern !== undefined) {
    const matching = await below(pattern.prefix, pattern.matches)
    if (matching.length > 0) return matching
    throw new StorageError(`No object matches ${url}. Check bucket and pattern.`, url)
  }
  if (key !== '' && !key.endsWith('/')) {
    const object = await s3.find(address)
    if (object !== undefined) return [{ address, object }]
  }
  const inside = await below(key === '' || key.endsWith('/') ? key : `${key}/`, isWanted)
  if (inside.length > 0) return inside
  if (key !== '' && !key.endsWith('/')) await s3.head(address)
  throw new StorageError(
    `${nameOf(address)} has no ${wanted}. To read objects with other names, pass their names.`,
    url,
  )
}
