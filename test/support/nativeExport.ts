import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

export const EXPORT_ID = '01693685827463-2d8752fd'

export interface MadeExport {
  readonly format?: string
  readonly isIncremental?: boolean
  /** Default {@link EXPORT_ID}. */
  readonly id?: string
  /** The point in time of a full one. */
  readonly exportTime?: string
  /** The window of an incremental one. */
  readonly from?: string
  readonly to?: string
  /** Of each data file. */
  readonly files: readonly (readonly string[])[]
}

export function md5(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('base64')
}

/**
 * The files of an export of DynamoDB to S3, by their keys, made to the documented layout (developer guide, "DynamoDB table
 * export output format"), by a hand other than the one that reads them.
 */
export function nativeExport({
  format = 'DYNAMODB_JSON',
  isIncremental = false,
  id = EXPORT_ID,
  exportTime = '2023-09-02T20:17:00.000Z',
  from,
  to,
  files,
}: MadeExport): Map<string, Buffer> {
  const root = 'backups/AWSDynamoDB'
  const made = new Map<string, Buffer>()
  const ending = format === 'ION' ? 'ion.gz' : 'json.gz'
  const lines = files.map((records, index) => {
    const bytes = gzipSync(records.map((record) => `${record}\n`).join(''))
    const key = `${root}/${isIncremental ? '' : `${id}/`}data/${id === EXPORT_ID ? 'sxq2l3' : id.slice(-8)}${index}zg4.${ending}`
    made.set(key, bytes)
    return JSON.stringify({
      itemCount: records.length,
      md5Checksum: md5(bytes),
      etag: `${index}-1`,
      dataFileS3Key: key,
    })
  })
  const summary = {
    version: isIncremental ? '2023-08-01' : '2020-06-30',
    exportArn: `arn:aws:dynamodb:us-east-1:123456789012:table/things/export/${id}`,
    startTime: '2023-09-02T20:17:07.463Z',
    endTime: '2023-09-02T20:22:47.463Z',
    tableArn: 'arn:aws:dynamodb:us-east-1:123456789012:table/things',
    tableId: '12345a12-abcd-123a-ab12-1234abc12345',
    exportTime,
    s3Bucket: 'bucket',
    s3Prefix: 'backups',
    s3SseAlgorithm: 'AES256',
    s3SseKmsKeyId: null,
    manifestFilesS3Key: `${root}/${id}/manifest-files.json`,
    billedSizeBytes: 0,
    itemCount: files.flat().length,
    outputFormat: format,
    ...(isIncremental ? { exportType: 'INCREMENTAL_EXPORT', outputView: 'NEW_AND_OLD_IMAGES' } : {}),
    ...(from === undefined ? {} : { exportFromTime: from, exportToTime: to }),
  }
  const manifest = (name: string, text: string): void => {
    made.set(`${root}/${id}/${name}.json`, Buffer.from(text))
    made.set(`${root}/${id}/${name}.checksum`, Buffer.from(md5(Buffer.from(text))))
  }
  made.set(`${root}/${id}/_started`, Buffer.alloc(0))
  manifest('manifest-files', lines.map((line) => `${line}\n`).join(''))
  manifest('manifest-summary', JSON.stringify(summary))
  return made
}

/** @returns the directory of the export */
export function writeExport(directory: string, made: ReadonlyMap<string, Uint8Array>, id: string = EXPORT_ID): string {
  for (const [key, bytes] of made) {
    mkdirSync(join(directory, key, '..'), { recursive: true })
    writeFileSync(join(directory, key), bytes)
  }
  return join(directory, 'backups/AWSDynamoDB', id)
}
