/**
 * What to do when memory runs short. Pure arithmetic: figures in, measures out.
 *
 * The further above the budget, the more of those who wait are answered early, and the less
 * suspicious a newcomer must be to come in. It is over only when a tenth of the budget is free
 * again, so that it does not come and go with every client.
 */

export interface Situation {
  readonly wasShort: boolean
  readonly usedBytes: number
  /** 0 for no limit. */
  readonly budgetBytes: number
  readonly heldCount: number
}

export interface Measures {
  readonly short: boolean
  /** How many of those who wait are to be answered now. */
  readonly releaseCount: number
  /** Newcomers who have earned this part of the whole delay, or more, are sent away; 0: everybody. */
  readonly turnAwayFrom: number
}

/** Nobody has earned more than the whole delay. */
const nobody = 2
/** Whoever has any reason. */
const anyReason = Number.MIN_VALUE

/** From which part of the budget on, in falling order. */
const steps = [
  { from: 1.3, releasePart: 0.5, turnAwayFrom: 0 },
  { from: 1.2, releasePart: 0.3, turnAwayFrom: anyReason },
  { from: 1.1, releasePart: 0.2, turnAwayFrom: 0.5 },
  { from: 1, releasePart: 0.1, turnAwayFrom: 1 },
] as const
/** Below this part it is over; until then nobody is released, and the worst are still sent away. */
export const overBelow = 0.9

export const calm: Measures = { short: false, releaseCount: 0, turnAwayFrom: nobody }

export function measuresFor({ wasShort, usedBytes, budgetBytes, heldCount }: Situation): Measures {
  if (budgetBytes === 0) return calm
  const part = usedBytes / budgetBytes
  const step = steps.find(({ from }) => part >= from)
  if (step !== undefined) {
    const releaseCount = Math.ceil(heldCount * step.releasePart)
    return { short: true, releaseCount, turnAwayFrom: step.turnAwayFrom }
  }
  return wasShort && part >= overBelow ? { short: true, releaseCount: 0, turnAwayFrom: 1 } : calm
}
