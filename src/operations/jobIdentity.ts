/** As what a job is run and described: one machine does several verbs. */
export interface JobIdentity {
  readonly operation: 'copy' | 'load' | 'run'
  /** The module that says what the job does, where one does. */
  readonly module?: URL | undefined
  /** What its transform makes are changes, and no items. */
  readonly makesChanges: boolean
}

export const COPY: JobIdentity = { operation: 'copy', makesChanges: false }
export const LOAD: JobIdentity = { operation: 'load', makesChanges: false }
export const LOAD_CHANGES: JobIdentity = { operation: 'load', makesChanges: true }
