/** The systemd units: rated by systemd itself, offline, and in step with the program. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'

const folder = join(import.meta.dirname, '../../systemd')
const service = readFileSync(join(folder, 'treacle.service'), 'utf8')
const analyze = (...args: readonly string[]) =>
  execFileSync('systemd-analyze', args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' })

describe('the systemd units', () => {
  it('are rated below 2 of 10 by systemd-analyze security', () => {
    const said = analyze('security', '--offline=true', '--no-pager', 'treacle.service')
    const [, exposure = '10'] = /exposure level for treacle\.service: ([\d.]+)/.exec(said) ?? []
    assert.ok(Number(exposure) < 2, said)
  })

  it('are understood by systemd, and give the grace period time', () => {
    analyze('verify', '--man=no', 'treacle.service', 'treacle.socket')
    const [, seconds] = /^TimeoutStopSec=(\d+)s$/m.exec(service) ?? []
    assert.ok(Number(seconds) > 30, 'longer than shutdown_grace')
    assert.match(service, /^RestartPreventExitStatus=64 78$/m)
  })
})
