import { closeSync, openSync, writeSync } from 'node:fs'

/** Text on its way into a file. */
export interface Sink {
  /** @throws whatever the system says; some of the text may be in the file then */
  write(text: string): void
  close(): void
}

/**
 * A new file, readable by its owner only.
 *
 * @throws whatever the system says, also where there is a file of that name
 */
export function openSink(path: string): Sink {
  const file = openSync(path, 'ax', 0o600)
  return {
    write(text) {
      const bytes = Buffer.from(text)
      // A disk that is almost full takes a part, says how much, and fails at the rest.
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
    },
    close: () => closeSync(file),
  }
}
