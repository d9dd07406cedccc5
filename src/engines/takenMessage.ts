import { decodeItemText } from '../item/decode.ts'
import type { JobReject } from '../job/reject.ts'
import type { Entry, EntryOwner } from '../publish/entry.ts'
import { type Deferred, deferred } from '../runtime/deferred.ts'

/** A message whose records are on their way: it has ended when all of them have. */
export class TakenMessage implements EntryOwner {
  /** `message ID`, as the place of its records begins. */
  readonly name: string
  readonly rejects: JobReject[] = []
  written = 0
  #outstanding = 0
  #isRead = false
  #failure: Error | undefined
  readonly #end: Deferred<void> = deferred()

  constructor(name: string) {
    this.name = name
  }

  /** Resolves when all records have ended; rejects when they never will. */
  get end(): Promise<void> {
    return this.#end.promise
  }

  /** A record is about to be on its way. */
  take(): void {
    this.#outstanding += 1
  }

  /** It is not, after all. */
  takeBack(): void {
    this.#settle()
  }

  /** @param line of its record */
  reject(reject: Omit<JobReject, 'place'>, line: number): void {
    this.rejects.push({ ...reject, place: `${this.name}:${line}` })
  }

  /** There are no more records than were taken. */
  endReading(): void {
    this.#isRead = true
    this.#look()
  }

  fail(reason: Error): void {
    this.#failure ??= reason
    this.#end.promise.catch(() => undefined)
    this.#end.reject(this.#failure)
  }

  onStored(): void {
    this.written += 1
    this.#settle()
  }

  onRefused(entry: Entry, code: string, message: string): void {
    this.reject({ code, message, item: decodeItemText(entry.text) }, entry.origin as number)
    this.#settle()
  }

  #settle(): void {
    this.#outstanding -= 1
    this.#look()
  }

  #look(): void {
    if (this.#isRead && this.#outstanding === 0) this.#end.resolve()
  }
}
