/**
 * Loaded into Treacle before everything else (`node --import`): the time of day jumps by up to two hours
 * every second, as if somebody kept setting the clock. Timers and the even clock are left alone.
 *
 * A namespace cannot do this: Linux has them for the even clocks only.
 */
const RealDate = Date
let aheadMs = 0
setInterval(() => {
  aheadMs = aheadMs > 0 ? -3_600_000 : 3_600_000
}, 1_000).unref()

globalThis.Date = new Proxy(RealDate, {
  construct(target, args: ConstructorParameters<DateConstructor> | []) {
    return args.length === 0 ? new target(target.now() + aheadMs) : Reflect.construct(target, args)
  },
  get(target, key) {
    return key === 'now' ? () => target.now() + aheadMs : Reflect.get(target, key)
  },
})
