import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { closeServer, listen, readBody } from './httpExchange.ts'
import { type Moto, startMoto } from './moto.ts'

/** What a function is invoked with, and what it answers; a throw is a function error. */
export type LambdaFunction = (event: never) => Promise<unknown>

/**
 * Step Functions of moto, which really carries out a state machine, Distributed Maps too. Functions are called here; all else that it
 * calls goes to moto.
 */
export class StepFunctions implements AsyncDisposable {
  readonly #moto: Moto
  readonly #front: Server
  readonly #functions: Map<string, LambdaFunction>
  #names = 0

  private constructor(moto: Moto, front: Server, functions: Map<string, LambdaFunction>) {
    this.#moto = moto
    this.#front = front
    this.#functions = functions
  }

  /** @param python of an environment with moto's server */
  static async start(python: string): Promise<StepFunctions> {
    let port = 0
    const functions = new Map<string, LambdaFunction>()
    const front = createServer((exchange, answer) => {
      const name = /^\/2015-03-31\/functions\/([^/]+)\/invocations/.exec(exchange.url!)?.[1]
      const called = name === undefined ? undefined : functions.get(decodeURIComponent(name).split(':').at(-1)!)
      if (called === undefined) {
        const { method, headers, url } = exchange
        const passed = request({ host: '127.0.0.1', port, method, path: url, headers }, (reply) => {
          answer.writeHead(reply.statusCode!, reply.headers)
          reply.pipe(answer)
        })
        passed.on('error', (error) => answer.destroy(error))
        exchange.pipe(passed)
        return
      }
      void readBody(exchange)
        .then(async (body) => JSON.stringify((await called(JSON.parse(body.toString()) as never)) ?? null))
        .then(
          (text) => answer.writeHead(200, { 'content-type': 'application/json' }).end(text),
          (error: Error) => {
            const text = JSON.stringify({ errorType: error.name, errorMessage: error.message })
            answer.writeHead(200, { 'x-amz-function-error': 'Unhandled' }).end(text)
          },
        )
    })
    await listen(front)
    const frontPort = (front.address() as AddressInfo).port
    const moto = await startMoto(python, frontPort)
    port = moto.port
    return new StepFunctions(moto, front, functions)
  }

  /** The definition of the one state machine that a CloudFormation template makes. */
  async definitionOf(template: object): Promise<object> {
    await this.#moto.reset()
    // Those that it carries out are kept elsewhere than those of stacks.
    await this.#moto.post('/moto-api/config', { stepfunctions: { execute_state_machine: false } })
    const form = new URLSearchParams({
      Action: 'CreateStack',
      StackName: 'headrace',
      TemplateBody: JSON.stringify(template),
    })
    const answer = await fetch(this.#moto.endpoint, {
      method: 'POST',
      headers: { authorization: authorization('cloudformation') },
      body: form,
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`CreateStack: ${answer.status} ${text}`)
    const { stateMachines } = await this.#call<{ stateMachines: { stateMachineArn: string }[] }>(
      'ListStateMachines',
      {},
    )
    const [{ stateMachineArn }] = stateMachines as [{ stateMachineArn: string }]
    const { definition } = await this.#call<{ definition: string }>('DescribeStateMachine', { stateMachineArn })
    return JSON.parse(definition) as object
  }

  /** Carries out a state machine once. */
  async execute(
    definition: object,
    functions: { readonly [name: string]: LambdaFunction },
    input: object,
  ): Promise<{ readonly status: string; readonly output: unknown; readonly error: string | undefined }> {
    // Of several distributed runs in one life it carries out only the first.
    await this.#moto.reset()
    await this.#moto.post('/moto-api/config', {
      stepfunctions: { execute_state_machine: true },
      lambda: { use_docker: false },
    })
    this.#functions.clear()
    for (const [name, called] of Object.entries(functions)) this.#functions.set(name, called)
    const { stateMachineArn } = await this.#call<{ stateMachineArn: string }>('CreateStateMachine', {
      name: 'headrace',
      definition: JSON.stringify(definition),
      roleArn: 'arn:aws:iam::123456789012:role/states',
    })
    this.#names += 1
    const { executionArn } = await this.#call<{ executionArn: string }>('StartExecution', {
      stateMachineArn,
      name: `run-${this.#names}`,
      input: JSON.stringify(input),
    })
    for (;;) {
      const found = await this.#call<{ status: string; output?: string; error?: string; cause?: string }>(
        'DescribeExecution',
        { executionArn },
      )
      if (found.status !== 'RUNNING') {
        const output: unknown = found.output === undefined ? undefined : JSON.parse(found.output)
        return { status: found.status, output, error: found.error && `${found.error}: ${found.cause}` }
      }
      await sleep(50)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#moto[Symbol.asyncDispose]()
    await closeServer(this.#front)
  }

  async #call<Answer>(operation: string, body: object): Promise<Answer> {
    const answer = await fetch(this.#moto.endpoint, {
      method: 'POST',
      headers: {
        'x-amz-target': `AWSStepFunctions.${operation}`,
        'content-type': 'application/x-amz-json-1.0',
        authorization: authorization('states'),
      },
      body: JSON.stringify(body),
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${operation}: ${answer.status} ${text}`)
    return JSON.parse(text) as Answer
  }
}

function authorization(service: string): string {
  const scope = `test/20260101/us-east-1/${service}/aws4_request`
  return `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`
}
