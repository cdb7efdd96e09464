/** A real HAProxy in front of something that listens on a loopback port, telling it who the client is. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { requireCommand } from './installed.ts'
import { inFolder, onFreePort } from './place.ts'
import { startDaemon } from './process.ts'

export interface HaproxyOptions {
  /** Where it connects to, "127.0.0.1:port". */
  readonly to: string
  /** How it says who the client is: version 1, version 2, or not at all. */
  readonly send: 'send-proxy' | 'send-proxy-v2' | ''
  /** More words for its `server` line, such as "check". */
  readonly more?: string
}

export interface Haproxy extends AsyncDisposable {
  /** Where clients connect, on 127.0.0.1 and on ::1. */
  readonly port: number
  readonly pid: number
  pids(): readonly number[]
  log(): Promise<string>
  stop(): Promise<void>
}

/** Starts HAProxy. Throws, with its complaint, when it does not understand its configuration. */
export function startHaproxy(options: HaproxyOptions): Promise<Haproxy> {
  return onFreePort((port) =>
    inFolder('haproxy', async (folder) => {
      const file = join(folder, 'haproxy.cfg')
      await writeFile(file, configText(port, options))
      const daemon = await startDaemon({
        command: requireCommand('haproxy'),
        args: ['-W', '-f', file],
        folder,
        ready: /Loading success|New worker .* forked/,
      })
      return {
        port,
        pid: daemon.pid,
        pids: () => daemon.pids(),
        log: () => daemon.log(),
        stop: () => daemon.stop(),
        [Symbol.asyncDispose]: () => daemon.stop(),
      }
    }),
  )
}

function configText(port: number, { to, send, more = '' }: HaproxyOptions): string {
  return `global
  maxconn 100
  nbthread 1
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen mail
  bind 127.0.0.1:${port}
  bind [::1]:${port}
  server treacle ${to} ${send} ${more}
`
}
