/** What a client says, said again in lock-step (RFC 5321 section 4.1.4; catalogue K). */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { plainSender, type Recipient, type Sender } from '../../src/core/envelope.ts'
import { Leaving } from '../../src/core/leaving.ts'
import { replyText } from '../../src/core/reply.ts'
import { Content } from '../../src/relay/content.ts'
import { Delivery } from '../../src/relay/delivery.ts'
import type { Answer, BackendScript } from '../helpers/scripted-backend.ts'
import { startBackend } from '../helpers/scripted-backend.ts'
import { introductionOf, type Setup, setUp } from './setups.ts'

const limits = { sizeMax: 1_000, receivedMax: 10, headerMax: 1_000 }
const alice = senderOf('alice@example.org')
const bob = recipientOf('bob@example.net')
const carol = recipientOf('carol@example.net')

describe('Delivery', () => {
  it('says each command once and in order, and repeats each answer', async () => {
    await using at = await start({
      replies: (line) => {
        if (line.includes('carol')) return '550-5.1.1 no\r\n550 5.1.1 carol here'
        return line.includes('dave') ? '451 later' : undefined
      },
    })
    at.delivery.begin(alice)
    assert.equal(at.server.connections, 0)
    assert.equal(await at.rcpt(bob), '250 2.1.5 Recipient ok')
    assert.equal(await at.rcpt(carol), '550 5.1.1 no / carol here')
    assert.equal(await at.rcpt(recipientOf('dave@example.net')), '451 later')
    assert.equal(await at.send('Subject: x\r\n\r\nhi\r\n'), '250 2.0.0 Queued')
    assert.deepEqual(at.server.transcript, [
      'EHLO mx.example.net',
      'MAIL FROM:<alice@example.org>',
      'RCPT TO:<bob@example.net>',
      'RCPT TO:<carol@example.net>',
      'RCPT TO:<dave@example.net>',
      'DATA',
    ])
    assert.equal(at.server.messages[0]?.toString(), 'Subject: x\r\n\r\nhi\r\n')
  })

  it('sends to LMTP one recipient at a time, so that there is one answer', async () => {
    await using at = await start(
      { replies: (line) => (line === '.' ? '452 4.2.2 bob is full' : undefined) },
      { protocol: 'lmtp' },
    )
    at.delivery.begin(alice)
    assert.equal(at.delivery.isFull, false)
    assert.equal(await at.rcpt(bob), '250 2.1.5 Recipient ok')
    assert.equal(at.delivery.isFull, true)
    const oneByOne = '452 4.5.3 One recipient for each message, please; send the others again'
    assert.equal(await at.rcpt(carol), oneByOne)
    assert.equal(await at.send('x\r\n'), '452 4.2.2 bob is full')
    at.delivery.begin(alice)
    assert.equal(await at.rcpt(carol), '250 2.1.5 Recipient ok')
    assert.deepEqual(at.server.transcript, [
      'LHLO mx.example.net',
      'MAIL FROM:<alice@example.org>',
      'RCPT TO:<bob@example.net>',
      'DATA',
      'MAIL FROM:<alice@example.org>',
      'RCPT TO:<carol@example.net>',
    ])
  })

  for (const answer of ['250 2.0.0 Ok', '550 5.7.0 not you']) {
    it(`says XFORWARD before each message, which "${answer}" does not stop`, async () => {
      const ehlo = ['XFORWARD NAME ADDR']
      const replies = (line: string) => (line.startsWith('XFORWARD') ? answer : undefined)
      await using at = await start({ ehlo, replies })
      for (const _ of [1, 2]) {
        at.delivery.begin(alice)
        await at.rcpt(bob)
        await at.send('x\r\n')
      }
      const one = [
        'XFORWARD NAME=mail.example.org ADDR=203.0.113.7',
        'MAIL FROM:<alice@example.org>',
        'RCPT TO:<bob@example.net>',
        'DATA',
      ]
      assert.deepEqual(at.server.transcript, ['EHLO mx.example.net', ...one, ...one])
    })
  }

  it('sends the next message over the same conversation', async () => {
    await using at = await start()
    for (const count of [1, 2, 3]) {
      at.delivery.begin(alice)
      await at.rcpt(bob)
      assert.equal(await at.send('x\r\n'), '250 2.0.0 Queued')
      assert.equal(at.server.messages.length, count)
    }
    assert.equal(at.server.connections, 1)
    assert.ok(!at.server.transcript.includes('RSET'))
  })

  it('frees its place while the client waits, and says again what was agreed', async () => {
    await using at = await start()
    at.delivery.begin(alice)
    await at.rcpt(bob)
    at.delivery.park()
    await at.server.closed()
    assert.equal(await at.rcpt(carol), '250 2.1.5 Recipient ok')
    assert.deepEqual(at.server.dialogues, [
      ['EHLO mx.example.net', 'MAIL FROM:<alice@example.org>', 'RCPT TO:<bob@example.net>', 'QUIT'],
      [
        'EHLO mx.example.net',
        'MAIL FROM:<alice@example.org>',
        'RCPT TO:<bob@example.net>',
        'RCPT TO:<carol@example.net>',
      ],
    ])
  })

  for (const forgets of ['MAIL', 'RCPT TO:<bob']) {
    it(`answers 451 from then on when the second time ${forgets}... is refused`, async () => {
      await using at = await start({
        replies: (line, connection) =>
          connection > 1 && line.startsWith(forgets) ? '550 changed my mind' : undefined,
      })
      at.delivery.begin(alice)
      await at.rcpt(bob)
      at.delivery.park()
      assert.match(await at.rcpt(carol), /^451 4\.3\.0 .* changed its mind/)
      assert.match(await at.rcpt(carol), /^451 4\.3\.0 /)
      assert.match(await at.data(), /^451 4\.3\.0 /)
      const said = at.server.transcript
      assert.ok(said.filter((line) => line.includes('carol')).length <= 1, 'carol is given once')
      assert.ok(!said.includes('DATA'))
    })
  }

  for (const ehlo of [['PIPELINING'], []]) {
    const offered = ehlo.join() || 'nothing'
    it(`says the sender and a recipient in one go or not: offered ${offered}`, async () => {
      await using at = await start({
        ehlo,
        replies: (line) => (line.startsWith('MAIL') ? 'hang' : undefined),
      })
      at.delivery.begin(alice)
      const answered = at.rcpt(bob)
      await at.server.heard(ehlo.length > 0 ? /^RCPT/ : /^MAIL/)
      const said = ['MAIL FROM:<alice@example.org>', 'RCPT TO:<bob@example.net>']
      assert.deepEqual(at.server.transcript.slice(1), said.slice(0, 1 + ehlo.length))
      at.delivery.close(false)
      assert.match(await answered, /^451 /)
    })
  }

  it('tells the back end with the next message that one was given up', async () => {
    await using at = await start()
    at.delivery.begin(alice)
    await at.rcpt(bob)
    at.delivery.reset()
    at.delivery.reset()
    at.delivery.begin(senderOf(''))
    await at.rcpt(carol)
    assert.deepEqual(at.server.transcript.slice(3), [
      'RSET',
      'MAIL FROM:<>',
      'RCPT TO:<carol@example.net>',
    ])
  })

  it('does the same when DATA was refused', async () => {
    await using at = await start({
      replies: (line) => (line === 'DATA' ? '451 4.3.1 disk full' : undefined),
    })
    at.delivery.begin(alice)
    await at.rcpt(bob)
    assert.equal(await at.data(), '451 4.3.1 disk full')
    at.delivery.begin(alice)
    assert.equal(await at.rcpt(bob), '250 2.1.5 Recipient ok')
    assert.deepEqual(at.server.transcript.slice(3, 6), [
      'DATA',
      'RSET',
      'MAIL FROM:<alice@example.org>',
    ])
  })

  it('repeats a refusal of MAIL for each recipient and does not ask again', async () => {
    for (const ehlo of [['PIPELINING'], []]) {
      await using at = await start({
        ehlo,
        replies: (line) => (line.startsWith('MAIL') ? '553 5.1.8 not you' : undefined),
      })
      at.delivery.begin(alice)
      for (const recipient of [bob, carol])
        assert.equal(await at.rcpt(recipient), '553 5.1.8 not you')
      assert.match(await at.data(), /^554 5\.5\.1 No valid recipients/)
      const said = ['MAIL FROM:<alice@example.org>', 'RCPT TO:<bob@example.net>']
      assert.deepEqual(at.server.transcript.slice(1), said.slice(0, 1 + ehlo.length))
    }
  })

  it('says nothing of recipients that we do not relay to', async () => {
    await using at = await start({}, { recipient_domains: ['example.net', '*.example.com'] })
    at.delivery.begin(alice)
    const refused = ['x@example.org', 'x@sub.example.net', 'x@example.com', 'x@notexample.net']
    for (const address of [...refused, 'x@[127.0.0.1]', '"x@example.net"@example.org']) {
      assert.match(await at.rcpt(recipientOf(address)), /^550 5\.7\.1 /, address)
    }
    assert.equal(at.server.connections, 0)
    for (const address of ['x@EXAMPLE.net', 'x@a.example.com', 'postmaster']) {
      assert.match(await at.rcpt(recipientOf(address)), /^250 /, address)
    }
  })

  it('sends nothing through a server that trusts us to where the local part may lead', async () => {
    const none = { introduce: 'none' }
    await using at = await start({}, none)
    at.delivery.begin(alice)
    for (const local of ['x%a.example', 'a.example!x', '"x@a.example"', '"@a.example:x"']) {
      const address = `${local}@example.net`
      assert.match(await at.rcpt(recipientOf(address)), /^550 5\.7\.1 /, address)
    }
    assert.match(await at.rcpt(bob), /^250 /)
    const asked = at.server.transcript.filter((line) => line.startsWith('RCPT'))
    assert.deepEqual(asked, ['RCPT TO:<bob@example.net>'])
  })

  it('says nothing of them to another server either, which another one has agreed to', async () => {
    await using trusting = await startBackend()
    const others = [trusting.address]
    await using at = await start({ ehlo: ['XCLIENT ADDR'] }, { introduce: 'auto' }, others)
    at.delivery.begin(alice)
    assert.match(await at.rcpt(recipientOf('x%a.example@example.net')), /^250 /)
    at.delivery.park()
    await at.server[Symbol.asyncDispose]()
    assert.match(await at.rcpt(bob), /^451 4\.3\.0 /)
    assert.match(await at.data(), /^451 4\.3\.0 /)
    assert.deepEqual(trusting.transcript, ['EHLO mx.example.net'])
  })

  it('passes on parameters that the back end offers, and no others', async () => {
    const sender: Sender = {
      address: 'alice@example.org',
      size: 77,
      body: '7BIT',
      smtputf8: false,
      requireTls: false,
      ret: 'HDRS',
      envid: 'a+b',
    }
    const recipient = {
      address: 'bob@example.net',
      notify: 'NEVER',
      orcpt: { type: 'rfc822', address: 'b=c' },
    }
    const offers = [
      {
        ehlo: ['SIZE', '8BITMIME', 'DSN'],
        mail: ' SIZE=77 BODY=7BIT RET=HDRS ENVID=a+2Bb',
        rcpt: ' NOTIFY=NEVER ORCPT=rfc822;b+3Dc',
      },
      { ehlo: ['SIZE'], mail: ' SIZE=77', rcpt: '' },
      { ehlo: [], mail: '', rcpt: '' },
    ]
    for (const { ehlo, mail, rcpt } of offers) {
      await using at = await start({ ehlo })
      at.delivery.begin(sender)
      await at.rcpt(recipient)
      assert.deepEqual(at.server.transcript.slice(1), [
        `MAIL FROM:<alice@example.org>${mail}`,
        `RCPT TO:<bob@example.net>${rcpt}`,
      ])
    }
  })

  const lacking = [[], ['PIPELINING']].flatMap((ehlo) => [
    { ehlo, needs: { smtputf8: true } },
    { ehlo, needs: { body: '8BITMIME' as const } },
  ])
  for (const { ehlo, needs } of lacking) {
    it(`answers 451 when ${Object.keys(needs)} is not offered any more, but [${ehlo}]`, async () => {
      await using at = await start({ ehlo })
      at.delivery.begin({ ...alice, ...needs })
      assert.match(await at.rcpt(bob), /^451 4\.3\.0 Extensions have changed/)
      assert.match(await at.rcpt(bob), /^451 4\.3\.0 /)
      assert.deepEqual(at.server.transcript, ['EHLO mx.example.net'])
    })
  }

  it('has no DATA to say without recipients', async () => {
    await using at = await start({
      replies: (line) => (line.startsWith('RCPT') ? '550 no' : undefined),
    })
    at.delivery.begin(alice)
    await at.rcpt(bob)
    assert.equal(await at.data(), '554 5.5.1 No valid recipients')
  })
})

const losses: readonly { readonly step: string; readonly answer: Answer }[] = [
  'MAIL',
  'RCPT',
  'DATA',
]
  .flatMap((step) => [
    { step, answer: 'close' },
    { step, answer: 'reset' },
    { step, answer: 'garbage' },
    { step, answer: '354 go on' },
  ])
  .filter(({ step, answer }) => !(step === 'DATA' && answer === '354 go on'))

describe('Delivery, when the back end is lost', () => {
  for (const { step, answer } of losses) {
    it(`at ${step} by ${JSON.stringify(answer)}: 451 4.4.2, and the next message goes well`, async () => {
      await using at = await start({
        replies: (line, connection) =>
          connection === 1 && line.startsWith(step) ? answer : undefined,
      })
      at.delivery.begin(alice)
      const first = await at.rcpt(bob)
      const heard = step === 'DATA' ? await at.data() : first
      assert.match(heard, /^451 4\.4\.2 /)
      at.delivery.begin(alice)
      assert.equal(await at.rcpt(bob), '250 2.1.5 Recipient ok')
      assert.equal(await at.send('x\r\n'), '250 2.0.0 Queued')
    })
  }

  it('with recipients that it had taken: 451 until the next message', async () => {
    await using at = await start()
    at.delivery.begin(alice)
    await at.rcpt(bob)
    at.server.cut()
    await at.server.closed()
    assert.match(await at.rcpt(carol), /^451 4\.4\.2 /)
    assert.match(await at.rcpt(carol), /^451 4\.4\.2 /)
    assert.match(await at.data(), /^451 4\.4\.2 /)
    assert.equal(at.server.connections, 1)
    at.delivery.begin(alice)
    assert.match(await at.rcpt(bob), /^250 /)
  })

  it('before it had taken a recipient: it is asked anew and nobody notices', async () => {
    await using at = await start({
      replies: (line, connection) =>
        connection === 1 && line.startsWith('RCPT') ? '450 not now' : undefined,
    })
    at.delivery.begin(alice)
    assert.equal(await at.rcpt(bob), '450 not now')
    at.server.cut()
    await noticed()
    assert.match(await at.rcpt(carol), /^250 /)
    assert.equal(at.server.connections, 2)
  })

  it('between two messages: the second goes over a new conversation (K12)', async () => {
    await using at = await start()
    at.delivery.begin(alice)
    await at.rcpt(bob)
    await at.send('x\r\n')
    at.server.cut()
    await noticed()
    at.delivery.begin(alice)
    assert.match(await at.rcpt(bob), /^250 /)
    assert.equal(at.server.connections, 2)
  })

  it('with 421: its words, then a new conversation', async () => {
    await using at = await start({
      replies: (line, connection) =>
        connection === 1 && line.startsWith('RCPT') ? '421 4.3.2 shutting down' : undefined,
    })
    at.delivery.begin(alice)
    assert.equal(await at.rcpt(bob), '421 4.3.2 shutting down')
    assert.match(await at.rcpt(bob), /^250 /)
    assert.equal(at.server.connections, 2)
  })

  it('tries its addresses in order, and those that failed last', async () => {
    await using second = await startBackend()
    await using at = await start({}, {}, [second.address])
    const first = at.server.address
    await at.server[Symbol.asyncDispose]()
    at.delivery.begin(alice)
    assert.match(await at.rcpt(bob), /^250 /)
    await using again = await startBackend({ port: at.server.port })
    at.delivery.park()
    assert.match(await at.rcpt(bob), /^250 /)
    assert.deepEqual([again.connections, second.connections], [0, 2], `${first} is passed over`)
    await at.clock.advance(5_000)
    at.delivery.park()
    assert.match(await at.rcpt(bob), /^250 /)
    assert.equal(again.connections, 1)
  })

  it('without an address that answers: 451 4.4.1, said once down and once up', async () => {
    await using at = await start({ greeting: '554 not today' })
    at.delivery.begin(alice)
    assert.match(await at.rcpt(bob), /^451 4\.4\.1 /)
    await at.server[Symbol.asyncDispose]()
    assert.match(await at.rcpt(bob), /^451 4\.4\.1 /)
    assert.equal(at.backend.healthy, false)
    await using _again = await startBackend({ port: at.server.port })
    assert.match(await at.rcpt(bob), /^250 /)
    assert.equal(at.backend.healthy, true)
    assert.equal(at.log.counts['backend.up'], 1)
  })
})

describe('Delivery, when the client leaves', () => {
  for (const during of ['EHLO', 'MAIL', 'RCPT']) {
    it(`during ${during}: nothing is left of it`, async () => {
      await using at = await start({
        replies: (line) => (line.startsWith(during) ? 'hang' : undefined),
      })
      at.delivery.begin(alice)
      const refused = assert.rejects(at.rcpt(bob), /client left/)
      await at.server.heard(new RegExp(during))
      at.leave()
      at.delivery.close(false)
      await refused
      await at.clock.advance(5_000)
      await at.server.closed()
      assert.equal(at.clock.sleeping, 0)
    })
  }

  it('in the middle of a message: the back end sees no end', async () => {
    await using at = await start()
    at.delivery.begin(alice)
    await at.rcpt(bob)
    const content = await at.delivery.data(limits)
    assert.ok(content instanceof Content)
    await content.write(Buffer.from('half of it\r\n'))
    at.leave()
    at.delivery.close(true)
    await at.server.closed()
    assert.equal(at.server.messages.length, 0)
    assert.ok(!at.server.transcript.includes('QUIT'))
  })
})

describe('Delivery of a client that logs in', () => {
  it('asks the back end on the conversation that carries the mail', async () => {
    await using at = await start({ replies: authReply('235 2.7.0 welcome') })
    assert.equal(replyText(await at.delivery.authenticate('u', 'p')), '235 2.7.0 welcome')
    at.delivery.begin(alice)
    at.delivery.park()
    assert.match(await at.rcpt(bob), /^250 /)
    assert.equal(at.server.connections, 1)
    assert.equal(at.server.transcript[1], `AUTH PLAIN ${Buffer.from('\0u\0p').toString('base64')}`)
  })

  it('sends to any domain, as the back end knows who it is', async () => {
    await using at = await start({ replies: authReply('235 2.7.0 welcome') }, { introduce: 'none' })
    await at.logsIn('u')
    at.delivery.begin(alice)
    for (const address of ['x@elsewhere.example', 'x%elsewhere.example@example.net']) {
      assert.match(await at.rcpt(recipientOf(address)), /^250 /, address)
    }
  })

  const losses: readonly {
    readonly ehlo: string[]
    readonly user?: string
    readonly heard: RegExp
    readonly because: string
  }[] = [
    { ehlo: [], heard: /^421 4\.4\.2 /, because: 'it cannot be told: the client logs in again' },
    { ehlo: ['XCLIENT ADDR'], heard: /^421 4\.4\.2 /, because: 'nor with such an XCLIENT' },
    { ehlo: ['XCLIENT ADDR LOGIN'], heard: /^250 /, because: 'it takes our word' },
    {
      ...{ ehlo: ['XCLIENT ADDR LOGIN'], user: 'ü'.repeat(43), heard: /^421 4\.4\.2 / },
      because: 'it would be told of another user, whose name is shorter',
    },
  ]
  for (const { ehlo, heard, because, user = 'u' } of losses) {
    it(`never goes on without the login that it had, at ${ehlo.join() || 'none'}: ${because}`, async () => {
      await using at = await start({ ehlo, replies: authReply('235 2.7.0 welcome') })
      await at.logsIn(user)
      at.server.cut()
      await at.server.closed()
      await noticed()
      at.delivery.begin(alice)
      assert.match(await at.rcpt(bob), heard)
      const last = at.server.dialogues.at(-1) ?? []
      const told = last.some((line) => /^XCLIENT .*LOGIN=u$/.test(line))
      assert.equal(told, heard.test('250 '))
      assert.equal(
        last.some((line) => line.startsWith('MAIL')),
        told,
      )
    })
  }

  it('can try again after a back end that hung up on a wrong password', async () => {
    await using at = await start({ replies: authReply({ breaksOffAfter: '535 5.7.8 no\r\n' }) })
    assert.equal(replyText(await at.delivery.authenticate('u', 'p')), '535 5.7.8 no')
    await at.server.closed()
    assert.equal(replyText(await at.delivery.authenticate('u', 'q')), '535 5.7.8 no')
  })

  it('gets 451 when the back end asks for more', async () => {
    await using at = await start({ replies: authReply('334 ') })
    assert.match(replyText(await at.delivery.authenticate('u', 'p')), /^451 4\.4\.2 /)
    await at.server.closed()
  })
})

interface Started extends Setup {
  readonly delivery: Delivery
  /** As the session does: whoever has logged in is introduced by that name. */
  logsIn(user: string): Promise<void>
  rcpt(recipient: Recipient): Promise<string>
  data(): Promise<string>
  send(content: string): Promise<string>
  leave(): void
}

async function start(
  script: BackendScript = {},
  settings: Readonly<Record<string, unknown>> = {},
  others: readonly string[] = [],
): Promise<Started> {
  const setup = await setUp(script, settings)
  const client = new Leaving()
  // The options are frozen in the product; here there may be one more address.
  setup.backend.options.addresses.push(...others)
  let login: string | null = null
  const delivery = new Delivery(setup.backend, () => introductionOf({ login }), client)
  const open = async () => {
    const opened = await delivery.data(limits)
    return opened instanceof Content ? opened : replyText(opened)
  }
  return {
    ...setup,
    delivery,
    async logsIn(user) {
      assert.match(replyText(await delivery.authenticate(user, 'p')), /^235 /)
      login = user
    },
    rcpt: async (recipient) => replyText(await delivery.recipient(recipient)),
    async data() {
      const opened = await open()
      assert.ok(typeof opened === 'string', 'DATA was accepted')
      return opened
    },
    async send(content) {
      const opened = await open()
      if (typeof opened === 'string') return opened
      await opened.write(Buffer.from(content))
      return replyText(await opened.finish())
    },
    leave: () => client.leave(new Error('client left')),
    async [Symbol.asyncDispose]() {
      delivery.close(false)
      await setup[Symbol.asyncDispose]()
    },
  }
}

/** A connection that the back end has reset takes a turn of the event loop to be seen on our side. */
async function noticed(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

function authReply(answer: Answer): (line: string) => Answer | undefined {
  return (line) => (line.startsWith('AUTH') ? answer : undefined)
}

function senderOf(address: string): Sender {
  return plainSender(address)
}

function recipientOf(address: string): Recipient {
  return { address, notify: null, orcpt: null }
}
