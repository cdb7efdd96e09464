/**
 * Somebody who has just got the repository: `npm start`, and then what it prints.
 *
 * The only test that uses port 2525, which the demo always listens on.
 */
import assert from 'node:assert/strict'
import { cp, mkdir, readdir, readFile, symlink } from 'node:fs/promises'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { inFolder } from './servers/place.ts'
import { type Daemon, run, startDaemon, waitUntil } from './servers/process.ts'

const root = join(import.meta.dirname, '../..')

describe('a newcomer', { timeout: 120_000 }, () => {
  it('runs npm start, pastes the lines it prints, and finds the mail', async () => {
    await waitUntil(async () => !(await somebodyListens(2_525)), {
      timeoutMs: 30_000,
      what: async () => 'port 2525, which the demo needs, is free',
    })
    await using daemon = await startNewcomer()
    const { folder } = daemon
    const printed = daemon.output
    assert.match(printed, /Treacle listens on 127\.0\.0\.1:2525\./)
    const lines = printed.split('\n').filter((line) => /^ {2}(?:npm|ls) /.test(line))
    assert.equal(lines.length, 3, printed)
    const [clean = '', suspicious = '', listing = ''] = lines.map((line) => line.trim())

    const first = await paste(clean, folder)
    assert.equal(first.code, 0, first.output)
    const [served] = timesOf(first.output, 'RCPT TO:<bob@example.net>')
    assert.match(first.output, /<- 250 2\.0\.0 Ok: in the Maildir/)
    const second = await paste(suspicious, folder)
    assert.equal(second.code, 0, second.output)
    const [held] = timesOf(second.output, 'RCPT TO:<bob@example.net>')
    assert.ok((held ?? 0) >= 6, `held for ${held} s, promised are 6 to 9`)
    assert.ok((served ?? 99) < (held ?? 0) / 2, `served after ${served} s, held for ${held} s`)

    const listed = await paste(listing, folder)
    assert.equal(listed.code, 0, listed.output)
    const mail = join(folder, 'var/maildir/new')
    const names = await readdir(mail)
    assert.equal(names.length, 2)
    for (const name of names) {
      assert.ok(listed.output.includes(name), listed.output)
      assert.ok(daemon.output.includes(`A message has landed: var/maildir/new/${name}`))
      const text = await readFile(join(mail, name), 'latin1')
      assert.match(text, /^Received: from .*\r\n\tby treacle\.localhost \(Treacle\)/)
      assert.match(text, /\r\n\r\nHello\.\r\n$/)
    }
    const warned = await Promise.all(names.map((name) => readFile(join(mail, name), 'latin1')))
    const warnings = warned.flatMap((text) => text.match(/^X-HELO-warning: .*(?=\r$)/m) ?? [])
    assert.deepEqual(warnings, ["X-HELO-warning: That's a nasty HELO: MarineGuy"])

    // As a terminal does at Ctrl-C: everybody in the foreground gets it.
    process.kill(-daemon.pid, 'SIGINT')
    await waitUntil(async () => daemon.pids().length === 0, {
      timeoutMs: 30_000,
      what: async () => `npm start ends\n${daemon.output}`,
    })
    assert.doesNotMatch(daemon.output, /our-fault|ERR!|^\s+at /m)
    assert.equal(await somebodyListens(2_525), false)
  })
})

/** A copy of what is in the repository, with the packages installed, in which `npm start` runs. */
function startNewcomer(): Promise<Daemon & { readonly folder: string }> {
  return inFolder('newcomer', async (folder) => {
    const args = ['-C', root, 'ls-files', '-z', '--cached', '--others', '--exclude-standard']
    const { code, output } = await run('git', args, { timeoutMs: 10_000 })
    assert.equal(code, 0, output)
    for (const path of output
      .split('\0')
      .filter((each) => each !== '' && each !== 'node_modules')) {
      await mkdir(dirname(join(folder, path)), { recursive: true })
      await cp(join(root, path), join(folder, path))
    }
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
    const daemon = await startDaemon({
      command: 'npm',
      args: ['start'],
      env: environment(folder),
      folder,
      ready: /Ctrl-C stops it/,
    })
    return Object.assign(daemon, { folder })
  })
}

function paste(line: string, folder: string) {
  return run('sh', ['-c', line], { timeoutMs: 30_000, cwd: folder, env: environment(folder) })
}

/** Nothing of the npm that runs the tests. */
function environment(folder: string): NodeJS.ProcessEnv {
  const path = (process.env.PATH ?? '').split(':').filter((each) => !each.includes('node_modules'))
  return { PATH: path.join(':'), HOME: folder }
}

/** How long the replies to a command took, in seconds, as `treacle send` prints them. */
function timesOf(output: string, command: string): number[] {
  const [, after = ''] = output.split(`-> ${command}\n`)
  const replies = after.split('->')[0] ?? ''
  return [...replies.matchAll(/^ *([\d.]+)s {2}<- /gm)].map(([, seconds]) => Number(seconds))
}

async function somebodyListens(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect(port, '127.0.0.1')
  socket.once('connect', () => resolve(true))
  socket.once('error', () => resolve(false))
  try {
    return await promise
  } finally {
    socket.destroy()
  }
}
