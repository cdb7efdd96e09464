/**
 * `npm run evidence -- DATA`: what each reason and the whole default policy are worth on recorded
 * mail, beside three baselines on the same rows. Writes bench/evidence.md.
 *
 * DATA is a table of labelled border hops (TSV, may be gzipped) with fqrdns.pcre beside it. It is
 * data about people's mail and not part of Treacle: nothing of a row gets into the report.
 */
import { writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { connectionsOf, newReading } from '../src/cli/read-file.ts'
import { baselines } from './evidence-baselines.ts'
import { corpora, Sums } from './evidence-corpora.ts'
import { makePolicy, remembering } from './evidence-policy.ts'
import { report } from './evidence-report.ts'

/** @returns The report, as Markdown. */
export async function evidence(data: string, list: string): Promise<string> {
  const shipped = remembering(await makePolicy(''))
  const others = (await baselines(list)).map(({ name, judge }) => ({
    name,
    judge: remembering(judge),
  }))
  const sums = new Sums(corpora)
  for await (const batch of connectionsOf(newReading(data), 'tsv')) {
    for (const recorded of batch) {
      const corpus = corpora.find(({ holds }) => holds(recorded))
      if (corpus === undefined) continue
      const verdict = await shipped(recorded)
      const compared = await Promise.all(
        others.map(async ({ name, judge }) => [name, await judge(recorded)] as const),
      )
      sums.add(corpus, { recorded, verdict, compared })
    }
  }
  return report(sums, others)
}

if (import.meta.main) {
  const [data, list = join(dirname(data ?? '.'), 'fqrdns.pcre')] = process.argv.slice(2)
  if (data === undefined) throw new Error('npm run evidence -- DATA.tsv.gz [LIST.pcre]')
  const path = join(import.meta.dirname, 'evidence.md')
  writeFileSync(path, await evidence(data, list))
  process.stdout.write(`${relative('.', path)} is written\n`)
}
