// Preloaded into the program (NODE_OPTIONS=--import): writes the most memory that it ever had resident, in MiB, into the
// file that the environment names.
import { writeFileSync } from 'node:fs'

process.on('exit', () => {
  // Kibibytes, on every system (nodejs.org/api/process.html, "process.resourceUsage()").
  writeFileSync(process.env['PEAK_MEMORY_FILE']!, `${Math.round(process.resourceUsage().maxRSS / 1_024)}`)
})
