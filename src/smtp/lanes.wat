;; What is done to each byte of content, sixteen at a time. Content lies at the start of the memory.
;; lanes.ts calls this; `npm run wasm` assembles it.
;;
;; A byte and those behind it are compared at once by loading the same sixteen again from one further on.
(module
  (memory (export "memory") 4)

  ;; Where the next byte to be mended stands: 0 in a line, 1 after a CR, which is written, 2 after CR LF as the client
  ;; sent it, 3 after CR LF of ours, 4 after a dot at the start of a line, which is not written.
  (global $place (export "place") (mut i32) (i32.const 0))

  ;; Where the first sixteen begin, counted from `at`, in which something stands that is neither text nor a
  ;; line end as it should be: a NUL, a CR or LF without the other, or what may be the end, LF . CR.
  ;; `to` or up to fifteen more where there is nothing like it. An LF at `at` itself is not looked at. NULs are
  ;; looked for where `nuls` is -1, not where it is 0.
  (func (export "ordinary") (param $at i32) (param $to i32) (param $nuls i32) (result i32)
    (local $here v128)
    (local $next v128)
    (local $isCr v128)
    (local $nextIsLf v128)
    (loop $sixteen
      (if (i32.ge_u (local.get $at) (local.get $to))
        (then (return (local.get $at))))
      (local.set $here (v128.load (local.get $at)))
      (local.set $next (v128.load offset=1 (local.get $at)))
      (local.set $isCr (i8x16.eq (local.get $here) (i8x16.splat (i32.const 0x0d))))
      (local.set $nextIsLf (i8x16.eq (local.get $next) (i8x16.splat (i32.const 0x0a))))
      (if (v128.any_true
            (v128.or
              (v128.or
                (v128.and
                  (i8x16.eq (local.get $here) (i8x16.splat (i32.const 0)))
                  (i8x16.splat (local.get $nuls)))
                (v128.xor (local.get $isCr) (local.get $nextIsLf)))
              (v128.and
                (v128.and
                  (i8x16.eq (local.get $here) (i8x16.splat (i32.const 0x0a)))
                  (i8x16.eq (local.get $next) (i8x16.splat (i32.const 0x2e))))
                (i8x16.eq
                  (v128.load offset=2 (local.get $at))
                  (i8x16.splat (i32.const 0x0d))))))
        (then (return (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br $sixteen))
    unreachable)

  ;; Where CR LF . CR LF begins, counted from `at`; `to` or up to fifteen more where it does not.
  (func (export "endMark") (param $at i32) (param $to i32) (result i32)
    (local $found v128)
    (loop $sixteen
      (if (i32.ge_u (local.get $at) (local.get $to))
        (then (return (local.get $at))))
      (local.set $found
        (v128.and
          (v128.and
            (v128.and
              (i8x16.eq (v128.load (local.get $at)) (i8x16.splat (i32.const 0x0d)))
              (i8x16.eq (v128.load offset=1 (local.get $at)) (i8x16.splat (i32.const 0x0a))))
            (v128.and
              (i8x16.eq (v128.load offset=2 (local.get $at)) (i8x16.splat (i32.const 0x2e)))
              (i8x16.eq (v128.load offset=3 (local.get $at)) (i8x16.splat (i32.const 0x0d)))))
          (i8x16.eq (v128.load offset=4 (local.get $at)) (i8x16.splat (i32.const 0x0a)))))
      (if (v128.any_true (local.get $found))
        (then
          (return
            (i32.add (local.get $at) (i32.ctz (i8x16.bitmask (local.get $found)))))))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br $sixteen))
    unreachable)

  ;; Writes what lies from `at` to `to` again at `out`, as mend.ts says; up to fifteen bytes too many.
  ;; What comes out is at most twice as long, and two bytes more. Gives the end of it.
  (func (export "mend") (param $at i32) (param $to i32) (param $out i32) (result i32)
    (local $byte i32)
    (local $bytes v128)
    (local $flaws i32)
    (local $isCalm i32)
    (loop $next
      (if (i32.ge_u (local.get $at) (local.get $to))
        (then (return (local.get $out))))

      ;; In a line all goes as it is up to the next LF or CR, but a NUL becomes a space; not asked where each line
      ;; has but a byte or two.
      (if (i32.and (local.get $isCalm) (i32.eqz (global.get $place)))
        (then
          (if (i32.le_u (i32.add (local.get $at) (i32.const 16)) (local.get $to))
            (then
              (local.set $bytes (v128.load (local.get $at)))
              (v128.store
                (local.get $out)
                (v128.or
                  (local.get $bytes)
                  (v128.and
                    (i8x16.eq (local.get $bytes) (i8x16.splat (i32.const 0)))
                    (i8x16.splat (i32.const 0x20)))))
              (local.set $flaws
                (i8x16.bitmask
                  (v128.or
                    (i8x16.eq (local.get $bytes) (i8x16.splat (i32.const 0x0a)))
                    (i8x16.eq (local.get $bytes) (i8x16.splat (i32.const 0x0d))))))
              ;; There is always a bit above those of the sixteen.
              (local.set $byte (i32.ctz (i32.or (local.get $flaws) (i32.const 0x10000))))
              (local.set $at (i32.add (local.get $at) (local.get $byte)))
              (local.set $out (i32.add (local.get $out) (local.get $byte)))
              (br_if $next (i32.eqz (local.get $flaws)))
              (local.set $isCalm (i32.const 0))))))

      (local.set $byte (i32.load8_u (local.get $at)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))

      (if (i32.eq (global.get $place) (i32.const 1))
        (then
          (i32.store8 (local.get $out) (i32.const 0x0a))
          (local.set $out (i32.add (local.get $out) (i32.const 1)))
          (global.set $place (i32.const 3))
          (if (i32.eq (local.get $byte) (i32.const 0x0a))
            (then
              (global.set $place (i32.const 2))
              (br $next)))))

      ;; The dot was content if its line ends otherwise than in CR LF, which is not known yet after a CR:
      ;; stuffed, it is right either way, since ".CRLF" as it should be does not come here.
      (if (i32.eq (global.get $place) (i32.const 4))
        (then
          (i32.store16 (local.get $out) (i32.const 0x2e2e))
          (local.set $out
            (i32.add
              (local.get $out)
              (select
                (i32.const 2)
                (i32.const 1)
                (i32.or
                  (i32.eq (local.get $byte) (i32.const 0x0d))
                  (i32.eq (local.get $byte) (i32.const 0x0a))))))
          (global.set $place (i32.const 0))))

      (if (i32.eq (local.get $byte) (i32.const 0x0d))
        (then
          (i32.store8 (local.get $out) (i32.const 0x0d))
          (local.set $out (i32.add (local.get $out) (i32.const 1)))
          (global.set $place (i32.const 1))
          (br $next)))

      (if (i32.eq (local.get $byte) (i32.const 0x0a))
        (then
          (i32.store16 (local.get $out) (i32.const 0x0a0d))
          (local.set $out (i32.add (local.get $out) (i32.const 2)))
          (global.set $place (i32.const 3))
          (br $next)))

      (if (i32.eq (local.get $byte) (i32.const 0x2e))
        (then
          (if (i32.eq (global.get $place) (i32.const 2))
            (then
              (global.set $place (i32.const 4))
              (br $next)))
          (if (i32.eq (global.get $place) (i32.const 3))
            (then
              (i32.store8 (local.get $out) (i32.const 0x2e))
              (local.set $out (i32.add (local.get $out) (i32.const 1)))))))

      ;; A NUL becomes a space.
      (i32.store8
        (local.get $out)
        (select (local.get $byte) (i32.const 0x20) (local.get $byte)))
      (local.set $out (i32.add (local.get $out) (i32.const 1)))
      (local.set $isCalm (i32.eqz (global.get $place)))
      (global.set $place (i32.const 0))
      (br $next))
    unreachable))
