// Makes .python/spark4 and .python/spark3, environments of Python's own with the two lines of PySpark that the tests of
// test/spark/ run in. A line that this machine can not have is left out, and it is said why.
import { spawnSync } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'

// pyarrow is what Spark wants for df.write.format('headrace'), which is there from 4 on.
const LINES = [
  { name: 'spark4', packages: ['pyspark==4.3.0', 'pyarrow==26.0.1'], python: [3, 11] },
  { name: 'spark3', packages: ['pyspark==3.5.9'], python: [3, 8] },
]
const TIMEOUT_MS = 300_000

const missing = missingHere()
if (missing !== undefined) console.error(`${missing}: the tests in Spark are left out`)
else for (const line of LINES) prepare(line)

function missingHere() {
  const java = spawnSync('java', ['-version'], { encoding: 'utf8' })
  const version = Number(/version "(\d+)/.exec(java.stderr ?? '')?.[1])
  if (!(version >= 17)) return 'no Java 17 or newer here'
  return ask('python3', '--version').status === 0 ? undefined : 'no python3 here'
}

function prepare({ name, packages, python }) {
  const folder = `.python/${name}`
  if (existsSync(`${folder}/.headrace-ready`)) return
  const [major, minor] = ask('python3', '-c', 'import sys; print(*sys.version_info[:2])').stdout.split(' ').map(Number)
  if (major !== python[0] || minor < python[1]) {
    console.error(
      `${packages[0]} wants Python ${python.join('.')}, and this is ${major}.${minor}: its tests are left out`,
    )
    return
  }
  console.error(`installing ${packages.join(' and ')} into ${folder}`)
  rmSync(folder, { recursive: true, force: true })
  for (const [command, ...args] of [
    ['python3', '-m', 'venv', folder],
    [`${folder}/bin/pip`, 'install', '--quiet', '--disable-pip-version-check', ...packages],
  ]) {
    const { status } = spawnSync(command, args, { stdio: 'inherit', timeout: TIMEOUT_MS })
    if (status === 0) continue
    console.error(`${packages[0]} can not be installed: its tests are left out`)
    return
  }
  writeFileSync(`${folder}/.headrace-ready`, '')
}

function ask(command, ...args) {
  return spawnSync(command, args, { encoding: 'utf8' })
}
