/** The admin server and `treacle health`, over real HTTP. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { Admin } from '../../src/admin/admin.ts'
import { adminOptions } from '../../src/admin/options.ts'
import { readToken } from '../../src/admin/token.ts'
import { askHealth } from '../../src/cli/health.ts'
import { Log } from '../../src/observe/log.ts'
import { FakeClock } from '../helpers/fake-clock.ts'
import { freePort } from '../mta/servers/place.ts'

const folder = mkdtempSync(join(tmpdir(), 'treacle-admin-'))
after(() => rmSync(folder, { recursive: true }))
const secretFile = join(folder, 'secret')
const secret = 'correct-horse-battery'
writeFileSync(secretFile, `${secret}\n`)

describe('the admin server', () => {
  it('says that it lives and whether mail can be taken', async () => {
    await using at = await start({})
    assert.deepEqual(await at.get('/live'), {
      status: 200,
      body: { name: 'treacle', status: 'live' },
    })
    assert.equal((await at.get('/ready')).status, 200)
    assert.deepEqual(await at.health(), true)
    at.world.fault = 'ECONNREFUSED'
    await at.clock.advance(5_000)
    const { status, body } = await at.get('/ready')
    assert.equal(status, 503)
    assert.deepEqual(body.problems, ['back end: ECONNREFUSED'])
    assert.equal(await at.health(), false)
    assert.equal(await at.health(true), true, 'it is alive all the same')
    const clients = '  0 clients are connected, 0 of them wait'
    assert.deepEqual(at.said, [
      ...['ready', clients],
      ...['not-ready', '  problem: back end: ECONNREFUSED', clients],
      'live',
    ])
  })

  it('asks for the secret, except on /live', async () => {
    await using at = await start({ token_file: secretFile })
    assert.equal((await at.get('/live')).status, 200)
    assert.equal((await at.get('/ready')).status, 401)
    assert.equal((await at.get('/ready', `Bearer ${secret.toUpperCase()}`)).status, 401)
    assert.equal((await at.get('/elsewhere')).status, 401)
    assert.equal((await at.get('/ready', `Bearer ${secret}`)).status, 200)
    assert.equal(await at.health(), true)
  })

  it('gives its figures to Prometheus', async () => {
    await using at = await start({ token_file: secretFile })
    assert.equal((await fetch(`${at.url}/metrics`)).status, 401)
    const authorization = `Bearer ${secret}`
    const answer = await fetch(`${at.url}/metrics`, { headers: { authorization } })
    assert.match(answer.headers.get('content-type') ?? '', /^text\/plain/)
    assert.match(await answer.text(), /^treacle_connected 0$/m)
  })

  it('is not missed when its address is taken: mail goes on', async () => {
    await using first = await start({})
    const { createServer } = await import('node:net')
    const port = await freePort()
    const other = createServer().listen(port, '127.0.0.1')
    await first.admin.prepare(adminOptions.parse({ listen: `127.0.0.1:${port}` }))()
    other.close()
    assert.equal(first.log.counts['admin.unavailable'], 1)
  })

  it('moves with a reload', async () => {
    await using at = await start({})
    const options = adminOptions.parse({ listen: `127.0.0.1:${await freePort()}` })
    await at.admin.prepare(options)()
    await assert.rejects(at.get('/live'))
    const question = { admin: options, token: null, liveOnly: true, json: false }
    assert.equal(await askHealth(question, () => {}), true)
  })
})

describe('[admin]', () => {
  it('wants a secret anywhere but on loopback', () => {
    for (const listen of ['', '127.0.0.1:1', '127.9.9.9:1', '[::1]:1']) {
      assert.ok(adminOptions.safeParse({ listen }).success, listen)
    }
    for (const listen of ['0.0.0.0:1', '192.0.2.1:1', '[::]:1', '10.0.0.1:1', 'localhost:1']) {
      assert.ok(!adminOptions.safeParse({ listen }).success, listen)
    }
    assert.ok(adminOptions.safeParse({ listen: '0.0.0.0:1', token_file: secretFile }).success)
  })

  it('takes no secret that is short or missing', () => {
    const short = join(folder, 'short')
    writeFileSync(short, 'abc')
    const missing = join(folder, 'missing')
    for (const token_file of [short, missing]) {
      assert.throws(() => readToken(adminOptions.parse({ token_file })), /admin\.token_file/)
    }
  })
})

async function start(settings: { token_file?: string }) {
  const clock = new FakeClock()
  const log = new Log(clock, { level: 'silent', format: 'json' })
  const world: { fault: string | null } = { fault: null }
  const admin = new Admin({
    clock,
    log,
    vitals: () => ({
      draining: false,
      connections: 0,
      held: 0,
      dnsLists: [],
      certificate: null,
      shortOfMemory: false,
      certificateFault: null,
      guard: null,
    }),
    backendFault: async () => world.fault,
    backendUp: () => world.fault === null,
  })
  const options = adminOptions.parse({ listen: `127.0.0.1:${await freePort()}`, ...settings })
  await admin.prepare(options)()
  const said: string[] = []
  return {
    admin,
    clock,
    log,
    world,
    /** What `treacle health` has printed. */
    said,
    url: `http://${options.listen}`,
    get: async (path: string, authorization?: string) => {
      const headers = authorization === undefined ? {} : { authorization }
      const answer = await fetch(`http://${options.listen}${path}`, { headers })
      const body = (await answer.json()) as Readonly<Record<string, unknown>>
      return { status: answer.status, body }
    },
    health: (liveOnly = false) =>
      askHealth({ admin: options, token: readToken(options), liveOnly, json: false }, (line) =>
        said.push(line),
      ),
    [Symbol.asyncDispose]: () => admin.close(),
  }
}
