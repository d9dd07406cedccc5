// Makes .python/, an environment of Python's own with what the tests of test/interop/ ask others with.
import { spawnSync } from 'node:child_process'

const run = (command, ...args) => {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' })
  if (error !== undefined) console.error(`${command}: ${error.message}. Install Python 3.9 or newer`)
  if (status !== 0) process.exit(status ?? 1)
}
run('python3', '-m', 'venv', '.python')
run(
  '.python/bin/pip',
  'install',
  '--quiet',
  '--disable-pip-version-check',
  'pyarrow',
  'duckdb',
  'amazon.ion',
  'boto3',
  'moto[server]==5.2.1',
)
