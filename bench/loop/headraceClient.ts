import { connect } from '../../src/index.ts'
import type { LoopOptions } from './measure.ts'

export function headraceClient(
  options: Pick<LoopOptions, 'endpoint' | 'certificateAuthority'>,
): ReturnType<typeof connect> {
  return connect({
    endpoint: options.endpoint,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
    ...(options.certificateAuthority === undefined ? {} : { certificateAuthority: options.certificateAuthority }),
  })
}
