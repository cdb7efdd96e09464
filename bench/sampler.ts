/**
 * Loaded into Treacle before everything else (`node --import`): the first SIGUSR2 begins to sample what is allocated; the
 * second writes what it was to the file that SAMPLES_FILE names: with SAMPLES=garbage all of it, else what
 * has outlived the collections of the young.
 */
import { writeFileSync } from 'node:fs'
import { type HeapProfiler, Session } from 'node:inspector'

/** A sample for so many bytes. */
const samplingInterval = 2_048
const session = new Session()
let isSampling = false

process.on('SIGUSR2', () => {
  if (isSampling) return session.post('HeapProfiler.stopSampling', write)
  isSampling = true
  session.connect()
  session.post('HeapProfiler.enable')
  const alsoDead = {
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: process.env.SAMPLES === 'garbage',
  }
  session.post('HeapProfiler.startSampling', { samplingInterval, ...alsoDead })
})

function write(error: Error | null, { profile }: HeapProfiler.StopSamplingReturnType): void {
  if (error === null)
    writeFileSync(process.env.SAMPLES_FILE ?? '/dev/null', JSON.stringify(profile))
}
