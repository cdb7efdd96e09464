/** Reasons written in TypeScript: the worked example of docs/examples, and modules that are wrong. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { ConfigError } from '../../src/core/errors.ts'
import { prepareReasons, reasonsOptions } from '../../src/reasons/index.ts'
import { loadModules } from '../../src/reasons/modules.ts'
import { FakeClock } from '../helpers/fake-clock.ts'
import { factsOf, senderOf, sharedOf, toolsFor } from './worlds.ts'

const examples = join(import.meta.dirname, '../../docs/examples')

describe('reasons.modules', () => {
  let folder = ''
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'treacle-modules-'))
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  it('loads the worked example, which finds what it is about', async () => {
    const modules = await loadModules(['./my-reason.ts'], examples, new FakeClock())
    const settings = { 'rare-sender-domain': { weight: 4, endings: ['top', 'xyz'] } }
    const options = reasonsOptions.parse({ modules: ['./my-reason.ts'], settings })
    const { mail } = prepareReasons(options, sharedOf(), { own: [], modules })
    const reason = mail.find(({ name }) => name === 'rare-sender-domain')
    assert.ok(reason)
    assert.deepEqual([reason.weight, reason.action], [4, 'delay'])
    for (const [address, is] of [
      ['a@b.XYZ', 'sender in .xyz'],
      ['a@b.example', null],
      ['', null],
    ] as const) {
      const facts = factsOf({ client: '192.0.2.1', sender: senderOf(address) })
      assert.equal(await reason.find(facts, toolsFor('192.0.2.1')), is)
    }
  })

  const wrong = [
    { text: null, what: /ENOENT/, because: 'it is not there' },
    { text: 'export default 7', what: /expected a function/, because: 'it exports no function' },
    { text: 'throw new Error("out of luck")', what: /out of luck/, because: 'it throws' },
    { text: 'export default () => 7', what: /defineReason/, because: 'it makes no reason' },
    {
      text: 'export default () => { throw new Error("no") }',
      what: /no/,
      because: 'making throws',
    },
    { text: 'this is no program', what: /./, because: 'it does not parse' },
  ]
  for (const [index, { text, what, because }] of wrong.entries()) {
    it(`is an error at load that names the file: ${because}`, async () => {
      const file = join(folder, `wrong-${index}.ts`)
      if (text !== null) writeFileSync(file, text)
      await assert.rejects(loadModules([file], '/', new FakeClock()), (error) => {
        assert.ok(error instanceof ConfigError)
        assert.match(error.message, what)
        assert.ok(error.message.startsWith(`${file}: reasons.modules: `), error.message)
        return true
      })
    })
  }

  it('does not wait for ever for one that never loads', async () => {
    const file = join(folder, 'never.ts')
    writeFileSync(file, 'await new Promise(() => {})\nexport default () => []')
    const clock = new FakeClock()
    const loading = assert.rejects(loadModules([file], '/', clock), /does not end/)
    await clock.advance(10_000)
    await loading
    assert.equal(clock.sleeping, 0)
  })

  it('takes several reasons of one module, and no name twice', async () => {
    const file = join(folder, 'two.ts')
    const one = (
      name: string,
    ) => `kit.defineReason({ name: '${name}', stage: 'connect', summary: '',
      source: '', options: kit.reasonOptions({ weight: 1 }, {}), prepare: () => ({ find: () => 'x' }) })`
    writeFileSync(file, `export default (kit) => [${one('my-a')}, ${one('unqual-helo')}]`)
    const modules = await loadModules([file], '/', new FakeClock())
    assert.deepEqual(
      modules.map(({ name }) => name),
      ['my-a', 'unqual-helo'],
    )
    const options = reasonsOptions.parse({})
    assert.throws(
      () => prepareReasons(options, sharedOf(), { own: [], modules }),
      /more than one reason called unqual-helo/,
    )
  })

  it('says where settings of a module are wrong', async () => {
    const modules = await loadModules(['./my-reason.ts'], examples, new FakeClock())
    const options = reasonsOptions.parse({ settings: { 'rare-sender-domain': { endings: 7 } } })
    assert.throws(
      () => prepareReasons(options, sharedOf(), { own: [], modules }),
      /reasons\.settings\.rare-sender-domain\.endings/,
    )
  })
})
