import type { PublisherOptions } from '../../src/index.ts'
import { type Random, seededRandom } from '../../src/runtime/random.ts'
import type { CapacityOptions } from '../../src/simulator/capacity.ts'
import { AMBIGUOUS_FAULTS, FAULTS, type Fault, type FaultPlan } from '../../src/simulator/faults.ts'
import type { LatencyOptions } from '../../src/simulator/latency.ts'
import type { KeySchema } from '../../src/simulator/primaryKey.ts'
import type { IndexOptions } from '../../src/simulator/simulatedTable.ts'
import type { PartiqlDialect } from '../../src/simulator/statement.ts'

type JobKind = 'publish' | 'load' | 'update' | 'scan' | 'count'

/** Everything that a seed decides before anything runs. */
export interface World {
  readonly seed: number
  readonly job: JobKind
  readonly key: KeySchema
  readonly capacity: CapacityOptions
  readonly indexes: readonly IndexOptions[]
  readonly latency: LatencyOptions
  readonly dialect: PartiqlDialect
  readonly aheadMs: number
  readonly faults: FaultPlan
  /** No fault happens from then on. */
  readonly quietAtMs: number
  /** A write may be made without an acknowledgement. */
  readonly ambiguous: boolean
  /** Records to take, or items that are there. */
  readonly records: number
  /** Keys they are of, and how uneven: 1 for all alike, more for hotter hot ones. */
  readonly keys: number
  readonly skew: number
  readonly itemBytesMax: number
  /** What updates set besides counters and versions: one of these attributes, by the item's version. */
  readonly names: readonly string[]
  /** Share of records that can never be stored, seen by the client and by the service alone. */
  readonly invalidShare: number
  readonly poisonShare: number
  readonly options: PublisherOptions & { readonly writeUnitsPerSecond?: number }
  /** An application writes meanwhile, each so often; 0 for never. */
  readonly besideEveryMs: number
  readonly segments: number
  readonly concurrency: number
  readonly pageItemsMax: number
  /** The job is told to stop then; undefined for never. */
  readonly stopAtMs: number | undefined
  /** The table is changed then; undefined for never. */
  readonly tableChange: { readonly atMs: number; readonly changes: Partial<CapacityOptions> } | undefined
  /** Others take this share of what is provisioned, meanwhile; undefined for never. */
  readonly occupied: { readonly fromMs: number; readonly toMs: number; readonly share: number } | undefined
  /** The client vanishes so long after its job began, and another one begins it again so long after that. */
  readonly crash: { readonly afterMs: number; readonly downMs: number } | undefined
  /** What is loaded lies in a file of lines or in one array, which can be read to this share of it, and then fails or ends. */
  readonly brokenFile: { readonly array: boolean; readonly fault: 'EIO' | 'cut'; readonly share: number } | undefined
  /** Bytes of rejects that the disk takes; undefined for all. */
  readonly rejectsBytesMax: number | undefined
  /** Some visits never settle. */
  readonly stuckVisits: boolean
  /** Whoever has had credentials gets none then. */
  readonly sessionOver: { readonly fromMs: number; readonly toMs: number } | undefined
  /** It cannot succeed, for this reason, from then on. */
  readonly hopeless: { readonly fromMs: number; readonly why: 'throttled' | 'failing' | 'table gone' } | undefined
}

/** The world of a seed. */
export function makeWorld(seed: number): World {
  const random = seededRandom(Math.imul(seed, 0x9e3779b1) ^ 0x51f15e)
  const pick = <Value>(...values: readonly Value[]): Value => values[Math.floor(random() * values.length)]!
  const chance = (share: number): boolean => random() < share
  const kind = random()
  const job: JobKind =
    kind < 0.4 ? 'publish' : kind < 0.58 ? 'load' : kind < 0.86 ? 'update' : kind < 0.94 ? 'scan' : 'count'
  const writes = job === 'publish' || job === 'load'
  const records = Math.ceil(20 * 30 ** random())
  const keys = chance(0.3) ? records : Math.ceil(records * random())
  const faults = drawFaults(random, pick, chance)
  // Dice of their own: worlds that were found to tell something stay as they were.
  const more = drawMore(seededRandom(Math.imul(seed, 0x27d4eb2f) ^ 0x165667b1))
  const ending = random()
  const trouble = drawTrouble(
    seededRandom(Math.imul(seed, 0x85ebca77) ^ 0x3c6ef372),
    job,
    ending >= 0.06 && ending <= 0.92,
  )
  const quietAtMs = Math.max(
    faults.untilMs ?? 0,
    trouble.sessionOver?.toMs ?? 0,
    ...(trouble.faults.gone ?? []).map(({ toMs }) => toMs),
    more.tableChange === undefined ? 0 : more.tableChange.atMs + 3_000,
    more.occupied?.toMs ?? 0,
    ...(faults.windows ?? []).map(({ toMs }) => toMs),
  )
  const ambiguous =
    AMBIGUOUS_FAULTS.some((fault) => (faults.shares?.[fault] ?? 0) > 0) ||
    (faults.windows ?? []).some(({ fault }) => AMBIGUOUS_FAULTS.includes(fault)) ||
    // A single statement that fails within the service leaves it open, too.
    (faults.partFailureShare ?? 0) > 0 ||
    trouble.faults.gone !== undefined
  return {
    seed,
    job,
    key: drawKey(pick, chance),
    capacity: drawCapacity(pick, chance),
    indexes: chance(0.3) && writes ? [drawIndex(pick, chance)] : [],
    latency: { medianMs: pick(1, 5, 10, 40, 200), sigma: pick(0, 0.5, 1) },
    dialect: pick('clauses', 'clauses', 'commas', 'none'),
    aheadMs: chance(0.1) ? pick(-3_600_000, 3_600_000) : 0,
    faults: {
      ...faults,
      ...more.faults,
      ...trouble.faults,
      shares: { ...faults.shares, ...trouble.faults.shares },
    },
    crash: trouble.crash,
    brokenFile: trouble.brokenFile,
    rejectsBytesMax: trouble.rejectsBytesMax,
    stuckVisits: trouble.stuckVisits,
    sessionOver: trouble.sessionOver,
    tableChange: more.tableChange,
    occupied: more.occupied,
    quietAtMs,
    ambiguous,
    records,
    keys,
    skew: pick(1, 1, 3),
    names: drawNames(seededRandom(Math.imul(seed, 0x1b873593) ^ 0x2545f491)),
    itemBytesMax: pick(50, 50, 300, 2_000, 2_000, 20_000, chance(0.1) ? 380_000 : 5_000),
    invalidShare: writes && chance(0.3) ? 0.05 : 0,
    poisonShare: writes && chance(0.5) ? 0.05 : 0,
    options: {
      maxInFlight: pick(1, 7, 25, 100, 1_000),
      maxQueueSize: pick(1, 10, 100, 10_000),
      lingerMs: pick(0, 5, 5, 200),
      ...(chance(0.2) ? { writeUnitsPerSecond: pick(10, 100, 1_000) } : {}),
      ...(ending < 0.06 ? { patienceMs: pick(1_000, 30_000) } : {}),
      ...(trouble.maxQueueBytes === undefined ? {} : { maxQueueBytes: trouble.maxQueueBytes }),
    },
    besideEveryMs: chance(0.5) ? pick(1, 10, 100) : 0,
    segments: pick(1, 2, 7, 40),
    concurrency: pick(1, 3, 16),
    pageItemsMax: pick(1, 10, 100),
    stopAtMs: ending > 0.92 ? random() * 3_000 : undefined,
    hopeless: ending < 0.06 ? { fromMs: random() * 300, why: pick('throttled', 'failing', 'table gone') } : undefined,
  }
}

/** Names that no statement takes as they are, and that an expression takes by an alias alone. */
const ODD_NAMES = [
  'a.b',
  'a[0]',
  '🙂',
  'größe',
  'it"s',
  "it's",
  ' ',
  'two words',
  'a,b = :v0',
  '#n0',
  ':v0',
  '1st',
  '\\',
] as const

/** In one world of four some of what is set, or all of it, has an odd name. Dice of their own, again. */
function drawNames(random: Random): readonly string[] {
  const odd = (): string => ODD_NAMES[Math.floor(random() * ODD_NAMES.length)]!
  if (random() >= 0.25) return ['seen']
  // Words of the expression language are usual names for statements and none for expressions.
  return random() < 0.5 ? [odd()] : ['seen', 'select', 'SET', odd(), odd()]
}

/** In one world of three the table changes, others use it, or the service pushes back in ways of its own. */
function drawMore(
  random: Random,
): { tableChange: World['tableChange']; occupied: World['occupied'] } & { readonly faults: FaultPlan } {
  const pick = <Value>(...values: readonly Value[]): Value => values[Math.floor(random() * values.length)]!
  const kind = random()
  const atMs = random() * 3_000
  const none = { tableChange: undefined, occupied: undefined, faults: {} }
  if (kind < 0.08) {
    const writeUnitsPerSecond = pick(20, 100, 1_000)
    const changes: Partial<CapacityOptions> = pick(
      { writeUnitsPerSecond },
      { billing: 'provisioned', writeUnitsPerSecond, readUnitsPerSecond: writeUnitsPerSecond },
      { billing: 'on demand' },
      { billing: 'on demand', writeUnitsPerSecondMax: writeUnitsPerSecond },
    )
    return { ...none, tableChange: { atMs, changes } }
  }
  if (kind < 0.16) {
    return { ...none, occupied: { fromMs: atMs, toMs: atMs + pick(1_000, 20_000), share: pick(0.5, 0.9, 1) } }
  }
  if (kind < 0.24) return { ...none, faults: { partThrottleShare: pick(0.05, 0.5, 0.9) } }
  if (kind < 0.32) return { ...none, faults: { retryAfterMs: pick(1, 500, 5_000) } }
  return none
}

interface Trouble extends Pick<World, 'crash' | 'brokenFile' | 'rejectsBytesMax' | 'stuckVisits' | 'sessionOver'> {
  readonly faults: FaultPlan
  readonly maxQueueBytes: number | undefined
}

/**
 * What may befall client, disk, host and session. Dice of their own, once more.
 *
 * @param plain it is neither hopeless nor stopped
 */
function drawTrouble(random: Random, job: JobKind, plain: boolean): Trouble {
  const pick = <Value>(...values: readonly Value[]): Value => values[Math.floor(random() * values.length)]!
  const chance = (share: number): boolean => random() < share
  const goneFromMs = random() * 3_000
  const gone = chance(0.12) && plain ? [{ fromMs: goneFromMs, toMs: goneFromMs + pick(500, 5_000, 30_000) }] : undefined
  const crashes = chance(0.3) && plain && (job === 'load' || job === 'update')
  // Most jobs end within seconds. What a client that is gone had sent is served within five, and a put of it would come
  // after one of the next client's.
  const downMs = (job === 'load' ? 5_000 : 1) + random() * 3_000
  const crash = { afterMs: 10 ** (random() * 4), downMs }
  const breaks = chance(0.25) && plain && job === 'load' && !crashes
  const brokenFile = { array: chance(0.3), fault: pick('EIO', 'cut'), share: random() } as const
  const small = chance(0.3) && plain && job === 'load' && !crashes && !breaks
  const rejectsBytesMax = 10 ** (2 + random() * 5)
  const sessionFromMs = random() * 2_000
  const over = chance(0.06) && plain
  return {
    faults: {
      ...(gone === undefined ? {} : { gone }),
      ...(over ? { shares: { 'expired token': 0.02 } } : {}),
    },
    crash: crashes ? crash : undefined,
    brokenFile: breaks ? brokenFile : undefined,
    rejectsBytesMax: small ? rejectsBytesMax : undefined,
    maxQueueBytes: pick(undefined, undefined, 1_024, 20_000, 1_000_000),
    stuckVisits: chance(0.1) && plain && job === 'update',
    sessionOver: over ? { fromMs: sessionFromMs, toMs: sessionFromMs + pick(1_000, 20_000, 60_000) } : undefined,
  }
}

type PickOne = <Value>(...values: readonly Value[]) => Value
type Chance = (share: number) => boolean

function drawKey(pick: PickOne, chance: Chance): KeySchema {
  const partition = { name: 'pk', type: pick('S', 'S', 'N', 'B') } as const
  return chance(0.4) ? { partition, sort: { name: 'sk', type: pick('S', 'N') } } : { partition }
}

function drawCapacity(pick: PickOne, chance: Chance): CapacityOptions {
  if (chance(0.3)) {
    return { billing: 'on demand', ...(chance(0.3) ? { writeUnitsPerSecondMax: pick(20, 200) } : {}) }
  }
  const unitsPerSecond = pick(10, 50, 200, 2_000, 20_000)
  return {
    billing: 'provisioned',
    readUnitsPerSecond: unitsPerSecond * pick(1, 5),
    writeUnitsPerSecond: unitsPerSecond,
    burstSeconds: pick(0, 0, 2, 300),
    burstFilled: pick(0, 1),
    splitAfterMs: pick(5_000, 300_000),
  }
}

function drawIndex(pick: PickOne, chance: Chance): IndexOptions {
  return {
    name: 'byGroup',
    key: { partition: { name: 'group', type: 'S' } },
    projection: pick('ALL', 'KEYS_ONLY'),
    capacity: drawCapacity(pick, chance),
  }
}

/** From no fault at all to one in three requests, a few kinds at a time; and stretches in which nothing works. */
function drawFaults(random: Random, pick: PickOne, chance: Chance): FaultPlan {
  const shares: { [Name in Fault]?: number } = {}
  const all = pick(0, 0.02, 0.1, 0.35)
  const kinds = 1 + Math.floor(random() * 4)
  if (all > 0) for (let kind = 0; kind < kinds; kind += 1) shares[pick(...FAULTS)] = all / kinds
  const windows = []
  for (let fromMs = 0; chance(0.3) && windows.length < 3; ) {
    fromMs += random() * 2_000
    const toMs = fromMs + pick(100, 2_000, 20_000, 90_000)
    windows.push({ fromMs, toMs, fault: pick('throttle', 'throttle', 'error before', 'error after', 'connect') })
    fromMs = toMs
  }
  return {
    shares,
    windows: windows as NonNullable<FaultPlan['windows']>,
    untilMs: pick(1_000, 10_000, 60_000),
    partFailureShare: chance(0.2) ? pick(0.05, 0.5) : 0,
  }
}
