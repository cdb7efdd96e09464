/** `npm start`: Treacle with a back end of its own and short delays, to be tried in a minute. */
import { App } from './app.ts'
import { startMaildir } from './cli/maildir.ts'
import { demoAddress } from './cli/program.ts'
import { shippedFolder } from './config/files.ts'
import { parseConfig } from './config/load.ts'
import { configSchema } from './config/schema.ts'

export interface Demo {
  readonly app: App
  close(): void
}

/**
 * @param folder Where the mail lands and state is kept.
 * @param say Prints a line for the newcomer.
 */
export async function startDemo(folder: string, say: (line: string) => void): Promise<Demo> {
  const maildir = `${folder}/maildir`
  const backend = await startMaildir(maildir, (path) => say(`A message has landed: ${path}`))
  const config = parseConfig(configSchema, demoConfig(backend.address, folder), '(demo)')
  const app = new App({ config, file: '(demo)', folder: shippedFolder })
  try {
    const [address = ''] = await app.start()
    say(welcome(address, maildir))
  } catch (error) {
    backend.close()
    throw error
  }
  return { app, close: () => backend.close() }
}

function demoConfig(backend: string, folder: string): string {
  return `
name = "treacle.localhost"
listen.addresses = ["${demoAddress}"]
backend.addresses = ["${backend}"]
backend.recipient_domains = ["example.net"]
greeting.pause = "500ms"
greeting.pause_suspect = "2s"
delay.target = ["6s", "9s"]
delay.key_file = "${folder}/delay.key"
reasons.sorbs-dul.action = "off"
dns.timeout = "2s"
log.format = "pretty"
admin.listen = ""
`
}

/** From a checkout it is npm that finds the right Node. */
const send = import.meta.filename.endsWith('.ts') ? 'npm run -s send --' : 'treacle send'

function welcome(address: string, maildir: string): string {
  return `
Treacle listens on ${address}. What it lets through lands in ${maildir}.
Paste these into another terminal, in this folder:

  ${send} --helo mail.example.org   # a clean client is served at once
  ${send} --helo MarineGuy          # a suspicious one is held for some seconds
  ls -l ${maildir}/new   # where the mail landed

Ctrl-C stops it. Each connection leaves a record below.
`
}
