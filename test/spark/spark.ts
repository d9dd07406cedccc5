import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = join(fileURLToPath(new URL('.', import.meta.url)), '..', '..', '..')

/** Where headrace.py is. */
export const PYTHON_DIRECTORY: string = join(ROOT, 'python')
/** What it starts. */
export const WORKER: string = join(ROOT, 'dist', 'engines', 'sparkWorker.js')
export const FOO_POJOS: string = join(ROOT, 'examples', 'spark', 'foo_pojos.py')
/** The built command, as a shell has it. */
export const HEADRACE = `${process.execPath} ${join(ROOT, 'dist', 'cli', 'main.js')}`

/** Twice as fast where there is little to compute. */
const JVM = '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC'

/** The two lines of PySpark, and why one of them is left out. */
export const LINES: readonly { readonly line: 'spark4' | 'spark3'; readonly skip: string | false }[] = [
  { line: 'spark4', skip: whySkip('spark4') },
  { line: 'spark3', skip: whySkip('spark3') },
]

function whySkip(line: string): string | false {
  const ready = existsSync(join(ROOT, '.python', line, '.headrace-ready'))
  return !ready && `there is no .python/${line}: node scripts/spark.mjs makes it, where there are Python and Java`
}

/** A script of this directory. */
export function script(name: string): string {
  return join(ROOT, 'test', 'spark', name)
}

/** A Python without anything besides itself. */
export function findPlainPython(): string | undefined {
  return spawnSync('python3', ['--version'], { stdio: 'ignore' }).status === 0 ? 'python3' : undefined
}

interface SparkEnd {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface SparkRun {
  readonly child: ChildProcess
  readonly ended: Promise<SparkEnd>
}

/** Runs a script as the driver of a session of its own, in a folder of its own. */
export function runSpark(
  line: string,
  path: string,
  args: readonly string[],
  options: {
    readonly folder: string
    readonly master: string
    readonly conf?: { readonly [name: string]: string }
    /** Where headrace.py is. */
    readonly pythonDirectory?: string
    readonly lifeMs: number
    readonly onLine?: (line: string) => void
  },
): SparkRun {
  const { folder, master, conf = {}, pythonDirectory = PYTHON_DIRECTORY, lifeMs, onLine } = options
  const python = join(ROOT, '.python', line, 'bin', 'python')
  const settings = {
    'spark.driver.extraJavaOptions': `${JVM} -Dderby.system.home=${folder}`,
    'spark.executor.extraJavaOptions': JVM,
    'spark.ui.enabled': 'false',
    'spark.ui.showConsoleProgress': 'false',
    'spark.sql.shuffle.partitions': '4',
    'spark.sql.warehouse.dir': `${folder}/warehouse`,
    'spark.sql.session.timeZone': 'America/New_York',
    'spark.local.dir': folder,
    ...conf,
  }
  const submit = Object.entries(settings).flatMap(([name, value]) => ['--conf', `${name}=${value}`])
  const clean = Object.entries(process.env).filter(([name]) => !/^(AWS_|NODE_|SPARK_|PYSPARK_)/.test(name))
  const child = spawn(python, ['-B', path, ...args], {
    cwd: folder,
    env: {
      ...Object.fromEntries(clean),
      HOME: folder,
      PYTHONPATH: pythonDirectory,
      PYTHONDONTWRITEBYTECODE: '1',
      PYSPARK_PYTHON: python,
      PYSPARK_SUBMIT_ARGS: ['--master', master, ...submit, 'pyspark-shell'].map(quoted).join(' '),
      SPARK_LOCAL_IP: '127.0.0.1',
      HEADRACE_TEST: folder,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const timer = setTimeout(() => killAll(folder), lifeMs)
  const end = { stdout: '', stderr: '' }
  let rest = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    end.stdout += text
    const lines = (rest + text).split('\n')
    rest = lines.pop()!
    for (const one of lines) onLine?.(one)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    end.stderr += text
  })
  const ended = new Promise<SparkEnd>((resolve) => {
    child.on('close', (code) => {
      clearTimeout(timer)
      resolve({ code, ...end })
    })
  })
  return { child, ended }
}

function quoted(word: string): string {
  return `'${word}'`
}

export interface Process {
  readonly pid: number
  readonly command: string
}

/** What runs for the sessions of this folder, on Linux: drivers, executors, their Pythons and workers. */
export function processesOf(folder: string): Process[] {
  if (!existsSync('/proc/self/environ')) return []
  const found: Process[] = []
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      if (!readFileSync(`/proc/${name}/environ`, 'latin1').includes(`HEADRACE_TEST=${folder}\0`)) continue
      const command = readFileSync(`/proc/${name}/cmdline`, 'latin1').split('\0').join(' ')
      found.push({ pid: Number(name), command })
    } catch (error) {
      // It has ended meanwhile.
      if (!/ENOENT|ESRCH|EACCES/.test(`${(error as NodeJS.ErrnoException).code}`)) throw error
    }
  }
  return found
}

function killAll(folder: string): void {
  for (const { pid } of processesOf(folder)) killOne(pid)
}

/** @returns whether it was there */
export function killOne(pid: number): boolean {
  try {
    process.kill(pid, 'SIGKILL')
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}

/** What is left of a session a moment after it has ended. */
export async function leftOf(folder: string): Promise<Process[]> {
  for (let tries = 0; tries < 50 && processesOf(folder).length > 0; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return processesOf(folder)
}

/** A process of a stand-alone cluster, with an address of its own. */
export function startDaemon(line: string, folder: string, address: string, args: readonly string[]): Disposable {
  const home = join(packagesOf(line)[0]!, 'pyspark')
  const [name, ...rest] = args
  const child = spawn(join(home, 'bin', 'spark-class'), [`org.apache.spark.deploy.${name}`, ...rest], {
    cwd: folder,
    env: {
      ...process.env,
      SPARK_HOME: home,
      SPARK_LOCAL_IP: address,
      SPARK_DAEMON_JAVA_OPTS: JVM,
      SPARK_WORKER_DIR: join(folder, 'work'),
      HEADRACE_TEST: folder,
    },
    stdio: 'ignore',
  })
  return { [Symbol.dispose]: () => void child.kill('SIGKILL') }
}

/** Spark keeps what executors had, there and nowhere else. */
export function removeWork(line: string): void {
  for (const packages of packagesOf(line)) {
    rmSync(join(packages, 'pyspark', 'work'), { recursive: true, force: true })
  }
}

function packagesOf(line: string): string[] {
  const lib = join(ROOT, '.python', line, 'lib')
  return (existsSync(lib) ? readdirSync(lib) : []).map((version) => join(lib, version, 'site-packages'))
}
