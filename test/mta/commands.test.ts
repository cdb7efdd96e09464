/** `treacle run` does not start as an open relay; `treacle check` says all that is wrong at once. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type Exim, startExim } from './servers/exim.ts'
import { type Postfix, startPostfix } from './servers/postfix.ts'
import { Talk } from './servers/talk.ts'
import { type Ended, runInVain, runTreacle, startTreacle } from './servers/treacle.ts'

/** Nobody listens there, and nobody ever will. */
const nowhere = '127.0.0.1:1'

const stack = new AsyncDisposableStack()
let telling: Postfix
let trusting: Exim
before(async () => {
  telling = stack.use(await startPostfix({ xclient: true }))
  // Takes everything from its own host, as Exim does by default, and knows no XCLIENT.
  const extra = { rcpt: ['accept hosts = 127.0.0.1'] }
  trusting = stack.use(await startExim({ extra }))
})
after(() => stack.disposeAsync())

const place = { telling: () => telling.port, trusting: () => trusting.port, nowhere: () => 1 }

describe('treacle run refuses to be an open relay', { timeout: 120_000, concurrency: 2 }, () => {
  const trusts = /would trust our address and is not told who the client is/
  for (const { backend, host = '127.0.0.1', introduce, why } of [
    { backend: 'trusting', introduce: 'auto', why: trusts },
    { backend: 'trusting', introduce: 'none', why: trusts },
    { backend: 'telling', introduce: 'none', why: trusts },
    { backend: 'trusting', introduce: 'xclient', why: /does not offer XCLIENT/ },
    { backend: 'nowhere', introduce: 'auto', why: /ECONNREFUSED/ },
    { backend: 'nowhere', introduce: 'none', why: /ECONNREFUSED/ },
    { backend: 'nowhere', host: 'localhost', introduce: 'auto', why: /ECONNREFUSED|connect/ },
    { backend: 'nowhere', host: '[::1]', introduce: 'auto', why: /ECONN|EADDR|connect/ },
  ] as const) {
    it(`before a back end that is ${backend}, at ${host}, with "${introduce}"`, async () => {
      const ended = await runInVain(`
        backend.addresses = ["${host}:${place[backend]()}"]
        backend.introduce = "${introduce}"`)
      assert.equal(ended.code, 78, shown(ended))
      const [line = '', ...others] = ended.stderr.trimEnd().split('\n')
      assert.deepEqual(others, [])
      assert.match(line, /^backend: /)
      assert.match(line, why)
      assert.match(line, /Treacle would be an open relay/)
      assert.match(line, /list the domains you take mail for in backend\.recipient_domains/)
      assert.match(line, /accept XCLIENT from us .*backend\.introduce = "xclient"/)
      assert.doesNotMatch(ended.stdout, /server\.listening/)
    })
  }
})

describe('treacle run starts when it is safe', { timeout: 120_000, concurrency: 2 }, () => {
  const domains = 'backend.recipient_domains = ["example.net"]'
  for (const { backend, config } of [
    { backend: 'telling', config: '' },
    { backend: 'telling', config: 'backend.introduce = "xclient"' },
    { backend: 'trusting', config: domains },
    { backend: 'trusting', config: `backend.introduce = "none"\n${domains}` },
    { backend: 'nowhere', config: domains },
    { backend: 'nowhere', config: 'backend.introduce = "xclient"' },
  ] as const) {
    it(`before a back end that is ${backend}, with ${config || 'nothing more'}`, async () => {
      const addresses = `backend.addresses = ["127.0.0.1:${place[backend]()}"]`
      await using treacle = await startTreacle({ config: `${addresses}\n${config}` })
      using client = await Talk.to(treacle.address)
      await client.opens()
      // 127.0.0.1 itself may relay where the back end is told that it is the client.
      const recipient = config.includes('domains') ? 'x@elsewhere.example' : 'user@example.net'
      const answer = await client.gives(recipient)
      const expected = config.includes('domains')
        ? /^550 5\.7\.1 We do not relay to that domain$/
        : backend === 'nowhere'
          ? /^451 4\.4\.1 /
          : /^250 /
      assert.match(answer.text, expected)
    })
  }
})

describe('treacle check', { timeout: 120_000, concurrency: 2 }, () => {
  it('finds nothing wrong with an empty file, and with none', async () => {
    const empty = await check('')
    assert.deepEqual(empty, { code: 0, stdout: 'treacle.toml: fine\n', stderr: '' })
    assert.deepEqual(await runTreacle(['check']), {
      code: 0,
      stdout: 'The defaults: fine\n',
      stderr: '',
    })
  })

  it('finds several faults at once, each with file, line and key', async () => {
    const config = [
      'name = "mx.example.org"',
      'mode = "enforced"',
      '',
      '[delay]',
      'target = ["150s", "75s"]',
      'slotz = 3',
      'session_budget = "soon"',
      '[listen]',
      'addresses = "127.0.0.1:25"',
      '[reasons.unqual-helo]',
      'action = 1',
    ]
    const { code, stdout, stderr } = await check(config.join('\n'))
    assert.equal(code, 78)
    assert.equal(stdout, '')
    const lines = stderr.trimEnd().split('\n')
    const expected = [
      /^treacle\.toml:2: mode: .*did you mean "enforce"/,
      /^treacle\.toml:5: delay\.target: .*the shorter length of time first/,
      /^treacle\.toml:6: delay\.slotz: unknown setting; did you mean "slots"\?$/,
      /^treacle\.toml:7: delay\.session_budget: .*expected a length of time/,
      /^treacle\.toml:9: listen\.addresses: expected a list/,
      /^treacle\.toml:11: reasons\["unqual-helo"\]\.action: .*expected one of/,
    ]
    assert.equal(lines.length, expected.length, stderr)
    for (const [index, pattern] of expected.entries()) assert.match(lines[index] ?? '', pattern)
  })

  it('finds an open relay that needs no asking', async () => {
    const relay = (introduce: string, more = '') =>
      check(`backend.addresses = ["10.0.0.25:25"]\nbackend.introduce = "${introduce}"\n${more}`)
    for (const introduce of ['none', 'xforward']) {
      const { code, stderr } = await relay(introduce)
      assert.equal(code, 78)
      assert.match(stderr, /^backend: the back end at 10\.0\.0\.25:25 would trust our address/)
      assert.match(stderr, /backend\.recipient_domains, or .*backend\.introduce = "xclient"/)
      const domains = 'backend.recipient_domains = ["example.net"]'
      assert.equal((await relay(introduce, domains)).code, 0)
    }
    for (const introduce of ['auto', 'xclient']) assert.equal((await relay(introduce)).code, 0)
  })

  it('finds what is no TOML, what is not there, and wrong lines of a list', async () => {
    const noToml = await check('name = "a"\nname = \n')
    assert.equal(noToml.code, 78)
    assert.match(noToml.stderr, /^treacle\.toml:2: /)

    const noFile = await runTreacle(['check', '--config', 'missing.toml'])
    assert.equal(noFile.code, 78)
    assert.match(noFile.stderr, /^missing\.toml: no such file/)

    const noList = await check('gate.known_good = "friends"')
    assert.equal(noList.code, 78)
    assert.match(noList.stderr, /gate\.known_good: no such file: .*friends/)

    const files = { friends: '# my friends\n192.0.2.1\n192.0.2.0/33\n' }
    const wrongList = await check('gate.known_good = "friends"', files)
    assert.equal(wrongList.code, 78)
    assert.match(
      wrongList.stderr,
      /gate\.known_good: .*friends:3: "192\.0\.2\.0\/33" is no address/,
    )
  })

  it('looks for certificates and the token beside the config file, and reads them', async () => {
    const config = 'admin.token_file = "token"\ntls.certificate = "c.pem"\ntls.key = "k.pem"'
    const checkIn = (files: Readonly<Record<string, string>>) => {
      const inside = Object.entries(files).map(([name, text]) => [`etc/${name}`, text])
      return runTreacle(['check', '--config', 'etc/treacle.toml'], {
        files: { ...Object.fromEntries(inside), 'etc/treacle.toml': config },
      })
    }
    const none = await checkIn({})
    assert.equal(none.code, 78)
    assert.match(none.stderr, /^admin\.token_file: .*\/etc\/token/m)
    const short = await checkIn({ token: 'short' })
    assert.equal(short.code, 78)
    assert.match(short.stderr, /^admin\.token_file: .*at least 16 characters/m)
    const token = 'a-secret-of-23-letters'
    const noPair = await checkIn({ token })
    assert.equal(noPair.code, 78)
    assert.match(noPair.stderr, /^tls\.certificate: .*\/etc\/c\.pem/m)
    const pem = (file: string) =>
      readFileSync(join(import.meta.dirname, '../fixtures', file), 'utf8')
    const pair = { 'c.pem': pem('mx.example.org.crt'), 'k.pem': pem('mx.example.org.key') }
    const fine = await checkIn({ token, ...pair })
    assert.equal(fine.code, 0, shown(fine))
  })

  it('finds what is set for a reason that there is not', async () => {
    const misspelt = await check('recipients."example.net".actions = { unqal-helo = "off" }')
    assert.equal(misspelt.code, 78)
    assert.match(
      misspelt.stderr,
      /^recipients\["example\.net"\]\.actions\["unqal-helo"\]: .*"unqual-helo"\?$/m,
    )
    const strange = await check('reasons.settings.mine = { action = "off" }')
    assert.equal(strange.code, 78)
    assert.match(
      strange.stderr,
      /^reasons\.settings\.mine: no reason of this name; there are none$/m,
    )
  })

  it('knows the variables, and what looks like one', async () => {
    const wrong = await check(
      'delay.slots = -1',
      {},
      {
        TREACLE_BACKEND: 'nonsense',
        TREACLE_LISTEN: '127.0.0.1:2525, mx:25',
        TREACLE_NAMES: 'x',
        TREACLE_PORT_25_TCP: 'tcp://10.0.0.1:25',
      },
    )
    assert.equal(wrong.code, 78)
    const lines = wrong.stderr.trimEnd().split('\n')
    assert.equal(lines.length, 4, wrong.stderr)
    assert.match(wrong.stderr, /^treacle\.toml:1: delay\.slots: /m)
    assert.match(
      wrong.stderr,
      /^TREACLE_BACKEND: backend\.addresses\[0\]: .*expected "host:port", the port from 1 to 65535$/m,
    )
    assert.match(
      wrong.stderr,
      /^TREACLE_LISTEN: listen\.addresses\[1\]: .*expected "address:port"/m,
    )
    assert.match(wrong.stderr, /^TREACLE_NAMES: unknown variable; did you mean TREACLE_NAME\?$/m)
  })

  it('says how it is used', async () => {
    assert.equal((await runTreacle(['check', '--confg', 'x'])).code, 64)
    assert.equal((await runTreacle(['chek'])).code, 64)
    assert.equal((await runTreacle(['--help'])).code, 0)
  })
})

describe('treacle run', { timeout: 120_000, concurrency: 2 }, () => {
  it('takes its addresses and its name from the environment', async () => {
    await using treacle = await startTreacle({
      config: 'backend.addresses = ["192.0.2.1:25"]\nlisten.addresses = ["127.0.0.1:1"]',
      env: {
        TREACLE_BACKEND: `${nowhere}, 127.0.0.1:${telling.port}`,
        TREACLE_LISTEN: '127.0.0.1:0',
        TREACLE_NAME: 'mx.environment.example',
      },
    })
    using client = await Talk.to(treacle.address)
    assert.match((await client.hears()).text, /^220 mx\.environment\.example ESMTP/)
    await client.asks('EHLO mail.client.example')
    assert.equal((await client.gives('user@example.net')).code, 250)
  })

  for (const { what, listen } of [
    { what: 'a port is in use', listen: (taken: string) => `["${taken}"]` },
    { what: 'one of two ports is', listen: (taken: string) => `["127.0.0.1:0", "${taken}"]` },
  ]) {
    it(`says so and exits with 69 when ${what}`, async () => {
      await using server = createServer()
      const { promise, resolve } = Promise.withResolvers<void>()
      server.listen(0, '127.0.0.1', resolve)
      await promise
      const address = server.address()
      assert.ok(typeof address === 'object' && address !== null)
      const taken = `127.0.0.1:${address.port}`
      const ended = await runInVain(`
        listen.addresses = ${listen(taken)}
        backend.addresses = ["127.0.0.1:${telling.port}"]
        reasons.sorbs-dul.action = "delay"`)
      assert.equal(ended.code, 69, shown(ended))
      assert.match(
        ended.stderr,
        new RegExp(`^listen\\.addresses: .*address already in use ${taken}; stop who `),
      )
      assert.equal(ended.stderr.trimEnd().split('\n').length, 1, ended.stderr)
    })
  }
})

function check(
  config: string,
  files: Readonly<Record<string, string>> = {},
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const all = { ...files, 'treacle.toml': config }
  return runTreacle(['check', '--config', 'treacle.toml'], { files: all, env })
}

function shown({ code, stdout, stderr }: Ended): string {
  return `code ${code}\n${stdout}\n${stderr}`
}
