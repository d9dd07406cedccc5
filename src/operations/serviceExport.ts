import type { Database } from '../database/database.ts'
import type { Table } from '../database/table.ts'
import { newMark } from '../job/newMark.ts'
import { sleep } from '../runtime/clock.ts'
import { HeadraceError } from '../runtime/headraceError.ts'
import { withSignal } from '../runtime/unlessAborted.ts'
import { readS3Address, type S3Options } from '../storage/s3.ts'

export interface ServiceExportOptions {
  /** Default `ddb-json`. */
  readonly format?: 'ddb-json' | 'ion' | undefined
  /** Whose bucket it must be, and how objects are encrypted. */
  readonly s3?: Pick<S3Options, 'expectedBucketOwner' | 'serverSideEncryption' | 'kmsKeyId'> | undefined
  /** Aborting cancels the request; an export that DynamoDB has started goes on. Default: none. */
  readonly signal?: AbortSignal | undefined
}

/** An export that DynamoDB makes by itself, as it stands. */
export interface ServiceExport {
  readonly arn: string
  readonly status: 'IN_PROGRESS' | 'COMPLETED' | 'FAILED'
  /** `s3://bucket/prefix/AWSDynamoDB/<ExportId>/manifest-summary.json`; undefined until it is completed. */
  readonly manifest: string | undefined
  readonly itemCount: number | undefined
  /** What is billed, in bytes; undefined until it is completed. */
  readonly billedBytes: number | undefined
}

export interface AwaitExportOptions {
  /** Ends the wait; the export goes on. */
  readonly signal?: AbortSignal | undefined
  /** Longest wait. Default 86,400,000: a day. */
  readonly waitMs?: number | undefined
  /** Told of each look at it. */
  readonly onLook?: ((now: ServiceExport) => void) | undefined
}

const WAIT_MS = 24 * 60 * 60_000
/** The smallest takes minutes. */
const LOOK_EVERY_MS_MIN = 1_000
const LOOK_EVERY_MS_MAX = 20_000
const PATIENCE_MS = 60_000

/**
 * Has DynamoDB export a table to S3 by itself, as it is now: it takes no read units, and needs point-in-time recovery. This
 * resolves when the export has begun; {@link awaitServiceExport} waits for it.
 *
 * @param url `s3://bucket/prefix`
 * @throws {TypeError} for what is no address, and for an encryption that the service does not know
 * @throws {HeadraceError} `CONFIGURATION` where point-in-time recovery is off; else as the service refuses
 * @example
 * const { arn } = await startServiceExport(orders, 's3://my-bucket/orders')
 */
export async function startServiceExport(
  table: Table,
  url: string,
  options: ServiceExportOptions = {},
): Promise<ServiceExport> {
  const { bucket, key } = readS3Address(url)
  const { format = 'ddb-json', s3 = {}, signal } = options
  const { expectedBucketOwner, serverSideEncryption, kmsKeyId } = s3
  if (serverSideEncryption === 'aws:kms:dsse')
    throw new TypeError('DynamoDB encrypts exports with AES256 or aws:kms, not with aws:kms:dsse')
  const prefix = key.replace(/\/+$/, '')
  const { service, random } = await withSignal(signal, () => table.database.open())
  const { arn } = await table.describe({ signal })
  try {
    const answer = await service.call(
      'ExportTableToPointInTime',
      {
        TableArn: arn,
        S3Bucket: bucket,
        ...(prefix === '' ? {} : { S3Prefix: prefix }),
        ExportFormat: format === 'ion' ? 'ION' : 'DYNAMODB_JSON',
        // A request whose answer is lost is sent again, and begins no second export.
        ClientToken: `headrace-${newMark(random)}`,
        S3BucketOwner: expectedBucketOwner,
        ...(serverSideEncryption === undefined
          ? {}
          : { S3SseAlgorithm: serverSideEncryption === 'aws:kms' ? 'KMS' : 'AES256' }),
        S3SseKmsKeyId: kmsKeyId,
      },
      { patienceMs: PATIENCE_MS, signal },
    )
    return exportOf(answer)
  } catch (cause) {
    if (!(cause instanceof HeadraceError) || !cause.message.includes('PointInTimeRecoveryUnavailable')) throw cause
    throw new HeadraceError(
      'CONFIGURATION',
      `a DynamoDB export needs point-in-time recovery, which is off for ${table.name}. It costs money, so turn it on ` +
        `yourself: aws dynamodb update-continuous-backups --table-name ${table.name} ` +
        '--point-in-time-recovery-specification PointInTimeRecoveryEnabled=true. Or read the table: headrace export ' +
        `${table.name} DIRECTORY --format native`,
      { cause, place: { table: table.name } },
    )
  }
}

/**
 * Waits until an export of DynamoDB's has ended.
 *
 * @returns how it stands: completed, or still under way when the time or the signal has ended the wait
 * @throws {HeadraceError} `REFUSED` when it failed, or there is none of that ARN
 */
export async function awaitServiceExport(
  database: Database,
  arn: string,
  options: AwaitExportOptions = {},
): Promise<ServiceExport> {
  const { signal, waitMs = WAIT_MS, onLook } = options
  const { service, clock } = await database.open()
  const deadline = clock.now() + waitMs
  const isStopped = (): boolean => signal?.aborted === true
  for (let everyMs = LOOK_EVERY_MS_MIN; ; everyMs = Math.min(everyMs * 1.5, LOOK_EVERY_MS_MAX)) {
    const answer = await service.call('DescribeExport', { ExportArn: arn }, { patienceMs: PATIENCE_MS })
    const now = exportOf(answer)
    onLook?.(now)
    if (now.status === 'FAILED') throw failure(now, answer as Answer)
    const leftMs = deadline - clock.now()
    if (now.status === 'COMPLETED' || leftMs <= 0 || isStopped()) return now
    try {
      await sleep(clock, Math.min(everyMs, leftMs), signal)
    } catch (error) {
      if (!isStopped()) throw error
      return now
    }
  }
}

interface Answer {
  ExportDescription?: {
    ExportArn?: string | undefined
    ExportStatus?: ServiceExport['status'] | undefined
    ExportManifest?: string | undefined
    S3Bucket?: string | undefined
    ItemCount?: number | undefined
    BilledSizeBytes?: number | undefined
    FailureCode?: string | undefined
    FailureMessage?: string | undefined
  }
}

function exportOf(answer: unknown): ServiceExport {
  const { ExportDescription: told = {} } = answer as Answer
  const { ExportArn: arn, ExportStatus: status, ExportManifest, S3Bucket, ItemCount, BilledSizeBytes } = told
  if (arn === undefined || status === undefined)
    throw new HeadraceError('REFUSED', 'the answer of DynamoDB lacks the ARN or the status of the export')
  return {
    arn,
    status,
    manifest: ExportManifest === undefined ? undefined : `s3://${S3Bucket}/${ExportManifest}`,
    itemCount: ItemCount,
    billedBytes: BilledSizeBytes,
  }
}

function failure({ arn }: ServiceExport, { ExportDescription: told }: Answer): HeadraceError {
  const why = [told?.FailureCode, told?.FailureMessage].filter((part) => part !== undefined).join(': ')
  return new HeadraceError('REFUSED', `the export ${arn} failed: ${why === '' ? 'DynamoDB gave no reason' : why}`)
}
