/** Mail through Treacle: from real clients to real back ends, byte for byte, answer for answer. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createTransport } from 'nodemailer'
import { startExim } from './servers/exim.ts'
import { bodyOf, type MailServer } from './servers/mail-server.ts'
import { startPostfix } from './servers/postfix.ts'
import { swaks } from './servers/swaks.ts'
import { stuffed, Talk } from './servers/talk.ts'
import { startTreacle, type Treacle } from './servers/treacle.ts'

/** Bodies as they are stored: lines end in LF, the last one too. */
const bodies: readonly { readonly name: string; readonly body: string }[] = [
  { name: 'UTF-8 in eight bits', body: 'Grüße aus Köln\nΚαλημέρα κόσμε\n🐝 \t \n' },
  { name: 'dots', body: '.\n..\n...three\n.leading\n\n.\nlast\n' },
  { name: 'lines up to 998', body: [997, 998, 1, 998].map((n) => `${'x'.repeat(n)}\n`).join('') },
  { name: '300 kB', body: largeBody(300_000) },
  { name: 'an empty body', body: '' },
]

/** Headers that a client forged, and one that only looks like it. */
const forged = [
  'X-HELO-warning: nothing to see here',
  'x-helo-dubious: forged,',
  '\tand folded',
  'X-Treacle-Verdict: harmless',
  'X-Treacles: not ours',
]

const users = ['user', 'other', 'busy', 'wordy']

const backends: readonly {
  readonly name: string
  readonly start: () => Promise<MailServer>
  readonly config: string
}[] = [
  {
    name: 'Postfix',
    start: () =>
      startPostfix({
        users,
        xclient: true,
        config: {
          message_size_limit: '400000',
          smtpd_recipient_restrictions:
            'check_recipient_access inline:{{busy@example.net = 450 4.2.1 Busy: come back},{wordy@example.net = 554 5.7.1 Words, "and" <brackets>; 100%}}',
        },
      }),
    config: 'backend.introduce = "xclient"',
  },
  {
    name: 'Exim',
    start: () =>
      startExim({
        users,
        config: { message_size_limit: '400000' },
        extra: {
          rcpt: [
            'defer local_parts = busy',
            'message = 450 4.2.1 Busy: come back',
            'deny local_parts = wordy',
            'message = 554 5.7.1 Words of the first line\\n and of the second',
          ],
        },
      }),
    config: 'backend.recipient_domains = ["example.net"]',
  },
]

const folder = await mkdtemp(join(tmpdir(), 'treacle-mail-test-'))
after(() => rm(folder, { recursive: true }))

for (const { name, start, config } of backends) {
  describe(`${name} behind Treacle`, { timeout: 120_000 }, () => {
    const stack = new AsyncDisposableStack()
    let backend: MailServer
    let treacle: Treacle
    before(async () => {
      backend = stack.use(await start())
      const addresses = `backend.addresses = ["127.0.0.1:${backend.port}"]`
      treacle = stack.use(await startTreacle({ config: `${addresses}\n${config}` }))
    })
    after(() => stack.disposeAsync())

    it('gets what a queueing Postfix sends, byte for byte', async () => {
      await using client = await startPostfix({ relayhost: `[127.0.0.1]:${treacle.port}` })
      await allArrive(backend, 'from-postfix', (recipient, message) =>
        client.send({ from: 'a@client.example', to: recipient, data: message }),
      )
    })

    it('gets what swaks sends, byte for byte', async () => {
      await allArrive(backend, 'from-swaks', async (recipient, message, index) => {
        const file = join(folder, `${name}-${index}.eml`)
        await writeFile(file, stuffed(message))
        const sent = await swaks([
          ...['--server', `127.0.0.1:${treacle.port}`, '--helo', 'mail.client.example'],
          ...['--from', 'a@client.example', '--to', recipient],
          ...['--no-data-fixup', '--data', `@${file}`],
        ])
        assert.equal(sent.code, 0, sent.output)
      })
    })

    it('gets what nodemailer sends, byte for byte, all in one connection', async () => {
      const transport = createTransport({
        host: '127.0.0.1',
        port: treacle.port,
        name: 'nodemailer.client.example',
        pool: true,
        maxConnections: 1,
      })
      await allArrive(backend, 'from-nodemailer', async (recipient, message) => {
        const envelope = { from: 'a@client.example', to: recipient }
        await transport.sendMail({ envelope, raw: message })
      })
      transport.close()
      const ledger = await theLedger(treacle, 'nodemailer.client.example')
      assert.equal(ledger.transactions.length, bodies.length)
      assert.equal(ledger.outcome, 'accepted')
    })

    it('gets our headers, and none that the client forged', async () => {
      using client = await Talk.to(treacle.address)
      await client.opens('MarineGuy')
      assert.equal((await client.gives('user@example.net')).code, 250)
      const message = `${forged.join('\n')}\nSubject: forged\n\nX-HELO-warning: in the body\n`
      assert.equal((await client.sends(message)).code, 250)
      await client.quits()

      const stored = await messageWith(backend, 'user', 'Subject: forged')
      const fields = fieldsOf(stored)
      const ofReasons = fields.filter((field) => /^x-(?:helo|treacle-)/i.test(field))
      assert.deepEqual(ofReasons, ["X-HELO-warning: That's a nasty HELO: MarineGuy"])
      assert.ok(fields.includes('X-Treacles: not ours'))
      assert.equal(bodyOf(stored).toString(), 'X-HELO-warning: in the body\n')
      const received = fields.filter((field) => field.startsWith('Received:'))
      const wellFormed = new RegExp(
        '^Received: from MarineGuy \\(\\[127\\.0\\.0\\.1\\]\\)\\n' +
          '\\tby mx\\.treacle\\.example \\(Treacle\\) with ESMTP id [0-9a-f]{16}\\n' +
          '\\tfor <user@example\\.net>;\\n' +
          '\\t(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \\d\\d (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \\d{4} \\d\\d:\\d\\d:\\d\\d \\+0000$',
      )
      assert.match(received.at(-1) ?? '', wellFormed)
    })

    it('is heard in its own words when it refuses', async () => {
      const recipients = ['nobody', 'busy', 'wordy'].map((user) => `${user}@example.net`)
      for (const recipient of recipients) {
        using direct = await Talk.to(`127.0.0.1:${backend.port}`)
        using client = await Talk.to(treacle.address)
        await direct.opens()
        await client.opens()
        const own = await direct.gives(recipient)
        assert.ok(own.code >= 400)
        assert.equal((await client.gives(recipient)).text, own.text)
      }
    })

    it('agrees to some recipients and not to others, one by one', async () => {
      const transport = createTransport({
        host: '127.0.0.1',
        port: treacle.port,
        name: 'mixed.example',
      })
      const to = ['user', 'nobody', 'other', 'busy'].map((user) => `${user}@example.net`)
      const raw = 'Subject: mixed answers\n\nhello\n'
      const sent = await transport.sendMail({ envelope: { from: 'a@client.example', to }, raw })
      assert.deepEqual(sent.accepted, ['user@example.net', 'other@example.net'])
      assert.deepEqual(sent.rejected, ['nobody@example.net', 'busy@example.net'])
      for (const user of ['user', 'other']) {
        const stored = await messageWith(backend, user, 'Subject: mixed answers')
        const ours = fieldsOf(stored).find((field) => field.includes('by mx.treacle.example'))
        assert.doesNotMatch(ours ?? '', /for </, 'recipients do not learn of each other')
      }
      const ledger = await theLedger(treacle, 'mixed.example')
      const replies = ledger.transactions[0]?.recipients.map(({ reply }) => reply.slice(0, 3))
      assert.deepEqual(replies, ['250', '550', '250', '450'])
    })

    it('takes a second message in the same connection, also after one that failed', async () => {
      using client = await Talk.to(treacle.address)
      await client.opens()
      assert.equal((await client.gives('nobody@example.net')).code, 550)
      assert.equal((await client.asks('RSET')).code, 250)
      for (const subject of ['second in a row', 'third in a row']) {
        assert.equal((await client.gives('user@example.net')).code, 250)
        assert.equal((await client.sends(`Subject: ${subject}\n\nhello\n`)).code, 250)
      }
      await client.quits()
      await messageWith(backend, 'user', 'Subject: second in a row')
      await messageWith(backend, 'user', 'Subject: third in a row')
    })

    it('refuses what is too big, as declared and as it comes', async () => {
      using direct = await Talk.to(`127.0.0.1:${backend.port}`)
      using client = await Talk.to(treacle.address)
      assert.match((await client.opens()).text, /^250.SIZE 400000$/m)
      await direct.opens()
      const declared = 'MAIL FROM:<a@client.example> SIZE=400001'
      const own = await direct.asks(declared)
      const answers = [await client.asks(declared)]
      if (answers[0]?.code === 250) answers.push(await client.asks('RCPT TO:<user@example.net>'))
      assert.equal(own.code, 552)
      assert.equal(answers.at(-1)?.code, own.code)

      await client.asks('RSET')
      await client.gives('user@example.net')
      const sent = await client.sends(`Subject: too big\n\n${largeBody(450_000)}`)
      assert.equal(sent.code, 552, sent.text)
      const stored = await backend.messages('user')
      assert.ok(!stored.some((message) => message.includes('Subject: too big')))
    })
  })
}

it('refuses what is larger than limits.size_max itself, and the back end keeps nothing', async () => {
  await using backend = await startPostfix()
  await using treacle = await startTreacle({
    config: `
      backend.addresses = ["127.0.0.1:${backend.port}"]
      backend.recipient_domains = ["example.net"]
      limits.size_max = "20KB"`,
  })
  using client = await Talk.to(treacle.address)
  assert.match((await client.opens()).text, /^250.SIZE 20000$/m)
  const declared = await client.asks('MAIL FROM:<a@client.example> SIZE=20001')
  assert.equal(declared.text, '552 5.3.4 Message exceeds 20000 bytes')
  assert.equal((await client.gives('user@example.net')).code, 250)
  const sent = await client.sends(`Subject: too big\n\n${largeBody(30_000)}`)
  assert.equal(sent.text, '552 5.3.4 Message exceeds 20000 bytes')
  assert.equal((await client.gives('user@example.net')).code, 250)
  assert.equal((await client.sends('Subject: small\n\nhello\n')).code, 250)
  await client.quits()
  const [stored, ...more] = await backend.waitForMessages('user', 1)
  assert.match(stored?.toString() ?? '', /^Subject: small$/m)
  assert.deepEqual(more, [])
})

/** Sends every body to the same user, and compares each by its hash with what was stored. */
async function allArrive(
  backend: MailServer,
  subject: string,
  send: (recipient: string, message: Buffer, index: number) => Promise<void>,
): Promise<void> {
  const sent = bodies.map(async ({ body }, index) => {
    const head = [
      'From: a@client.example',
      'To: user@example.net',
      `Subject: ${subject} ${index}.`,
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: 8bit',
    ]
    const message = Buffer.from(`${head.join('\r\n')}\r\n\r\n${body.replaceAll('\n', '\r\n')}`)
    await send('user@example.net', message, index)
  })
  await Promise.all(sent)
  for (const [index, { name, body }] of bodies.entries()) {
    const stored = await messageWith(backend, 'user', `Subject: ${subject} ${index}.`)
    assert.equal(sha256(bodyOf(stored)), sha256(Buffer.from(body)), name)
  }
}

async function messageWith(backend: MailServer, user: string, line: string): Promise<Buffer> {
  for (let count = 1; ; count += 1) {
    const messages = await backend.waitForMessages(user, count)
    const found = messages.find((message) => `\n${message}`.includes(`\n${line}\n`))
    if (found !== undefined) return found
    count = messages.length
  }
}

/** The header fields of a stored message, folded as they were. */
function fieldsOf(message: Buffer): string[] {
  const head = message.toString().split('\n\n')[0] ?? ''
  return head.split(/\n(?![ \t])/)
}

/** The ledger of the one connection that said this in HELO. */
async function theLedger(treacle: Treacle, helo: string) {
  for (let count = 1; ; count += 1) {
    const ledgers = await treacle.waitForLedgers(count)
    const found = ledgers.filter((ledger) => ledger.helo === helo)
    assert.ok(found.length <= 1, `several connections with HELO ${helo}`)
    if (found[0] !== undefined) return found[0]
    count = ledgers.length
  }
}

/** Lines of all lengths, no two alike. */
function largeBody(bytes: number): string {
  let body = ''
  for (let line = 0; body.length < bytes; line += 1) body += `${line}${' .'.repeat(line % 200)}\n`
  return body
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
