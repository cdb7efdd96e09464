/** The process itself: signals, reload, and nothing left behind. */
import assert from 'node:assert/strict'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Postfix, startPostfix } from './servers/postfix.ts'
import { waitUntil } from './servers/process.ts'
import { isAlive } from './servers/session.ts'
import { Talk } from './servers/talk.ts'
import { startTreacle, type Treacle } from './servers/treacle.ts'

/** Far longer than any test here takes: who is held is held until something happens. */
const longDelay = 'delay.target = ["60s", "60s"]'
const message = 'Subject: hello\n\nhello\n'

const stack = new AsyncDisposableStack()
let backend: Postfix
before(async () => {
  backend = stack.use(await startPostfix({ xclient: true, users: ['user', 'draining', 'cut'] }))
})
after(() => stack.disposeAsync())

describe('SIGTERM', { timeout: 120_000, concurrency: 2 }, () => {
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    it(`${name} sends held and idle clients away at once, and exits with 0`, async () => {
      await using treacle = await start(`${longDelay}\nshutdown_grace = "60s"`)
      using held = await Talk.to(treacle.address)
      using idle = await Talk.to(treacle.address)
      await hold(held)
      await idle.opens()
      const pids = treacle.pids()
      const signalledAt = performance.now()
      treacle.signal(name)
      assert.equal((await held.hears()).text, '421 4.3.2 Shutting down; try again later')
      assert.equal((await idle.hears()).text, '421 4.3.2 Shutting down; try again later')
      assert.equal(await treacle.ended(), 0)
      const tookMs = performance.now() - signalledAt
      assert.ok(tookMs < 30_000, `took ${tookMs} ms of a grace period of 60 s`)
      await Promise.all([held.closed, idle.closed])
      const ledgers = await treacle.ledgers()
      const reactions = ledgers.flatMap(({ entries }) => entries.filter(isWait))
      assert.deepEqual(
        reactions.map(({ reaction }) => reaction),
        ['released'],
      )
      assert.equal((await treacle.events('server.stopped')).length, 1)
      assert.deepEqual(pids.filter(isAlive), [])
    })
  }

  it('lets a message that has begun finish, and it is delivered', async () => {
    await using treacle = await start('shutdown_grace = "30s"')
    using client = await Talk.to(treacle.address)
    await client.opens()
    assert.equal((await client.gives('draining@example.net')).code, 250)
    assert.equal((await client.asks('DATA')).code, 354)
    client.says('Subject: half')
    treacle.signal('SIGTERM')
    await treacle.waitForEvents('server.draining')
    await assert.rejects(Talk.to(treacle.address), /ECONNREFUSED/)
    const answer = await client.asks('\r\nand half\r\n.')
    assert.match(answer.text, /^250 2\.0\.0 Ok: queued as /)
    assert.match((await client.hears()).text, /^421 4\.3\.2 /)
    assert.equal(await treacle.ended(), 0)
    const [stored] = await backend.waitForMessages('draining', 1)
    assert.match(stored?.toString() ?? '', /\nSubject: half\n.*\n\nand half\n$/s)
    const [ledger] = await treacle.ledgers()
    assert.equal(ledger?.outcome, 'accepted')
  })

  it('cuts off what is not done when the grace period is over; nothing is delivered', async () => {
    await using treacle = await start('shutdown_grace = "500ms"')
    using client = await Talk.to(treacle.address)
    await client.opens()
    await client.gives('cut@example.net')
    await client.asks('DATA')
    client.says('Subject: half')
    treacle.signal('SIGTERM')
    await client.closed
    assert.equal(await treacle.ended(), 0)
    assert.deepEqual(await backend.messages('cut'), [])
  })

  it('ends it in the middle of a reload as well', async () => {
    await using treacle = await start('reasons.sorbs-dul.action = "delay"')
    treacle.signal('SIGHUP')
    treacle.signal('SIGTERM')
    assert.equal(await treacle.ended(), 0)
  })

  it('exits at once when it comes a second time', async () => {
    await using treacle = await start('shutdown_grace = "60s"')
    using client = await Talk.to(treacle.address)
    await client.opens()
    await client.gives('cut@example.net')
    await client.asks('DATA')
    const pids = treacle.pids()
    treacle.signal('SIGTERM')
    await treacle.waitForEvents('server.draining')
    treacle.signal('SIGTERM')
    assert.equal(await treacle.ended(), 1)
    await client.closed
    assert.deepEqual(pids.filter(isAlive), [])
    assert.deepEqual(await backend.messages('cut'), [])
  })
})

describe('SIGHUP', { timeout: 120_000, concurrency: 2 }, () => {
  it('keeps what there is when the file is wrong, and says so once', async () => {
    await using treacle = await start('name = "old.treacle.example"')
    await treacle.configure('name = "new.treacle.example"\ndelay.slots = "many"')
    const line = await treacle.hangUp()
    assert.equal(line.event, 'config.rejected')
    assert.equal(line.level, 'error')
    assert.match(String(line.why), /treacle\.toml:2: delay\.slots: expected a whole number/)
    using client = await Talk.to(treacle.address)
    assert.match((await client.hears()).text, /^220 old\.treacle\.example /)
    await client.asks('EHLO mail.client.example')
    assert.equal((await client.gives('user@example.net')).code, 250)
    const errors = (await treacle.log()).filter(({ level }) => level === 'error')
    assert.equal(errors.length, 1)
  })

  it('keeps what there is when the new file would make an open relay', async () => {
    await using treacle = await start('name = "old.treacle.example"')
    await treacle.configure(
      `backend.addresses = ["127.0.0.1:${backend.port}"]\nbackend.introduce = "none"`,
    )
    const line = await treacle.hangUp()
    assert.equal(line.event, 'config.rejected')
    assert.match(String(line.why), /open relay/)
    using client = await Talk.to(treacle.address)
    await client.opens()
    assert.equal((await client.gives('user@example.net')).code, 250)
  })

  it('reads lists again; who is held stays held', async () => {
    await using treacle = await start(`${longDelay}\ngate.known_good = "friends"`, {
      friends: '198.51.100.1\n',
    })
    using held = await Talk.to(treacle.address)
    await hold(held)
    await treacle.write('friends', '# me\n127.0.0.0/8\n')
    assert.equal((await treacle.hangUp()).event, 'config.reloaded')
    using friend = await Talk.to(treacle.address)
    await friend.opens('MarineGuy')
    assert.equal((await friend.gives('user@example.net')).code, 250)
    assert.equal((await friend.sends(message)).code, 250)
    await friend.quits()
    const [ledger] = await treacle.waitForLedgers(1)
    assert.deepEqual(ledger?.entries.filter(isWait), [])
    assert.equal(held.unread, '')

    await treacle.write('friends', 'not/a/network\n')
    const line = await treacle.hangUp()
    assert.equal(line.event, 'config.rejected')
    assert.match(String(line.why), /friends:1: "not\/a\/network" is no address/)
    assert.equal(held.unread, '')
  })

  it('opens the main log anew, after something else has moved it away', async () => {
    await using treacle = await start('')
    const wait = async () => {
      using client = await Talk.to(treacle.address)
      await client.opens('MarineGuy')
      assert.equal((await client.gives('user@example.net')).code, 250)
    }
    await wait()
    await rename(join(treacle.folder, 'mainlog'), join(treacle.folder, 'mainlog.1'))
    await treacle.hangUp()
    await wait()
    await waitUntil(async () => /Warning: Treacle: /.test(await treacle.mainlog()), {
      timeoutMs: 5_000,
      what: async () => 'a new main log',
    })
    assert.equal((await treacle.mainlog()).match(/Warning: Treacle: /g)?.length, 1)
  })

  it('is survived in any number, with clients coming and going', async () => {
    await using treacle = await start('')
    const sockets = await treacle.restingSocketCount()
    for (let count = 0; count < 10; count += 1) {
      for (let again = 0; again < 3; again += 1) {
        treacle.signal('SIGHUP')
        await sleep(3)
      }
      using client = await Talk.to(treacle.address)
      await client.opens()
      assert.equal((await client.gives('user@example.net')).code, 250)
      await client.quits()
    }
    // Signals that come too fast become one.
    await treacle.waitForEvents('config.reloaded')
    await treacle.hangUp()
    using client = await Talk.to(treacle.address)
    await client.opens('MarineGuy')
    assert.equal((await client.gives('user@example.net')).code, 250)
    await client.quits()
    assert.equal((await treacle.mainlog()).match(/Warning: Treacle: /g)?.length, 1)
    assert.equal(await treacle.restingSocketCount(), sockets)
  })
})

describe('a main log that cannot be written', { timeout: 120_000 }, () => {
  it('costs no mail', async () => {
    await using treacle = await start('log.mainlog = "a-file/mainlog"', { 'a-file': '' })
    using client = await Talk.to(treacle.address)
    await client.opens('MarineGuy')
    assert.equal((await client.gives('user@example.net')).code, 250)
    assert.equal((await client.sends(message)).code, 250)
    const [line] = await treacle.waitForEvents('state.unavailable')
    assert.match(String(line?.why), /main log: .*a-file\/mainlog/)
  })
})

function start(config: string, files: Readonly<Record<string, string>> = {}): Promise<Treacle> {
  const addresses = config.includes('backend.addresses')
    ? ''
    : `backend.addresses = ["127.0.0.1:${backend.port}"]`
  return startTreacle({ config: `${config}\n${addresses}`, files })
}

/** A suspicious client that has given its recipient, and that Treacle keeps waiting. */
async function hold(client: Talk): Promise<void> {
  await client.opens('MarineGuy')
  assert.equal((await client.asks('MAIL FROM:<a@client.example>')).code, 250)
  client.says('RCPT TO:<user@example.net>')
  await sleep(100)
  assert.equal(client.unread, '')
}

function isWait({ stage }: { stage: string }): boolean {
  return stage === 'rcpt'
}
