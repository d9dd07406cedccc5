import type { Sink } from '../../src/storage/openSink.ts'

/** A disk that takes so many bytes of one file, and then a part of what it is given, and then nothing. */
export class SmallDisk {
  readonly #bytesMax: number
  #text = ''

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Empties the file. */
  open(): Sink {
    this.#text = ''
    return {
      write: (text) => {
        const left = this.#bytesMax - this.#text.length
        this.#text += text.slice(0, left)
        if (text.length <= left) return
        throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
      },
      close: () => undefined,
    }
  }

  lines(): string[] {
    return this.#text.split('\n').slice(0, -1)
  }
}
