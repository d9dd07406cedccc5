import { closeSync, openSync } from 'node:fs'
import { devNull } from 'node:os'

/** As many as a checkpoint, its directory and the files of a job need at one moment, and some that are opened meanwhile. */
const RESERVED = 8

const reserve: number[] = []
let isReserving = false

/** Keeps descriptors back for a job's state: sockets and input files cannot take the last ones. */
export function reserveDescriptors(): void {
  isReserving = true
  try {
    while (reserve.length < RESERVED) reserve.push(openSync(devNull, 'r'))
  } catch {
    // What there is must do.
  }
}

/** Opens something; where there are too many files open, with descriptors that were kept back. */
export function openWithReserve(open: () => number): number {
  for (;;) {
    try {
      return open()
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      const kept = code === 'EMFILE' || code === 'ENFILE' ? reserve.pop() : undefined
      if (kept === undefined) throw error
      closeSync(kept)
    }
  }
}

/** Closes what was opened so, and keeps its descriptor back where one is missing. */
export function closeToReserve(file: number): void {
  closeSync(file)
  if (isReserving) reserveDescriptors()
}
