/** A job, described: plain JSON, from which another process can make the same job. Holds no secret. */
export interface JobSpec {
  readonly version: 1
  /** The name of its directory. */
  readonly id: string
  readonly createdAt: string
  /** Tells this job from any other of its name: what it leaves in items to know them by. */
  readonly mark: string
  /** What it does. A directory is gone on with by a job of which all of this is the same. */
  readonly what: JobWhat
  /** How fast, and up to which limits; may be changed from one run to the next. */
  readonly how: JobHow
  /** Of a directory that is for a part of the job: which, from 0 on, and of how many. */
  readonly slice?: { readonly index: number; readonly of: number } | undefined
}

export interface JobWhat {
  readonly operation: string
  readonly table: TableSpec
  /** Where to, of a copy. */
  readonly target?: TableSpec | undefined
  /** Where to, of an export. */
  readonly file?: string | undefined
  readonly format?: string | undefined
  /** How, where the file is in S3. */
  readonly s3?: { readonly connection: object } | undefined
  /** How, where the file is a directory in the layout of the service's own exports. */
  readonly native?: { readonly fileBytes?: number | undefined } | undefined
  /** How, where the file is XML. */
  readonly xml?: XmlSpec | undefined
  /** As `name:type`, of what has columns; where they are missing, they are found. */
  readonly columns?: readonly string[] | undefined
  /** How, where the file is CSV. */
  readonly csv?:
    | {
        readonly delimiter?: string | undefined
        readonly safe?: boolean | undefined
        readonly typedHeader?: boolean | undefined
      }
    | undefined
  readonly sources?: readonly SourceSpec[] | undefined
  readonly generated?: {
    readonly items: number
    readonly seed: number
    /** In DynamoDB JSON. */
    readonly template?: string | undefined
    readonly itemBytes?: number | undefined
  }
  readonly visitor?: VisitorSpec | undefined
  readonly filter?: string | undefined
  readonly select?: readonly string[] | undefined
  readonly index?: string | undefined
  readonly consistentRead?: boolean | undefined
  /** The table is cut into so many segments; a place in one of them is a place only there. */
  readonly segments?: number | undefined
  /** The attribute that marks an item as done. */
  readonly once?: string | undefined
  readonly keepOld?: boolean | undefined
  /** Of a record whose key the table already has. Where it is missing, the record is written over that item. */
  readonly ifExists?: 'skip' | 'reject' | undefined
  /** The directory of the job that is undone. */
  readonly undoes?: string | undefined
}

export interface JobHow {
  readonly rates?:
    | { readonly read?: number | string | undefined; readonly write?: number | string | undefined }
    | undefined
  readonly concurrency?: number | undefined
  readonly maxInFlight?: number | undefined
  readonly maxQueueSize?: number | undefined
  readonly visitTimeoutMs?: number | undefined
  /** Threads for the visitor. */
  readonly workers?: number | 'auto' | undefined
  readonly patienceMs?: number | undefined
}

export interface TableSpec {
  readonly name: string
  readonly arn: string
  /** Of this one table, so that another that was made under its name is told from it; where the service gives it. */
  readonly tableId?: string | undefined
  /** Partition key, then sort key, such as `customer:S,number:N`. */
  readonly key: string
  readonly connection: ConnectionSpec
}

/** How to get there; not what it is. */
export interface ConnectionSpec {
  readonly region?: string | undefined
  readonly profile?: string | undefined
  readonly endpoint?: string | undefined
  readonly allowInsecureEndpoint?: boolean | undefined
}

export interface SourceSpec {
  readonly name: string
  /** Undefined for what is no file. */
  readonly sizeBytes?: number | undefined
  /** SHA-256 of the first and last 64 KiB. */
  readonly digest?: string | undefined
  readonly format?: string | undefined
  readonly csv?: object | undefined
  /** Its records are changes, and no items. */
  readonly changes?: boolean | undefined
  /** Of a file of lines, those that begin in a range of its bytes; the name has it too. */
  readonly range?: { readonly from: number; readonly to: number } | undefined
  /** How many records it has, where something tells. */
  readonly itemCount?: number | undefined
  /** It is read when all of a lower phase are settled. Where it is missing: 0. */
  readonly phase?: number | undefined
  /** How S3 is reached; not what it is. */
  readonly connection?: object | undefined
}

export interface VisitorSpec {
  /** A module's path; undefined for a function. */
  readonly module?: string | undefined
  /** SHA-256 of the module's own file. */
  readonly digest?: string | undefined
  /** The edit that is made to each item, in JSON, instead of a visitor. */
  readonly edit?: string | undefined
}

export interface XmlSpec {
  readonly root?: string | undefined
  readonly item?: string | undefined
  readonly attributes?: readonly string[] | undefined
  readonly mapping?: VisitorSpec | undefined
}

/** In which points two jobs are not the same, each with both values. */
export function differences(then: JobWhat, now: JobWhat): string[] {
  const before = flatten(then)
  const after = flatten(now)
  const found: string[] = []
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    const [was, is] = [before.get(name), after.get(name)]
    if (was !== is) found.push(`${name} was ${shown(name, was)}, and is now ${shown(name, is)}`)
  }
  return found
}

/** Of a digest a few letters do: what tells is that it is another. */
function shown(name: string, value: string | undefined): string {
  return (name.endsWith('digest') ? value?.slice(0, 12) : value) ?? 'not set'
}

function flatten(value: object, path = '', into = new Map<string, string>()): Map<string, string> {
  for (const [name, inner] of Object.entries(value)) {
    // The same table may be reached another way.
    if (inner === undefined || name === 'connection') continue
    const at = path === '' ? name : `${path}.${name}`
    if (typeof inner === 'object' && inner !== null) flatten(inner, at, into)
    else into.set(at, String(inner))
  }
  return into
}
