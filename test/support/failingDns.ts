// Preloaded into the program (NODE_OPTIONS=--import): one host name stands for this machine, and does not resolve at
// certain times. The environment says which and when, and where to write how often it failed.
import dns from 'node:dns'
import { appendFileSync } from 'node:fs'
import { type DnsPlan, PLAN_VARIABLE } from './dnsPlan.ts'

type Told = (error: Error | null, address?: string | { address: string; family: number }[], family?: number) => void

const plan = JSON.parse(process.env[PLAN_VARIABLE] ?? '{}') as DnsPlan
const lookup = dns.lookup
let failures = 0

dns.lookup = ((host: string, options: { all?: boolean } | Told, told?: Told) => {
  const callback = typeof options === 'function' ? options : told!
  const all = typeof options === 'object' && options.all === true
  if (host !== plan.host) return lookup(host, options as object, callback as never)
  const now = Date.now()
  const broken = plan.outages.some(({ fromMs, toMs }) => now >= fromMs && now < toMs)
  setImmediate(() => {
    if (broken) {
      failures += 1
      // A name server that says there is no such name, and one that cannot be asked.
      const code = failures % 2 === 1 ? 'ENOTFOUND' : 'EAI_AGAIN'
      callback(
        Object.assign(new Error(`getaddrinfo ${code} ${host}`), { code, syscall: 'getaddrinfo', hostname: host }),
      )
    } else if (all) {
      callback(null, [{ address: '127.0.0.1', family: 4 }])
    } else {
      callback(null, '127.0.0.1', 4)
    }
  })
}) as typeof dns.lookup

process.on('exit', () => appendFileSync(plan.log, `${failures}\n`))
