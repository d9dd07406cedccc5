import { lambdaErrorName, PERMANENT_CODES } from './lambdaError.ts'

export interface StateMachineOptions {
  /** ARNs of the functions with {@link prepareHandler}, {@link sliceHandler} and {@link finishHandler}. */
  readonly prepare: string
  readonly slice: string
  readonly finish: string
  /** Slices that are worked on at once, 1 to 10,000; each gets such a part of the job's rates. */
  readonly maxConcurrency: number
  /** How often a slice is tried again where it fails in a way that may pass. Default 5. */
  readonly retriesMax?: number | undefined
  /** Before the first of these; each further one waits twice as long, a minute at most. Default 2. */
  readonly retrySeconds?: number | undefined
}

/**
 * The state machine, in Amazon States Language: `Prepare`, then `Slices`, a Distributed Map whose children each call their function
 * until it says that the slice is done, then `Finish`. Where a slice is stands in the state of its execution, so there is no
 * limit to how long it takes, and a redrive goes on where it was.
 *
 * @throws {TypeError} for options out of range
 */
export function stateMachineDefinition(options: StateMachineOptions): object {
  const { prepare, slice, finish, maxConcurrency, retriesMax = 5, retrySeconds = 2 } = options
  checkWhole('maxConcurrency', maxConcurrency, 1, 10_000)
  checkWhole('retriesMax', retriesMax, 0, 1_000)
  checkWhole('retrySeconds', retrySeconds, 1, 60)
  const retry = [
    { ErrorEquals: [...PERMANENT_CODES.map(lambdaErrorName), 'TypeError'], MaxAttempts: 0 },
    {
      ErrorEquals: ['States.ALL'],
      IntervalSeconds: retrySeconds,
      BackoffRate: 2,
      MaxAttempts: retriesMax,
      MaxDelaySeconds: 60,
      JitterStrategy: 'FULL',
    },
  ]
  const invoke = (Resource: string): object => ({ Type: 'Task', Resource, Retry: retry })
  return {
    Comment: 'Headrace: a job in slices',
    StartAt: 'Prepare',
    States: {
      Prepare: {
        ...invoke(prepare),
        Parameters: { 'input.$': '$', 'execution.$': '$$.Execution.Name' },
        Next: 'Slices',
      },
      Slices: {
        Type: 'Map',
        ItemsPath: '$.indices',
        MaxConcurrency: maxConcurrency,
        ItemSelector: {
          'job.$': '$.job',
          'of.$': '$.of',
          'run.$': '$.run',
          'index.$': '$$.Map.Item.Value',
          workersMax: maxConcurrency,
          result: {},
        },
        ItemProcessor: {
          ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
          StartAt: 'Work',
          States: {
            // Its answer is what the next call goes on from.
            Work: { ...invoke(slice), ResultPath: '$.result', Next: 'Done?' },
            'Done?': {
              Type: 'Choice',
              Choices: [{ Variable: '$.result.done', BooleanEquals: true, Next: 'Done' }],
              Default: 'Work',
            },
            // Results lie in S3: of ten thousand, a state could not hold more than this.
            Done: { Type: 'Pass', OutputPath: '$.index', End: true },
          },
        },
        ResultPath: '$.done',
        Next: 'Finish',
      },
      Finish: { ...invoke(finish), End: true },
    },
  }
}

function checkWhole(name: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return
  throw new TypeError(`${name} must be a whole number from ${least} to ${most}, not ${value}`)
}
