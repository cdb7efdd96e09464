/** `treacle check`: reads a configuration, the files that it names and its modules, and starts nothing. */
import { dirname } from 'node:path'
import { readToken } from '../admin/token.ts'
import type { Environment } from '../config/environment.ts'
import { ListFiles, readConfig, shippedFolder } from '../config/files.ts'
import { makeJudging } from '../config/judging.ts'
import { mustBeNoRelay } from '../config/open-relay.ts'
import { systemClock } from '../core/clock.ts'
import { Log } from '../observe/log.ts'
import { loadModules } from '../reasons/modules.ts'
import { Certificates, tlsNeededBy } from '../smtp/certificates.ts'

/** @throws ConfigError with what is wrong. */
export async function checkConfig(
  file: string | undefined,
  environment: Environment,
): Promise<void> {
  const config = readConfig(file ?? null, environment)
  mustBeNoRelay(config.backend)
  const folder = file === undefined ? shippedFolder : dirname(file)
  const modules = await loadModules(config.reasons.modules, folder, systemClock)
  readToken(config.admin)
  const log = new Log(systemClock, { level: 'silent', format: 'json' })
  new Certificates(config.tls, tlsNeededBy(config), systemClock, log)
  // Whatever reasons and clients are judged by is read on the way.
  makeJudging(config, { files: new ListFiles(folder), clock: systemClock, log, modules })
}
