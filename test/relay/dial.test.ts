/** What dial relies on in nodemailer, each thing by its name; and what it makes of it. */
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { describe, it } from 'node:test'
import SMTPConnection from 'nodemailer/lib/smtp-connection'
import {
  DialError,
  dial,
  nodemailerEhloLines,
  nodemailerErrorListener,
  nodemailerListeners,
} from '../../src/relay/dial.ts'
import type { Answer } from '../helpers/scripted-backend.ts'
import { type Setup, setUp } from './setups.ts'

describe('nodemailer', () => {
  it('is the version that this was written for', () => {
    const path = createRequire(import.meta.url).resolve('nodemailer/package.json')
    assert.match(readFileSync(path, 'utf8'), /"version": "10\.6\.0"/)
  })

  for (const field of [...Object.values(nodemailerListeners), nodemailerErrorListener]) {
    it(`keeps its listener in ${field}`, () => {
      assert.equal(typeof Reflect.get(new SMTPConnection({ host: 'x' }), field), 'function')
    })
  }

  it(`keeps the EHLO reply in ${nodemailerEhloLines} and its socket in _socket`, async () => {
    await using at = await setUp({ ehlo: ['SIZE 1', 'DSN'] })
    const connection = new SMTPConnection({ host: '127.0.0.1', port: at.server.port })
    const { promise: connected, resolve } = Promise.withResolvers<void>()
    connection.connect(() => resolve())
    await connected
    assert.deepEqual(Reflect.get(connection, nodemailerEhloLines), ['SIZE 1', 'DSN'])
    const socket = connection._socket
    assert.ok(socket)
    for (const [event, field] of Object.entries({
      ...nodemailerListeners,
      error: nodemailerErrorListener,
    })) {
      const own: unknown = Reflect.get(connection, field)
      const on: unknown[] = socket.rawListeners(event).filter((each) => wrapped(each) === own)
      assert.equal(on.length, 1, `one ${event} listener of its own`)
    }
    connection.close()
  })
})

describe('dial', () => {
  it('hands over a socket without listeners, but for that of errors until it is released', async () => {
    await using at = await setUp({ ehlo: ['SIZE 1'] })
    const { signal } = new AbortController()
    const { socket, capabilities, secure, release } = await dialled(at, {}, signal)
    assert.deepEqual([...capabilities], [['SIZE', '1']])
    assert.equal(secure, false)
    assert.equal(socket.isPaused(), true)
    assert.equal(socket.timeout, 0)
    const counts = () =>
      ['data', 'timeout', 'close', 'error'].map((event) => socket.listenerCount(event))
    assert.deepEqual(counts(), [0, 0, 0, 1])
    // Node's own, since the socket is not half-open.
    assert.equal(socket.listenerCount('end'), 1)
    release()
    assert.deepEqual(counts(), [0, 0, 0, 0])
    assert.equal(getEventListeners(signal, 'abort').length, 0)
    assert.equal(at.clock.sleeping, 0)
    socket.destroy()
  })

  it('goes on with HELO where EHLO is not known, and nothing is offered then', async () => {
    await using at = await setUp({
      replies: (line) => (line.startsWith('EHLO') ? '502 5.5.1 what?' : undefined),
    })
    const { socket, capabilities } = await dialled(at)
    assert.equal(capabilities.size, 0)
    assert.deepEqual(at.server.transcript, ['EHLO mx.example.net', 'HELO mx.example.net'])
    socket.destroy()
  })

  it('goes on in the clear when STARTTLS was offered but is refused, unless it is demanded', async () => {
    await using at = await setUp({
      ehlo: ['STARTTLS', 'SIZE 7'],
      replies: (line) => (line === 'STARTTLS' ? '454 4.7.0 not now' : undefined),
    })
    const { socket, capabilities, secure } = await dialled(at)
    assert.deepEqual([secure, capabilities.get('SIZE')], [false, '7'])
    socket.destroy()
    await assert.rejects(dialled(at, { tls: 'require' }), DialError)
    const plain = await dialled(at, { tls: 'off' })
    assert.equal(at.server.dialogues[2]?.includes('STARTTLS'), false)
    plain.socket.destroy()
  })

  it('demands STARTTLS where it must, offered or not', async () => {
    await using at = await setUp({ ehlo: [] })
    await assert.rejects(dialled(at, { tls: 'require' }), DialError)
    await at.server.closed()
  })

  const silences: readonly { readonly script: object; readonly because: string }[] = [
    { script: { greeting: 'hang' }, because: 'it does not greet' },
    { script: { replies: () => 'hang' }, because: 'it does not answer EHLO' },
    { script: { greeting: '220-half a greeting' }, because: 'it does not finish its greeting' },
  ]
  for (const { script, because } of silences) {
    it(`gives up when its time is over and ${because}`, async () => {
      await using at = await setUp(script)
      const refused = assert.rejects(dialled(at), /not ready for mail after 10000 ms/)
      await at.clock.advance(10_000)
      await refused
      await at.server.closed()
      assert.equal(at.clock.sleeping, 0)
    })
  }

  const greetings: readonly Answer[] = [
    '421 4.3.2 busy',
    '554 5.3.2 no mail here',
    '250 ok',
    'hello',
    'close',
    'reset',
    { breaksOffAfter: '220-ha' },
    { forever: '220-more\r\n' },
    { forever: 'x' },
  ]
  for (const greeting of greetings) {
    it(`fails after the greeting ${JSON.stringify(greeting)}`, async () => {
      await using at = await setUp({ greeting })
      const { signal } = new AbortController()
      await assert.rejects(dialled(at, {}, signal), DialError)
      await at.server.closed()
      assert.equal(getEventListeners(signal, 'abort').length, 0)
      assert.equal(at.clock.sleeping, 0)
    })
  }

  it('ends when the client leaves', async () => {
    await using at = await setUp({ replies: () => 'hang' })
    const client = new AbortController()
    const refused = assert.rejects(dialled(at, {}, client.signal), /left/)
    await at.server.heard(/EHLO/)
    client.abort(new Error('left'))
    await refused
    await at.server.closed()
    assert.equal(at.clock.sleeping, 0)
    await assert.rejects(dialled(at, {}, client.signal), /left/)
  })
})

/** The listener that was given to once(). */
function wrapped(listener: object): unknown {
  return Reflect.get(listener, 'listener') ?? listener
}

function dialled(
  { server, backend, clock }: Setup,
  settings: Partial<Setup['backend']['options']> = {},
  signal: AbortSignal = new AbortController().signal,
) {
  const options = { ...backend.options, ...settings }
  return dial(server.address, 'mx.example.net', options, clock, signal)
}
