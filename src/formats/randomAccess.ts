/** Bytes that can be had from anywhere: a file, or an object of a store. */
export interface RandomAccess {
  readonly sizeBytes: number
  /** @returns just so many; fewer only where it has become shorter since */
  read(start: number, length: number): Promise<Uint8Array>
}
