import { HeadraceError } from '../runtime/headraceError.ts'
import { COPY_OPERATION } from './copy.ts'
import { EXPORT_OPERATION } from './exportTable.ts'
import { GENERATE_OPERATION } from './generate.ts'
import { LOAD_OPERATION } from './load.ts'
import { RUN_OPERATION } from './openJob.ts'
import type { Operation } from './operation.ts'
import { UNDO_OPERATION } from './undo.ts'
import { DELETE_OPERATION, UPDATE_OPERATION } from './updateAll.ts'

/** Every kind of job that leaves a description. Resume, threads, slices and Lambda read this list and know no names. */
const OPERATIONS: readonly Operation[] = [
  LOAD_OPERATION,
  UPDATE_OPERATION,
  DELETE_OPERATION,
  COPY_OPERATION,
  EXPORT_OPERATION,
  GENERATE_OPERATION,
  RUN_OPERATION,
  UNDO_OPERATION,
]

/** @throws {HeadraceError} `STATE` for one that a newer Headrace has */
export function operationNamed(name: string): Operation {
  const found = OPERATIONS.find((one) => one.name === name)
  if (found !== undefined) return found
  throw new HeadraceError('STATE', `this Headrace cannot run "${name}" jobs: use a newer Headrace`)
}

/** Names of the operations that run in slices. */
export const SLICED_OPERATIONS: readonly string[] = OPERATIONS.filter(({ slices }) => slices !== undefined).map(
  ({ name }) => name,
)
