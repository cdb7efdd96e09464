/**
 * `npm run wasm`: assembles each `.wat` under src/ into a `.wasm.ts` beside it, which is kept, so that nobody needs an
 * assembler to run Treacle. assemble.test.ts sees that the two agree.
 */
import { globSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import openAssembler from 'wabt'

const root = join(import.meta.dirname, '..')
export const sources = globSync('src/**/*.wat', { cwd: root }).map((path) => join(root, path))

const features = { simd: true, bulk_memory: true }

export function assembledFile(source: string): string {
  return source.replace(/\.wat$/, '.wasm.ts')
}

/** @returns What `assembledFile` should have in it. */
export async function assemble(source: string): Promise<string> {
  const assembler = await openAssembler()
  const module = assembler.parseWat(source, await readFile(source, 'utf8'), features)
  module.validate()
  const base64 = Buffer.from(module.toBinary({}).buffer).toString('base64')
  const lines = (base64.match(/.{1,90}/g) ?? []).map((line) => `  '${line}'`)
  return `/** ${basename(source)}, assembled by \`npm run wasm\`: nothing here is written by hand. */
export const wasm =
${lines.join(' +\n')}
`
}

if (import.meta.main) {
  for (const source of sources) await writeFile(assembledFile(source), await assemble(source))
}
