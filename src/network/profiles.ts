import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Environment } from './proxy.ts'

/** The profiles of AWS's two files, by name, and the paths of the files. */
export interface Profiles {
  readonly files: readonly string[]
  readonly names: ReadonlySet<string>
}

/** Reads which profiles there are; the SDK reads what is in them. Files that are not there have none. */
export async function readProfiles(environment: Environment): Promise<Profiles> {
  const home = environment['HOME'] || environment['USERPROFILE'] || homedir()
  const config = environment['AWS_CONFIG_FILE'] || join(home, '.aws', 'config')
  const credentials = environment['AWS_SHARED_CREDENTIALS_FILE'] || join(home, '.aws', 'credentials')
  const names = new Set<string>()
  for (const section of await sectionsOf(config)) {
    // Only the default one may lack the word (AWS CLI user guide, "Configuration and credential file settings").
    const match = /^profile\s+["']?([^"']+?)["']?$/.exec(section)
    if (match !== null) names.add(match[1]!)
    else if (section === 'default') names.add(section)
  }
  for (const section of await sectionsOf(credentials)) names.add(section)
  return { files: [config, credentials], names }
}

async function sectionsOf(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch(() => '')
  return [...text.matchAll(/^[ \t]*\[([^\]\r\n]+)\]/gm)].map((match) => match[1]!.trim())
}
