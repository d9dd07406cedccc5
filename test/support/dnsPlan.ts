/** When a host name resolves, and when it does not; handed to the program in its environment. */
export interface DnsPlan {
  /** Stands for 127.0.0.1. */
  readonly host: string
  /** Milliseconds since 1970. */
  readonly outages: readonly { readonly fromMs: number; readonly toMs: number }[]
  /** A file that gets a line with the number of failures when the program ends. */
  readonly log: string
}

export const PLAN_VARIABLE = 'FAILING_DNS_PLAN'

/** The environment of a program whose name server is as planned. */
export function dnsEnvironment(plan: DnsPlan): { [name: string]: string } {
  const preload = new URL('./failingDns.js', import.meta.url)
  return { NODE_OPTIONS: `--import=${preload.href}`, [PLAN_VARIABLE]: JSON.stringify(plan) }
}
