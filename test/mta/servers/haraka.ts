/**
 * A real Haraka in a private folder, on a loopback port: a back end that delivers into Maildirs.
 *
 * It comes from npm into a folder that git does not see. A plugin that is written into its private
 * folder puts messages into Maildirs, as Haraka itself only passes mail on. It asks no DNS server.
 */
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { UNPACKED_HARAKA } from './installed.ts'
import { type BackEnd, backEndOf } from './mail-server.ts'
import { inFolder, onFreePort } from './place.ts'
import { startDaemon } from './process.ts'
import { withoutDns } from './without-dns.ts'

const home = join(UNPACKED_HARAKA, 'node_modules/Haraka')

/** Files of its config folder, by name; `plugins` goes above those that every test needs. */
export type HarakaFiles = Readonly<Record<'smtp.ini' | 'plugins' | 'xclient.hosts', string>>

/** Starts a Haraka that takes mail for example.net, and waits until it listens. */
export function startHaraka(files: (port: number) => HarakaFiles): Promise<BackEnd> {
  return onFreePort((port) =>
    inFolder('haraka', async (folder) => {
      const { plugins, ...others } = files(port)
      await write(join(folder, 'config'), {
        ...others,
        plugins: `${plugins}\nrcpt_to.in_host_list\nmaildir\n`,
        host_list: 'example.net\n',
        me: 'mx.example.net\n',
        'log.ini': 'level=INFO\n',
      })
      await write(folder, { 'plugins/maildir.js': maildirPlugin(join(folder, 'mail')) })
      // Without the one it comes with it falls over its first connection.
      await copyFile(join(home, 'config/connection.ini'), join(folder, 'config/connection.ini'))
      const daemon = await startDaemon({
        ...(await withoutDns(folder, [process.execPath, join(home, 'bin/haraka'), '-c', folder])),
        folder,
        ready: /Listening on/,
      })
      return backEndOf(daemon, port, join(folder, 'mail'))
    }),
  )
}

async function write(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), text)
  }
}

/** A message is in its mailbox all at once: written elsewhere, then renamed. */
function maildirPlugin(folder: string): string {
  return `'use strict'
const { createWriteStream, mkdirSync, renameSync } = require('node:fs')
exports.hook_queue = (next, { transaction }) => {
  const box = '${folder}/' + transaction.rcpt_to[0].user
  const name = transaction.uuid + '.eml'
  for (const part of ['new', 'tmp']) mkdirSync(box + '/' + part, { recursive: true })
  const file = createWriteStream(box + '/tmp/' + name)
  file.once('close', () => {
    renameSync(box + '/tmp/' + name, box + '/new/' + name)
    next(OK)
  })
  transaction.message_stream.pipe(file, { line_endings: '\\n' })
}
`
}
