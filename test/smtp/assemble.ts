/**
 * `npm run wasm`: assembles src/smtp/lanes.wat into src/smtp/lanes.wasm.ts, which is kept, so that nobody
 * needs an assembler to run Treacle. lanes.test.ts sees that the two agree.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import openAssembler from 'wabt'

const folder = join(import.meta.dirname, '../../src/smtp')
export const assembledFile = join(folder, 'lanes.wasm.ts')

/** @returns What `assembledFile` should have in it. */
export async function assemble(): Promise<string> {
  const source = await readFile(join(folder, 'lanes.wat'), 'utf8')
  const assembler = await openAssembler()
  const module = assembler.parseWat('lanes.wat', source, { simd: true })
  module.validate()
  const base64 = Buffer.from(module.toBinary({}).buffer).toString('base64')
  const lines = (base64.match(/.{1,90}/g) ?? []).map((line) => `  '${line}'`)
  return `/** lanes.wat, assembled by \`npm run wasm\`: nothing here is written by hand. */
export const wasm =
${lines.join(' +\n')}
`
}

if (import.meta.main) await writeFile(assembledFile, await assemble())
