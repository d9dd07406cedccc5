import type { ScenarioFlags } from '../playScenario.ts'
import type { GatewayFlags } from '../serveGateway.ts'

/** `headrace simulate`: over HTTP where a port is named, else in virtual time. */
export async function simulateCommand(
  flags: ScenarioFlags & Omit<GatewayFlags, 'port'> & { port?: number },
): Promise<void> {
  const { port } = flags
  if (port === undefined) {
    await (await import('../playScenario.ts')).playScenario(flags)
    return
  }
  if (flags.scenario !== undefined || flags.plot !== undefined || flags.list === true) {
    throw new TypeError('--port serves requests, --scenario and --plot play without any; give one or the other')
  }
  await (await import('../serveGateway.ts')).serveGateway({ ...flags, port })
}
