import { type Command, InvalidArgumentError } from 'commander'
import type { TalkOptions } from './talk.ts'

export interface ConnectionFlags {
  region?: string
  profile?: string
  endpointUrl?: string
  allowInsecureEndpoint?: boolean
}

export interface WriteFlags {
  maxInFlight?: number
  writeRate?: number
  rejects?: string
}

export interface ReadFlags {
  segments?: number
  concurrency?: number
  readRate?: number
  where?: string
}

export type CommonFlags = ConnectionFlags & TalkOptions

export function addConnectionOptions(command: Command): Command {
  return command
    .option('--region <region>', 'AWS region; default AWS_REGION or the profile')
    .option('--profile <name>', 'profile of ~/.aws/config; default AWS_PROFILE')
    .option('--endpoint-url <url>', 'DynamoDB to talk to, such as http://localhost:8000')
    .option('--allow-insecure-endpoint', 'send over plain HTTP to a host that is not this machine')
}

export function addTalkOptions(command: Command): Command {
  return command
    .option('--json', 'one JSON event a line instead of words')
    .option('--quiet', 'say only what goes wrong')
}

export function addWriteOptions(command: Command): Command {
  return command
    .option('--max-in-flight <n>', 'entries at the service at once (default 1000)', wholeFrom(1))
    .option('--write-rate <units>', 'write units to spend a second', rate)
    .option('--rejects <file>', 'where rejects go (default: a new file in this folder)')
}

export function addReadOptions(command: Command): Command {
  return command
    .option('--where <expression>', `only items for which this holds, such as "country = 'NO' and size(tags) > 2"`)
    .option('--segments <n>', 'segments to cut the table into (default: from its size)', wholeFrom(1))
    .option('--concurrency <n>', 'segments to read at once (default 16)', wholeFrom(1))
    .option('--read-rate <units>', 'read units to spend a second', rate)
}

export function readOptions(flags: ReadFlags): {
  segments?: number
  concurrency?: number
  filter?: string
  readUnitsPerSecond?: number
} {
  return {
    ...(flags.segments === undefined ? {} : { segments: flags.segments }),
    ...(flags.concurrency === undefined ? {} : { concurrency: flags.concurrency }),
    ...(flags.where === undefined ? {} : { filter: flags.where }),
    ...(flags.readRate === undefined ? {} : { readUnitsPerSecond: flags.readRate }),
  }
}

export function writeOptions(flags: WriteFlags): { maxInFlight?: number; writeUnitsPerSecond?: number } {
  return {
    ...(flags.maxInFlight === undefined ? {} : { maxInFlight: flags.maxInFlight }),
    ...(flags.writeRate === undefined ? {} : { writeUnitsPerSecond: flags.writeRate }),
  }
}

/** A whole number, for commander. */
export function wholeFrom(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < least || !Number.isSafeInteger(value)) {
      throw new InvalidArgumentError(`Give a whole number, ${least} or more.`)
    }
    return value
  }
}

function rate(text: string): number {
  const value = Number(text)
  if (!(value > 0) || !Number.isFinite(value)) throw new InvalidArgumentError('Give a number above 0.')
  return value
}

/** `pk:S` or `pk:S,sk:N` as a table's key. */
export function keySchema(text: string): { partition: KeyPart; sort?: KeyPart } {
  const parts = text.split(',').map((part): KeyPart => {
    const match = /^([^:,\s]+)(?::([SNB]))?$/.exec(part.trim())
    if (match === null) throw new InvalidArgumentError('Give a key as NAME:S or NAME:S,NAME:N, types S, N or B.')
    return { name: match[1]!, type: (match[2] ?? 'S') as KeyPart['type'] }
  })
  const [partition, sort] = parts
  if (partition === undefined || parts.length > 2) throw new InvalidArgumentError('A key has one or two attributes.')
  return sort === undefined ? { partition } : { partition, sort }
}

export interface KeyPart {
  name: string
  type: 'S' | 'N' | 'B'
}
