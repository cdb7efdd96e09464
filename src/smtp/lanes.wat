;; What is done to each byte of content, sixteen at a time. At the start of the memory is a table for mending: by
;; which of eight bytes become two, from which lanes the bytes that come out are taken, sixteen for each.
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

  ;; Where the byte at `at` stands, which is there, when all before it has been written.
  (func $placeAt (param $at i32) (result i32)
    (local $last i32)
    (local.set $last (i32.load8_u (i32.sub (local.get $at) (i32.const 1))))
    (if (i32.eq (local.get $last) (i32.const 0x0d))
      (then
        (return
          (select
            (i32.const 1)
            (i32.const 3)
            (i32.eq (i32.load8_u (local.get $at)) (i32.const 0x0a))))))
    (if (i32.ne (local.get $last) (i32.const 0x0a))
      (then (return (i32.const 0))))
    (select
      (i32.const 2)
      (i32.const 3)
      (i32.eq
        (i32.load8_u (i32.sub (local.get $at) (i32.const 2)))
        (i32.const 0x0d))))

  ;; Writes what lies from `at` to `to` again at `out`, as mend.ts says; up to fifteen bytes too many.
  ;; What comes out is at most twice as long, and two bytes more. Gives the end of it.
  (func (export "mend") (param $at i32) (param $to i32) (param $out i32) (result i32)
    (local $byte i32)
    (local $from i32)
    (local $doubled i32)
    (local $here v128)
    (local $before v128)
    (local $next v128)
    (local $isBare v128)
    (local.set $from (i32.add (local.get $at) (i32.const 2)))
    (loop $next
      (if (i32.ge_u (local.get $at) (local.get $to))
        (then (return (local.get $out))))

      ;; Eight at a time where the two before them and the one behind are there, and no dot has yet to be written.
      (if (i32.and
            (i32.and
              (i32.ge_u (local.get $at) (local.get $from))
              (i32.lt_u (i32.add (local.get $at) (i32.const 8)) (local.get $to)))
            (i32.ne (global.get $place) (i32.const 4)))
        (then
          ;; The LF of a CR that was a bare one; the loop leaves none out.
          (if (i32.eq (global.get $place) (i32.const 1))
            (then
              (if (i32.ne (i32.load8_u (local.get $at)) (i32.const 0x0a))
                (then
                  (i32.store8 (local.get $out) (i32.const 0x0a))
                  (local.set $out (i32.add (local.get $out) (i32.const 1)))))))
          (loop $eight
            (local.set $here (v128.load64_zero (local.get $at)))
            (local.set $before
              (v128.load64_zero (i32.sub (local.get $at) (i32.const 1))))
            (local.set $next (v128.load64_zero offset=1 (local.get $at)))
            ;; A CR without its LF, or an LF without its CR.
            (local.set $isBare
              (v128.or
                (v128.andnot
                  (i8x16.eq (local.get $here) (i8x16.splat (i32.const 0x0d)))
                  (i8x16.eq (local.get $next) (i8x16.splat (i32.const 0x0a))))
                (v128.andnot
                  (i8x16.eq (local.get $here) (i8x16.splat (i32.const 0x0a)))
                  (i8x16.eq (local.get $before) (i8x16.splat (i32.const 0x0d))))))
            ;; It becomes two bytes, and so does a dot behind it. A dot behind CR LF does where a newline
            ;; follows, which is a bare one: ".CRLF" as it should be does not come here.
            (local.set $doubled
              (i8x16.bitmask
                (v128.or
                  (local.get $isBare)
                  (v128.and
                    (i8x16.eq (local.get $here) (i8x16.splat (i32.const 0x2e)))
                    (v128.or
                      (i8x16.eq (local.get $before) (i8x16.splat (i32.const 0x0d)))
                      (v128.andnot
                        (i8x16.eq (local.get $before) (i8x16.splat (i32.const 0x0a)))
                        (v128.andnot
                          (v128.andnot
                            (i8x16.eq
                              (v128.load64_zero (i32.sub (local.get $at) (i32.const 2)))
                              (i8x16.splat (i32.const 0x0d)))
                            (i8x16.eq (local.get $next) (i8x16.splat (i32.const 0x0d))))
                          (i8x16.eq (local.get $next) (i8x16.splat (i32.const 0x0a))))))))))
            ;; Each byte as it comes out, and eight lanes above as it comes out again. A NUL becomes a space.
            (v128.store
              (local.get $out)
              (i8x16.swizzle
                (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23
                  (v128.bitselect
                    (i8x16.splat (i32.const 0x0d))
                    (v128.or
                      (local.get $here)
                      (v128.and
                        (i8x16.eq (local.get $here) (i8x16.splat (i32.const 0)))
                        (i8x16.splat (i32.const 0x20))))
                    (local.get $isBare))
                  (v128.bitselect
                    (i8x16.splat (i32.const 0x0a))
                    (local.get $here)
                    (local.get $isBare)))
                (v128.load (i32.shl (local.get $doubled) (i32.const 4)))))
            (local.set $out
              (i32.add
                (i32.add (local.get $out) (i32.const 8))
                (i32.popcnt (local.get $doubled))))
            (local.set $at (i32.add (local.get $at) (i32.const 8)))
            (br_if $eight
              (i32.lt_u (i32.add (local.get $at) (i32.const 8)) (local.get $to))))
          (global.set $place (call $placeAt (local.get $at)))))

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
      (global.set $place (i32.const 0))
      (br $next))
    unreachable))
