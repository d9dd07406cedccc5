import type { Random } from '../../src/runtime/random.ts'
import type { Disk, DiskFile } from '../../src/storage/disk.ts'

/** A file, whatever it is called. */
interface Content {
  bytes: Buffer
  /** What a machine that loses power keeps for certain. */
  synced: Buffer
}

type Change = { readonly path: string; readonly content: Content | undefined }

/**
 * A disk that forgets what it may forget. When its machine goes down, what was not synced is kept, lost, or torn, and names
 * that were not synced are as they were or as they became, in the order in which they were given.
 */
export class SimulatedDisk {
  readonly #names = new Map<string, Content>()
  /** Names as they are for certain, and what was changed in them since. */
  readonly #syncedNames = new Map<string, Content>()
  #changes: Change[] = []
  readonly #random: Random
  /** Bytes that can still be written. */
  bytesLeft = Number.POSITIVE_INFINITY
  readonly #sleep: (ms: number) => Promise<void>

  constructor(random: Random, sleep: (ms: number) => Promise<void>) {
    this.#random = random
    this.#sleep = sleep
  }

  read(path: string): Buffer | undefined {
    return this.#names.get(path)?.bytes
  }

  /** Of all that is there. */
  get paths(): string[] {
    return [...this.#names.keys()]
  }

  /** The disk as one process has it, until that is gone. */
  session(): { readonly disk: Disk; kill(): void } {
    let alive = true
    const never = new Promise<void>(() => undefined)
    const guarded = <Value>(work: () => Value, otherwise: Value): Value => (alive ? work() : otherwise)
    const handle = (content: Content): DiskFile => {
      const size = (): number => content.bytes.length
      return {
        get size() {
          return size()
        },
        write: (bytes) => guarded(() => this.#append(content, bytes), undefined),
        truncate: (length) =>
          guarded(() => {
            content.bytes = Buffer.from(content.bytes.subarray(0, length))
          }, undefined),
        sync: async () => {
          await this.#sleep(this.#random() * 5)
          if (!alive) return never
          content.synced = content.bytes
        },
        close: () => undefined,
      }
    }
    const create = (path: string): Content => {
      const content: Content = { bytes: Buffer.alloc(0), synced: Buffer.alloc(0) }
      this.#set(path, content)
      return content
    }
    const disk: Disk = {
      makeDirectory: () => undefined,
      read: (path) => this.#names.get(path)?.bytes,
      sizeOf: (path) => this.#names.get(path)?.bytes.length,
      readPart: (path, start, length) => this.#names.get(path)!.bytes.subarray(start, start + length),
      create: (path) => handle(guarded(() => create(path), { bytes: Buffer.alloc(0), synced: Buffer.alloc(0) })),
      append: (path) =>
        handle(
          this.#names.get(path) ?? guarded(() => create(path), { bytes: Buffer.alloc(0), synced: Buffer.alloc(0) }),
        ),
      createNew: (path, content) =>
        guarded(() => {
          if (this.#names.has(path)) return false
          const made = create(path)
          this.#append(made, Buffer.from(content))
          made.synced = made.bytes
          this.#syncNames()
          return true
        }, true),
      rename: (from, to) =>
        guarded(() => {
          const content = this.#names.get(from)
          if (content === undefined) throw Object.assign(new Error(`ENOENT: ${from}`), { code: 'ENOENT' })
          this.#set(to, content)
          this.#set(from, undefined)
        }, undefined),
      remove: (path) => guarded(() => this.#set(path, undefined), undefined),
      syncDirectory: async () => {
        await this.#sleep(this.#random() * 5)
        if (!alive) return never
        this.#syncNames()
      },
    }
    return {
      disk,
      kill: () => {
        alive = false
      },
    }
  }

  /** The machine goes down, and comes up again. */
  crash(): void {
    const kept = Math.floor(this.#random() * (this.#changes.length + 1))
    for (const { path, content } of this.#changes.slice(0, kept)) name(this.#syncedNames, path, content)
    this.#changes = []
    this.#names.clear()
    for (const [path, content] of this.#syncedNames) {
      content.bytes = this.#remains(content)
      content.synced = content.bytes
      this.#names.set(path, content)
    }
  }

  #remains({ bytes, synced }: Content): Buffer {
    const die = this.#random()
    if (bytes === synced || die < 0.3) return synced
    if (die < 0.5) return bytes
    // What was not synced came to the disk in part; where the length came first, there are zeros.
    const torn = Math.floor(this.#random() * (bytes.length + 1))
    const part = bytes.subarray(0, torn)
    const length = die < 0.75 ? torn : bytes.length
    const remains = Buffer.concat([part, Buffer.alloc(length - torn)])
    // What was synced is there, unless it was cut off since.
    const common = Math.min(synced.length, bytes.length)
    return remains.length < common
      ? synced.subarray(0, common)
      : Buffer.concat([synced.subarray(0, common), remains.subarray(common)])
  }

  #append(content: Content, bytes: Uint8Array): void {
    if (bytes.length > this.bytesLeft)
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
    this.bytesLeft -= bytes.length
    content.bytes = Buffer.concat([content.bytes, bytes])
  }

  #syncNames(): void {
    for (const { path, content } of this.#changes) name(this.#syncedNames, path, content)
    this.#changes = []
  }

  #set(path: string, content: Content | undefined): void {
    name(this.#names, path, content)
    this.#changes.push({ path, content })
  }
}

function name(names: Map<string, Content>, path: string, content: Content | undefined): void {
  if (content === undefined) names.delete(path)
  else names.set(path, content)
}
