/** Where the registered domain begins, by the public suffix list. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hostPart, registeredDomain } from '../../src/core/registered-domain.ts'

describe('registeredDomain', () => {
  for (const [name, domain, host] of [
    ['mail.example.org', 'example.org', 'mail'],
    ['a.b.example.co.uk', 'example.co.uk', 'a.b'],
    ['x.hokkaido.ocn.ne.jp', 'ocn.ne.jp', 'x.hokkaido'],
    ['ec2-1.compute.amazonaws.com', 'amazonaws.com', 'ec2-1.compute'],
    ['example.org', 'example.org', ''],
    ['co.uk', 'co.uk', ''],
    ['localhost', 'localhost', ''],
    ['', '', ''],
    ['a_b.example.org', 'example.org', 'a_b'],
  ] as const) {
    it(`of "${name}" is "${domain}"`, () => {
      assert.deepEqual([registeredDomain(name), hostPart(name)], [domain, host])
    })
  }
})
