import type { Checkpoint } from '../job/checkpoint.ts'
import type { JobSpec } from '../job/jobSpec.ts'

/** A part of a job: its segments of a table, or its files. Plain JSON. */
export interface Slice {
  /** From `describe()` of the job. */
  readonly job: JobSpec
  /** Which of them, from 0 on. */
  readonly index: number
  /** So many slices are the whole job. At most as many as the job has segments. */
  readonly of: number
  /** Where an earlier call stopped. Default: the beginning. */
  readonly cursor?: SliceCursor | undefined
}

/**
 * Where a slice goes on; plain JSON, some kilobytes at most, of no interest to others. Its files are the pieces that a slice of
 * an export has written.
 */
export type SliceCursor = Omit<Checkpoint, 'files'> & { readonly files?: Checkpoint['files'] | undefined }
