/**
 * The catalogue, A: published ways to make two messages of one, through a real Treacle into real
 * mail servers. One message in: none out where it is refused, one where it is normalized.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startProxy } from '../helpers/proxy.ts'
import { startBackend } from '../helpers/scripted-backend.ts'
import { startExim } from '../mta/servers/exim.ts'
import { bodyOf, type MailServer } from '../mta/servers/mail-server.ts'
import { startPostfix } from '../mta/servers/postfix.ts'
import { Talk } from '../mta/servers/talk.ts'
import { startTreacle, type Treacle } from '../mta/servers/treacle.ts'

/** What stands between the body and the message that is to be smuggled. */
const sequences: readonly (readonly [id: string, bytes: string])[] = [
  ['A1', '\n.\n'],
  ['A2', '\n.\r\n'],
  ['A3', '\r.\r'],
  ['A5', '\r\n.\n'],
  ['A6', '\r\n.\r'],
  ['A8', '\r\n\0.\r\n'],
  ['A9', '\r\0\n.\r\n'],
  ['A10', '\r\n.\0\r\n'],
  ['A13', '\n.\r'],
  ['A14', '\r\n.\r\r\n'],
  ['A15', '\r\r\n.\r\r\n'],
  ['A16', '\n..\r\n'],
  ['A17', '\r\n..\n'],
  ['A18', '\n..\n'],
  ['A relatives', '\r\r.\r\n'],
  ['A relatives', '\n\n.\n\n'],
  ['A relatives', '\r\n\r.\r\n'],
  ['A relatives', '\n\r\n.\n\r\n'],
  ['A relatives', '\r\n.\r\0\n'],
  ['A relatives', '\v.\r\n\n.\f\r\n'],
  ['A relatives', '\x85.\x85\n.\x85'],
]

/** What is before the first bytes of a message. */
const beginnings: readonly (readonly [id: string, bytes: string])[] = [
  ['A19', '\n.\r\n'],
  ['A20', '.\n'],
  ['A20 relative', '.\r'],
]

const smuggled =
  'MAIL FROM:<evil@example.com>\r\nRCPT TO:<victim@example.net>\r\nDATA\r\n' +
  'Subject: smuggled\r\n\r\nx\r\n.\r\n'

const backends: readonly { readonly name: string; readonly start: () => Promise<MailServer> }[] = [
  { name: 'Postfix', start: () => startPostfix({ users: ['user', 'victim'] }) },
  { name: 'Exim', start: () => startExim({ users: ['user', 'victim'] }) },
]

for (const { name, start } of backends) {
  describe(`smuggling into ${name}`, { timeout: 120_000 }, () => {
    const stack = new AsyncDisposableStack()
    let backend: MailServer
    let strict: Treacle
    let normalizing: Treacle
    before(async () => {
      backend = stack.use(await start())
      const config = `
        backend.addresses = ["127.0.0.1:${backend.port}"]
        backend.recipient_domains = ["example.net"]
        log.level = "debug"
      `
      strict = stack.use(await startTreacle({ config }))
      normalizing = stack.use(
        await startTreacle({
          config: `${config}\ndata.bare_newline = "normalize"\ndata.nul = "replace"`,
        }),
      )
    })
    after(() => stack.disposeAsync())

    it('refused: none of them arrives, nor what was behind them', async () => {
      for (const [id, bytes] of sequences) {
        const heard = await offers(strict, `Subject: t\r\n\r\nbody${bytes}${smuggled}`)
        assert.match(heard, /^550 5\.(?:5\.2|6\.0) /, `${id} ${JSON.stringify(bytes)}`)
      }
      for (const [id, bytes] of beginnings) {
        assert.match(await offers(strict, `${bytes}${smuggled}`), /^550 5\.5\.2 /, id)
      }
      assert.match(
        await offers(strict, 'Subject: LF\n\nall of it\nends so\n\r\n.\r\n'),
        /^550 5\.5\.2 /,
      )
      await arrives(strict, backend, 'user')
      assert.equal((await backend.messages('user')).length, 1)
      assert.equal((await backend.messages('victim')).length, 0)
      assert.ok((await strict.events('content.faulty')).length > 0)
    })

    it('normalized: each arrives as one message, with the smuggled one as text in it', async () => {
      const before = (await backend.messages('user')).length
      for (const [id, bytes] of sequences) {
        const message = `Subject: ${id} ${Buffer.from(bytes).toString('hex')}\r\n\r\nbody${bytes}${smuggled}`
        assert.match(await offers(normalizing, message), /^250 /, `${id} ${JSON.stringify(bytes)}`)
      }
      for (const [id, bytes] of beginnings) {
        assert.match(await offers(normalizing, `${bytes}${smuggled}`), /^250 /, id)
      }
      const count = sequences.length + beginnings.length
      const messages = await backend.waitForMessages('user', before + count)
      await arrives(normalizing, backend, 'user')
      assert.equal((await backend.messages('user')).length, before + count + 1)
      assert.equal((await backend.messages('victim')).length, 0)
      const texts = messages.slice(before).map((message) => message.toString('latin1'))
      for (const text of texts) assert.match(text, /MAIL FROM:<evil@example\.com>/)
    })

    it('A7: a real end is one, and what follows is a transaction of its own', async () => {
      using client = await Talk.to(strict.address)
      await client.opens()
      await client.gives('user@example.net')
      await client.asks('DATA')
      client.says(Buffer.from(`Subject: t\r\n\r\nbody\0\r\n.\r\n${smuggled}`, 'latin1'))
      const heard: string[] = []
      for (let count = 0; count < 5; count += 1) heard.push((await client.hears()).text.slice(0, 3))
      assert.deepEqual(heard.slice(0, 2), ['550', '250'])
      assert.deepEqual(heard.slice(3), ['354', '250'])
      const [message] = await backend.waitForMessages('victim', 1)
      assert.match(message?.toString() ?? '', /^Subject: smuggled$/m)
    })

    it('B13: what strangers say reaches the log as data, and no terminal', async () => {
      using client = await Talk.to(strict.address)
      await client.opens()
      for (const line of [
        'MAIL FROM:<a\x1b[2J@b.example>',
        'NOOP \x1b[2J',
        '\x1b]0;x\x07',
        'VRFY \x9b2J',
      ]) {
        client.says(Buffer.from(`${line}\r\n`, 'latin1'))
        assert.match((await client.hears()).text, /^[245]\d\d [ -~]+$/)
      }
      await client.quits()
      const mainlog = await strict.mainlog()
      assert.doesNotMatch(strict.output + mainlog, /[^\P{Cc}\t\n]/u)
    })

    it('A22 to A25: dots that are text arrive as they were meant, however they come', async () => {
      const pieces = ['..', '\r\n', '..test\r\n.test\r\n. \r\nend', '\r\n', '.', '\r', '\n']
      using client = await Talk.to(strict.address)
      await client.opens()
      await client.gives('user@example.net')
      await client.asks('DATA')
      client.says(Buffer.from('Subject: dots\r\n\r\n'))
      for (const piece of pieces) {
        await client.writes(Buffer.from(piece))
      }
      assert.equal((await client.hears()).code, 250)
      await arrives(strict, backend, 'user')
      const stored = (await backend.messages('user')).find((each) => each.includes('Subject: dots'))
      assert.ok(stored)
      assert.equal(bodyOf(stored).toString(), '.\n.test\ntest\n \nend\n')
    })
  })
}

describe('smuggling, as a back end would read it byte for byte', () => {
  for (const [how, config] of [
    ['normalized', 'data.bare_newline = "normalize"\ndata.nul = "replace"'],
    ['exempt from being refused', 'data.exempt = ["192.0.2.0/24"]'],
  ] as const) {
    it(`${how}: one transaction each, without a bare CR or LF or a NUL`, async () => {
      await using backend = await startBackend()
      await using proxy = await startProxy({ backend: backend.address, config })
      for (const [index, [id, bytes]] of [...sequences, ...beginnings].entries()) {
        const client = await proxy.connectFrom('192.0.2.1')
        await client.isGreeted()
        client.says('MAIL FROM:<a@example.com>\r\nRCPT TO:<user@example.net>\r\nDATA')
        for (const heard of ['250 ', '250 ', '354 ']) await client.hears(heard)
        const before = index < sequences.length ? 'Subject: t\r\n\r\nbody' : ''
        client.says(Buffer.from(`${before}${bytes}${smuggled}`, 'latin1'))
        await client.hears('250 ')
        client.says('NOOP')
        await client.hears('250 ')
        client.leaves()
        const message = backend.messages[index]?.toString('latin1') ?? ''
        assert.match(message, /MAIL FROM:<evil/, id)
        assert.doesNotMatch(message, /\r(?!\n)|(?<!\r)\n|\0/, `${id} ${JSON.stringify(bytes)}`)
        assert.equal(backend.messages.length, index + 1)
      }
      assert.ok(!backend.transcript.some((line) => /evil|victim/.test(line)))
    })
  }
})

/** One message with all its bytes at once. @returns The reply to it. */
async function offers(treacle: Treacle, content: string): Promise<string> {
  using client = await Talk.to(treacle.address)
  await client.opens()
  assert.equal((await client.gives('user@example.net')).code, 250)
  await client.asks('DATA')
  return (await client.asks(Buffer.from(`${content}\r\n.\r\n`, 'latin1'))).text
}

let sentinels = 0

/** Everything that was sent before is delivered when this is. */
async function arrives(treacle: Treacle, backend: MailServer, user: string): Promise<void> {
  sentinels += 1
  const subject = `Subject: sentinel ${sentinels}`
  const before = (await backend.messages(user)).length
  assert.match(await offers(treacle, `${subject}\r\n\r\nx`), /^250 /)
  for (let count = before + 1; ; count += 1) {
    const messages = await backend.waitForMessages(user, count)
    if (messages.some((message) => message.includes(`${subject}\n`))) return
  }
}
