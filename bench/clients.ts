import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { buildPeer, goPeer, javaPeer, type Peer, PYTHON, RUST } from './peers/peers.ts'
import type { CommandLine } from './pinned.ts'

export const PATHS = ['publish', 'update', 'scan'] as const
export type Path = (typeof PATHS)[number]

export interface Client {
  /** As `--clients` says it. */
  id: string
  name: string
  version: string
  /** A client that is this many times cheaper is given as many times more items, so that all run about as long. */
  itemsFactor: Record<Path, number>
  /** Items before those that count, as a share of them: a compiler that works while the program runs has to be done. */
  warmUpShare: number
  /** One that is a hundred times as dear is dear enough to be seen in one round. */
  roundsMax: number
  /** A file of `bench/loop/`, before the path; or a program in another language. */
  program: string | Peer
}

const COMPILED = { warmUpShare: 0.25, roundsMax: Number.POSITIVE_INFINITY }

export const CLIENTS: readonly Client[] = [
  {
    id: 'headrace',
    name: 'Headrace',
    version: versionIn('package.json', /"version": "(.+?)"/),
    itemsFactor: { publish: 12, update: 12, scan: 12.8 },
    program: 'headrace',
    ...COMPILED,
  },
  {
    id: 'rust',
    name: 'AWS SDK for Rust',
    version: versionIn('bench/peers/rust/Cargo.lock', /name = "aws-sdk-dynamodb"\nversion = "(.+?)"/),
    itemsFactor: { publish: 6, update: 6, scan: 6.4 },
    program: RUST,
    ...COMPILED,
  },
  ...(['struct', 'marshal'] as const).map((codec) => ({
    id: `go-${codec}`,
    name: `AWS SDK for Go, ${codec === 'struct' ? 'structs by hand' : 'attributevalue'}`,
    version: versionIn('bench/peers/go/go.mod', /service\/dynamodb v(\S+)/),
    itemsFactor: { publish: 3, update: 3, scan: 6.4 },
    program: goPeer(codec),
    ...COMPILED,
  })),
  ...(['netty', 'crt'] as const).map((http) => ({
    id: `java-${http}`,
    name: `AWS SDK for Java, ${http === 'netty' ? 'Netty' : 'CRT'}`,
    version: versionIn('bench/peers/java/pom.xml', /<awsSdkVersion>(.+?)</),
    itemsFactor: { publish: 3, update: 3, scan: 3.2 },
    program: javaPeer(http),
    warmUpShare: 1,
    roundsMax: Number.POSITIVE_INFINITY,
  })),
  ...(['client', 'lib'] as const).map((kind) => ({
    id: kind === 'client' ? 'sdk' : 'document',
    name: `@aws-sdk/${kind}-dynamodb`,
    version: versionIn(`node_modules/@aws-sdk/${kind}-dynamodb/package.json`, /"version": "(.+?)"/),
    itemsFactor: { publish: 1, update: 1, scan: 1.6 },
    program: kind === 'client' ? 'sdk' : 'document',
    ...COMPILED,
  })),
  {
    id: 'boto3',
    name: 'boto3, batch writer',
    version: versionIn('bench/peers/python/requirements.txt', /boto3==(\S+)/),
    itemsFactor: { publish: 0.2, update: 0.2, scan: 1.6 },
    program: PYTHON,
    warmUpShare: 0.25,
    roundsMax: 1,
  },
]

function versionIn(file: string, pattern: RegExp): string {
  const text = readFileSync(fileURLToPath(new URL(`../../${file}`, import.meta.url)), 'utf8')
  const version = pattern.exec(text)?.[1]
  if (version === undefined) throw new Error(`${file} names no version where ${pattern} looks for it`)
  return version
}

/** Makes the client's program where need be. Gives the reason why it can not be run, or undefined. */
export async function prepareClient({ program }: Client): Promise<string | undefined> {
  return typeof program === 'string' ? undefined : buildPeer(program)
}

export function commandOf({ program }: Client, path: Path): CommandLine {
  if (typeof program !== 'string') {
    return { command: program.run.command, args: [...program.run.args, `--path=${path}`] }
  }
  const file = `./loop/${program}${path[0]!.toUpperCase()}${path.slice(1)}.js`
  return { command: process.execPath, args: [fileURLToPath(new URL(file, import.meta.url))] }
}
