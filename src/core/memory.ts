/**
 * How much memory we use.
 *
 * What is resident, less what the heap has free: the resident size alone hardly ever falls again, as
 * V8 keeps what it has for the next objects, so it would not tell that a rush is over.
 */
export function memoryInUse(): number {
  const { rss, heapTotal, heapUsed } = process.memoryUsage()
  return rss - (heapTotal - heapUsed)
}
