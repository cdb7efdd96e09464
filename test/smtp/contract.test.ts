/**
 * What src/smtp relies on in smtp-server, each thing by its name. Some of it is documented
 * and all of it is typed, but a new version may change it without a word: then this says where.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { connect, createServer, type Socket } from 'node:net'
import { describe, it } from 'node:test'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { SMTPConnection } from 'smtp-server/lib/smtp-connection'
import { SMTPStream } from 'smtp-server/lib/smtp-stream'
import { tapOf } from '../../src/smtp/tap.ts'

const changed = (what: string) => `smtp-server has changed: ${what} (see src/smtp)`

describe('smtp-server', () => {
  it('is the version that src/smtp was written for', () => {
    const path = createRequire(import.meta.url).resolve('smtp-server/package.json')
    assert.match(readFileSync(path, 'utf8'), /"version": "3\.21\.6"/, changed('its version'))
  })

  const methods = [
    { name: 'init', parameters: 0, because: 'we greet without its timer of 100 ms' },
    { name: '_createParser', parameters: 0, because: 'content goes past its parser' },
    { name: '_onClose', parameters: 0, because: 'the session is closed with it' },
    { name: 'send', parameters: 3, because: 'errors are counted' },
    { name: 'handler_STARTTLS', parameters: 2, because: 'each handshake has its certificate' },
    { name: '_onError', parameters: 1, because: 'a handshake may fail' },
    { name: '_setClientHostname', parameters: 1, because: 'init calls it' },
    { name: '_resetSession', parameters: 0, because: 'init calls it' },
    { name: '_setListeners', parameters: 1, because: 'init calls it' },
    { name: '_sendGreeting', parameters: 0, because: 'init calls it' },
    { name: '_armTimeout', parameters: 0, because: 'we have our own deadlines' },
    { name: 'close', parameters: 0, because: 'it ends after 421' },
  ]
  for (const { name, parameters, because } of methods) {
    it(`has SMTPConnection.${name} with ${parameters} parameters: ${because}`, () => {
      const method: unknown = Reflect.get(SMTPConnection.prototype, name)
      assert.ok(typeof method === 'function', changed(`no ${name}`))
      assert.equal(method.length, parameters, changed(`parameters of ${name}`))
    })
  }

  for (const name of ['write', '_flushData']) {
    it(`has SMTPStream.${name}`, () => {
      const method: unknown = Reflect.get(SMTPStream.prototype, name)
      assert.equal(typeof method, 'function', changed(`no ${name}`))
    })
  }

  it('keeps the certificate of who asks for none by name in secureContext, under "*"', async () => {
    await using at = await start({})
    assert.ok(at.server.secureContext instanceof Map, changed('secureContext'))
    assert.ok(at.server.secureContext.has('*'), changed('secureContext of everybody'))
    const asked: string[] = []
    at.server.options.SNICallback = (name, answer) => {
      asked.push(name)
      answer(null)
    }
    at.server._resolveSNI('MX.example.org', () => {})
    assert.deepEqual(asked, ['mx.example.org'], changed('SNICallback'))
  })

  it('keeps what we read and write in these fields', async () => {
    await using at = await start({})
    for (const field of [
      ...['_socket', '_parser', '_handlerPending'],
      ...['_upgrading', '_closing', 'secure'],
    ]) {
      assert.ok(field in at.connection, changed(`no ${field}`))
    }
    for (const field of ['isClosed']) {
      assert.ok(field in new SMTPStream(), changed(`no SMTPStream.${field}`))
    }
    assert.equal(at.connection.session.id, at.connection.id, changed('session before init'))
  })

  it('adds no code and no control character to what it is told to send with false', async () => {
    await using at = await start({})
    at.connection.send(550, ['5.1.1 a\rb', '5.1.1 c'], false)
    assert.equal(await at.reply(), '550-5.1.1 a b\r\n550 5.1.1 c\r\n', changed('send'))
  })

  it('closes the connection after 421, whatever it is', async () => {
    await using at = await start({})
    at.connection.send(421, ['bye'], false)
    assert.equal(await at.reply(), '421 bye\r\n')
    await at.closed
  })
})

describe('net.Socket', () => {
  it('has readStop and readStart below it, which stop and start it at once', async () => {
    await using at = await start({})
    const tap = tapOf(at.connection._socket)
    assert.ok(tap, 'Node has changed: no _handle.readStop (see src/smtp/tap.ts)')
    tap.close()
    const asked = at.ask('NOOP')
    for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    assert.equal(at.heard(), '')
    tap.open()
    assert.equal(await asked, '250')
  })
})

interface Started extends AsyncDisposable {
  readonly server: SMTPServer
  readonly connection: SMTPConnection
  readonly closed: Promise<void>
  /** What the client has heard and not been asked for yet. */
  heard(): string
  reply(): Promise<string>
  /** Says a command. @returns The code of the reply. */
  ask(line: string): Promise<string>
}

/** A connection of the package as our server makes it, without what our server overrides. */
async function start(options: SMTPServerOptions): Promise<Started> {
  const server = new SMTPServer({
    authOptional: true,
    logger: false,
    disableReverseLookup: true,
    ...options,
  })
  const { promise: accepted, resolve: accept } = Promise.withResolvers<Socket>()
  const listener = createServer(accept)
  const { promise: listening, resolve: listens } = Promise.withResolvers<void>()
  listener.listen(0, '127.0.0.1', listens)
  await listening
  const bound = listener.address()
  const client = connect(typeof bound === 'object' && bound !== null ? bound.port : 0, '127.0.0.1')
  const { promise: closed, resolve: close } = Promise.withResolvers<void>()
  let text = ''
  let hear = () => {}
  client.on('data', (chunk) => {
    text += chunk
    hear()
  })
  client.on('end', close)
  client.on('error', () => {})
  const connection = new SMTPConnection(server, await accepted, {})
  connection._ready = true
  connection._resetSession()
  connection._setListeners(() => {})
  const reply = async () => {
    while (!/^\d{3} .*\r\n$/m.test(text)) {
      await new Promise<void>((resolve) => {
        hear = resolve
      })
    }
    const whole = text
    text = ''
    return whole
  }
  return {
    server,
    connection,
    closed,
    reply,
    heard: () => text,
    async ask(line) {
      client.write(`${line}\r\n`)
      return (await reply()).slice(0, 3)
    },
    async [Symbol.asyncDispose]() {
      client.destroy()
      connection._socket.destroy()
      listener.close()
    },
  }
}
