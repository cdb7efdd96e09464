/**
 * A value that is here already, or a promise of it.
 *
 * Most of what one connection asks has been asked a moment ago by another, and is answered from
 * memory. A promise for each such answer, and one for each step that follows from it, would cost
 * more than all the looking.
 */
export type Eventual<T> = T | Promise<T>

/** Goes on with a value: at once where it is here. What `use` throws is thrown or rejected alike. */
export function eventually<T, R>(value: Eventual<T>, use: (value: T) => Eventual<R>): Eventual<R> {
  return value instanceof Promise ? value.then(use) : use(value)
}

/** All of them, in their order: at once where all are here. */
export function allOf<T>(values: readonly Eventual<T>[]): Eventual<readonly T[]> {
  const isHere = (value: Eventual<T>): value is T => !(value instanceof Promise)
  return values.every(isHere) ? values : Promise.all(values)
}
