import type { Disk, DiskFile } from './disk.ts'

/** Files that are gone with the process: for work whose state somebody else keeps. */
export class MemoryDisk implements Disk {
  readonly isFleeting = true
  readonly #files = new Map<string, MemoryFile>()

  makeDirectory(): void {
    // Names are all there is.
  }

  read(path: string): Buffer | undefined {
    return this.#files.get(path)?.bytes
  }

  sizeOf(path: string): number | undefined {
    return this.#files.get(path)?.size
  }

  readPart(path: string, start: number, length: number): Buffer {
    return this.#find(path).bytes.subarray(start, start + length)
  }

  create(path: string): DiskFile {
    const file = new MemoryFile()
    this.#files.set(path, file)
    return file
  }

  append(path: string): DiskFile {
    return this.#files.get(path) ?? this.create(path)
  }

  createNew(path: string, content: string): boolean {
    if (this.#files.has(path)) return false
    this.create(path).write(Buffer.from(content))
    return true
  }

  rename(from: string, to: string): void {
    this.#files.set(to, this.#find(from))
    this.#files.delete(from)
  }

  remove(path: string): void {
    this.#files.delete(path)
  }

  async syncDirectory(): Promise<void> {
    // Nothing outlives the process.
  }

  #find(path: string): MemoryFile {
    const file = this.#files.get(path)
    if (file === undefined) throw Object.assign(new Error(`ENOENT: no such file, "${path}"`), { code: 'ENOENT' })
    return file
  }
}

class MemoryFile implements DiskFile {
  /** What was written since somebody looked, one piece after another. */
  #pieces: Uint8Array[] = []
  size = 0

  get bytes(): Buffer {
    const bytes = Buffer.concat(this.#pieces)
    this.#pieces = [bytes]
    return bytes
  }

  write(bytes: Uint8Array): void {
    // The caller may use its buffer again.
    this.#pieces.push(Uint8Array.prototype.slice.call(bytes))
    this.size += bytes.length
  }

  truncate(size: number): void {
    this.#pieces = [this.bytes.subarray(0, size)]
    this.size = size
  }

  async sync(): Promise<void> {
    // Nothing outlives the process.
  }

  close(): void {
    // Its bytes stay.
  }
}
