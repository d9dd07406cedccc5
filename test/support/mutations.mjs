import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const build = '.build'

/**
 * Breaks a copy of the build on purpose, one way at a time, and shows that each is caught. Ends the process with 1 when one
 * is not.
 *
 * A mutation is `{ name, file, from, to }`: in the compiled `file` of `src/`, `from` (a text or pattern) becomes `to`. What
 * else it has is for `judge`.
 *
 * @param {object} area
 * @param {string} area.name of the copy, so that two areas can run side by side
 * @param {readonly object[]} area.mutations
 * @param {readonly string[]} area.folders of `test/` that `judge` needs
 * @param {(mutation: object, mutants: string) => string | undefined} area.judge by whom it was caught and what was said;
 *   undefined when it was not. `mutants` is the folder with the copy.
 */
export function runMutations({ name: area, mutations, folders, judge }) {
  const mutants = join(build, `mutants-${area}`)
  const word = process.argv[2] ?? ''
  let missed = 0
  for (const mutation of mutations.filter(({ name, suite = '' }) => `${name} ${suite}`.includes(word))) {
    const { name, file, from, to } = mutation
    rmSync(mutants, { recursive: true, force: true })
    cpSync(join(build, 'src'), join(mutants, 'src'), { recursive: true })
    for (const folder of folders) {
      cpSync(join(build, 'test', folder), join(mutants, 'test', folder), { recursive: true })
    }
    const path = join(mutants, 'src', file)
    const sound = readFileSync(path, 'utf8')
    const broken = sound.replace(from, to)
    if (broken === sound) throw new Error(`${file} has changed; this mutation no longer fits: ${name}`)
    writeFileSync(path, broken)
    const said = judge(mutation, mutants)
    if (said === undefined) missed += 1
    console.log(said === undefined ? `MISSED  ${name}` : `caught  ${name}: ${said.slice(0, 110)}`)
  }
  rmSync(mutants, { recursive: true, force: true })
  process.exitCode = missed === 0 ? 0 : 1
}
