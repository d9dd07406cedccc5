import { type ExecFileException, execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { CommandLine } from '../pinned.ts'

/**
 * A client in another language: its program lies in `bench/peers/<folder>/`, with a lock file, and what is made of it in
 * `.peers/<folder>/`.
 */
export interface Peer {
  /** Where its source lies, and where what is made of it goes. */
  folder: string
  /** Commands that make the program, run one after another in the project's folder. Each says at once that it has nothing to do. */
  build: readonly CommandLine[]
  run: CommandLine
}

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const BUILT = `${ROOT}.peers`
const SOURCES = `${ROOT}bench/peers`

export const RUST: Peer = {
  folder: 'rust',
  build: [
    {
      command: 'cargo',
      args: [
        'build',
        '--release',
        '--locked',
        `--manifest-path=${SOURCES}/rust/Cargo.toml`,
        `--target-dir=${BUILT}/rust`,
      ],
    },
  ],
  run: { command: `${BUILT}/rust/release/headrace-peer`, args: [] },
}

export const PYTHON: Peer = {
  folder: 'python',
  build: [
    { command: 'python3', args: ['-m', 'venv', `${BUILT}/python`] },
    {
      command: `${BUILT}/python/bin/pip`,
      args: ['install', '--quiet', '--disable-pip-version-check', `--requirement=${SOURCES}/python/requirements.txt`],
    },
  ],
  run: { command: `${BUILT}/python/bin/python`, args: [`${SOURCES}/python/peer.py`] },
}

/** @param codec of what attribute values are made: `struct` by hand, `marshal` by reflection */
export function goPeer(codec: 'struct' | 'marshal'): Peer {
  return {
    folder: 'go',
    build: [
      {
        command: 'go',
        args: ['build', '-C', `${SOURCES}/go`, '-mod=readonly', '-trimpath', '-o', `${BUILT}/go/peer`, '.'],
      },
    ],
    run: { command: `${BUILT}/go/peer`, args: [`--codec=${codec}`] },
  }
}

export function javaPeer(http: 'netty' | 'crt'): Peer {
  return {
    folder: 'java',
    build: [
      {
        command: 'mvn',
        args: ['-q', '-B', '-f', `${SOURCES}/java/pom.xml`, `-DbuildDirectory=${BUILT}/java`, 'compile'],
      },
    ],
    run: {
      command: 'java',
      args: [
        '-Xmx2g',
        '-cp',
        `${BUILT}/java/classes:${BUILT}/java/libraries/*`,
        'headrace.peer.Peer',
        `--http=${http}`,
      ],
    },
  }
}

/** A build that takes longer hangs. With fat LTO, Rust's takes minutes. */
const BUILD_MS_MAX = 1_800_000

const built = new Map<string, Promise<string | undefined>>()

/** Makes a peer's program where it is not made yet. Gives the reason why it can not be run, or undefined. */
export function buildPeer(peer: Peer): Promise<string | undefined> {
  let outcome = built.get(peer.folder)
  if (outcome === undefined) {
    outcome = build(peer)
    built.set(peer.folder, outcome)
  }
  return outcome
}

async function build(peer: Peer): Promise<string | undefined> {
  for (const { command, args } of [...peer.build]) {
    try {
      await promisify(execFile)(command, args, { cwd: ROOT, timeout: BUILD_MS_MAX, maxBuffer: 64 << 20 })
    } catch (error) {
      return reasonOf(command, error as ExecFileException & { stdout?: string; stderr?: string })
    }
  }
  return undefined
}

function reasonOf(command: string, error: ExecFileException & { stdout?: string; stderr?: string }): string {
  if (error.code === 'ENOENT') return `${command} is not installed`
  if (error.killed === true) return `${command} had not ended after ${BUILD_MS_MAX / 60_000} minutes`
  const lines = `${error.stderr ?? ''}\n${error.stdout ?? ''}`.split('\n').map((line) => line.trim())
  const line = lines.find((line) => /error/i.test(line)) ?? lines.find((line) => line !== '') ?? error.message
  return `${command} failed: ${line}`
}
