import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { ROOT } from './python.ts'

/** What the script needs. */
export const PACKAGES: readonly string[] = ['pyarrow', 'amazon.ion', 'boto3']

/** A record as the other reader sees it: `count` of them where several broken ones cannot be told apart. */
export type OtherRecord =
  | { readonly item: { readonly [name: string]: unknown }; readonly marks: readonly string[] }
  | { readonly bad: string; readonly marks: readonly string[]; readonly count: number }

export interface OtherView {
  readonly records: readonly OtherRecord[]
  /** Why it cannot be read on; null where all was read. */
  readonly stop: string | null
  /** It says itself that something is missing. */
  readonly incomplete: boolean
}

/** A Python that reads files by its own libraries, one process for all of them. */
export class OtherReader {
  readonly #child: ChildProcess
  readonly #lines: Interface
  readonly #waiting: { resolve: (answer: unknown) => void; reject: (error: Error) => void }[] = []

  constructor(python: string) {
    this.#child = spawn(python, [join(ROOT, 'test', 'interop', 'readUgly.py')], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#lines = createInterface({ input: this.#child.stdout! })
    this.#lines.on('line', (line) => {
      const answer = JSON.parse(line) as { readonly error?: string }
      const { resolve, reject } = this.#waiting.shift()!
      if (answer.error === undefined) resolve(answer)
      else reject(new Error(`the other reader failed: ${answer.error}`))
    })
    this.#child.on('close', () => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error('the other reader has ended'))
    })
  }

  /** Answered in the order of asking. */
  ask<Answer>(request: { readonly do: 'read' | 'parquet' | 'zstd'; readonly path: string }): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve: resolve as (answer: unknown) => void, reject })
      this.#child.stdin!.write(`${JSON.stringify(request)}\n`)
    })
  }

  close(): void {
    this.#child.stdin!.end()
    this.#lines.close()
  }
}
