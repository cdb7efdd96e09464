;; What is done to each line of a header. At the start of the memory is a table of names, 32 bytes each:
;;    0  the name, lower case, in sixteen bytes
;;   16  a bit for each of them that is the name's
;;   18  how many that are
;;   19  1 where all names that begin so are meant, else 0
;; The first is counted, the others are forged where a client sends them; no name may be shorter than the first.
;; header-filter.ts calls this; `npm run wasm` assembles it.
(module
  (memory (export "memory") 2)

  ;; Where the next byte stands: 0 at the start of a line behind one that is kept, or of the message, 1 behind one that
  ;; is dropped, 2 in a line that is kept, 3 in one that is dropped, 4 behind the header.
  (global $place (export "place") (mut i32) (i32.const 0))
  ;; How many fields had the name that is counted.
  (global $count (export "count") (mut i32) (i32.const 0))
  ;; The first byte that was not taken: of a line too short to be judged, or behind the header; `to` when all was taken.
  (global $rest (export "rest") (mut i32) (i32.const 0))

  (func $isBlank (param $byte i32) (result i32)
    (i32.or
      (i32.eq (local.get $byte) (i32.const 0x20))
      (i32.eq (local.get $byte) (i32.const 0x09))))

  ;; What C's isspace() says is space, which Exim allows between a name and its colon; without CR and LF.
  (func $isSpace (param $byte i32) (result i32)
    (i32.or
      (call $isBlank (local.get $byte))
      ;; VT and FF.
      (i32.lt_u (i32.sub (local.get $byte) (i32.const 0x0b)) (i32.const 2))))

  (func $isNewline (param $byte i32) (result i32)
    (i32.or
      (i32.eq (local.get $byte) (i32.const 0x0a))
      (i32.eq (local.get $byte) (i32.const 0x0d))))

  (func $isNamed (param $from i32) (param $length i32) (param $name i32) (result i32)
    (local $bits i32)
    (local.set $bits (i32.load16_u offset=16 (local.get $name)))
    (i32.and
      (select
        (i32.load8_u offset=19 (local.get $name))
        (i32.eq (local.get $length) (i32.load8_u offset=18 (local.get $name)))
        (i32.gt_u (local.get $length) (i32.load8_u offset=18 (local.get $name))))
      (i32.eq
        (local.get $bits)
        (i32.and
          (local.get $bits)
          (i8x16.bitmask
            (i8x16.eq
              (v128.load (local.get $name))
              ;; What has this bit anyway are small letters, digits and the hyphen.
              (v128.or
                (v128.load (local.get $from))
                (i8x16.splat (i32.const 0x20)))))))))

  ;; The place within a field of that name. `names` is where the table ends.
  (func $placeNamed (param $from i32) (param $to i32) (param $names i32) (result i32)
    (local $length i32)
    (local $name i32)
    (local.set $length (i32.sub (local.get $to) (local.get $from)))
    (global.set $count
      (i32.add
        (global.get $count)
        (call $isNamed (local.get $from) (local.get $length) (i32.const 0))))
    (loop $next
      (local.set $name (i32.add (local.get $name) (i32.const 32)))
      (if (i32.ge_u (local.get $name) (local.get $names))
        (then (return (i32.const 2))))
      (br_if $next
        (i32.eqz
          (call $isNamed (local.get $from) (local.get $length) (local.get $name)))))
    (i32.const 3))

  ;; The place within the line that begins at `at`; as it is when there is too little of the line to say.
  (func $placeFor (param $at i32) (param $to i32) (param $names i32) (param $limit i32) (result i32)
    (local $here v128)
    (local $ends i32)
    (local $end i32)
    (local $nameEnd i32)
    (local $past i32)
    (local $byte i32)
    ;; The back end takes off a dot at the start of a line.
    (local.set $at
      (i32.add
        (local.get $at)
        (i32.eq (i32.load8_u (local.get $at)) (i32.const 0x2e))))
    (if (i32.eq (local.get $at) (local.get $to))
      (then (return (global.get $place))))
    ;; A line that goes on belongs to the field before it.
    (if (call $isBlank (i32.load8_u (local.get $at)))
      (then
        (return (i32.add (global.get $place) (i32.const 2)))))

    (local.set $end (i32.add (local.get $at) (local.get $limit)))
    (if (i32.gt_u (local.get $end) (local.get $to))
      (then (local.set $end (local.get $to))))

    ;; A name: RFC 5322 section 2.2, and what is no ASCII, since it does not end a header everywhere.
    (local.set $nameEnd (local.get $at))
    (loop $sixteen
      (local.set $here (v128.load (local.get $nameEnd)))
      (local.set $ends
        (i8x16.bitmask
          (v128.or
            (i8x16.le_u (local.get $here) (i8x16.splat (i32.const 0x20)))
            (v128.or
              (i8x16.eq (local.get $here) (i8x16.splat (i32.const 0x3a)))
              (i8x16.eq (local.get $here) (i8x16.splat (i32.const 0x7f)))))))
      (local.set $nameEnd
        (i32.add
          (local.get $nameEnd)
          (i32.ctz (i32.or (local.get $ends) (i32.const 0x10000)))))
      (br_if $sixteen
        (i32.and
          (i32.eqz (local.get $ends))
          (i32.lt_u (local.get $nameEnd) (local.get $end)))))
    (if (i32.gt_u (local.get $nameEnd) (local.get $end))
      (then (local.set $nameEnd (local.get $end))))

    ;; Space behind it.
    (local.set $past (local.get $nameEnd))
    (block $noSpace
      (loop $space
        (br_if $noSpace (i32.ge_u (local.get $past) (local.get $end)))
        (local.set $byte (i32.load8_u (local.get $past)))
        (br_if $noSpace (i32.eqz (call $isSpace (local.get $byte))))
        (local.set $past (i32.add (local.get $past) (i32.const 1)))
        (br $space)))

    (if (i32.eq (local.get $past) (local.get $end))
      (then
        (if (i32.ne (i32.sub (local.get $end) (local.get $at)) (local.get $limit))
          (then (return (global.get $place)))))
      (else
        ;; Nothing but the empty line ends a header for everybody.
        (if (i32.and
              (i32.eq (local.get $past) (local.get $at))
              (call $isNewline (local.get $byte)))
          (then (return (i32.const 4))))
        ;; Exim looks for the colon in the next line as well.
        (if (i32.eqz
              (i32.or
                (i32.eq (local.get $byte) (i32.const 0x3a))
                (call $isNewline (local.get $byte))))
          (then (return (i32.const 2))))))
    (if (i32.lt_u
          (i32.sub (local.get $nameEnd) (local.get $at))
          (i32.load8_u offset=18 (i32.const 0)))
      (then (return (i32.const 2))))
    (call $placeNamed (local.get $at) (local.get $nameEnd) (local.get $names)))

  ;; Takes what lies from `at` to `to`, moves what is kept of it together, and gives the end of that. `names` is
  ;; where the table ends; a line that may still be a field after `limit` bytes counts as one.
  (func (export "filter")
    (param $at i32) (param $to i32) (param $names i32) (param $limit i32) (result i32)
    (local $ends i32)
    (local $isWhole i32)
    (local $out i32)
    ;; Where what is kept begins that was not yet moved.
    (local $kept i32)
    (local.set $out (local.get $at))
    (local.set $kept (local.get $at))
    (block $end
      (loop $line
        (br_if $end (i32.ge_u (local.get $at) (local.get $to)))
        (if (i32.lt_u (global.get $place) (i32.const 2))
          (then
            (global.set $place
              (call $placeFor
                (local.get $at)
                (local.get $to)
                (local.get $names)
                (local.get $limit)))))
        (br_if $end (i32.lt_u (global.get $place) (i32.const 2)))
        (br_if $end (i32.eq (global.get $place) (i32.const 4)))
        (if (i32.eq (global.get $place) (i32.const 3))
          (then
            (local.set $out
              (call $moved (local.get $out) (local.get $kept) (local.get $at)))))
        (loop $sixteen
          (local.set $ends
            (i8x16.bitmask
              (i8x16.eq (v128.load (local.get $at)) (i8x16.splat (i32.const 0x0a)))))
          (local.set $at
            (i32.add
              (local.get $at)
              (i32.ctz (i32.or (local.get $ends) (i32.const 0x10000)))))
          (br_if $sixteen
            (i32.and
              (i32.eqz (local.get $ends))
              (i32.lt_u (local.get $at) (local.get $to)))))
        (local.set $isWhole (i32.lt_u (local.get $at) (local.get $to)))
        (local.set $at
          (select
            (i32.add (local.get $at) (i32.const 1))
            (local.get $to)
            (local.get $isWhole)))
        (if (i32.eq (global.get $place) (i32.const 3))
          (then (local.set $kept (local.get $at))))
        (br_if $end (i32.eqz (local.get $isWhole)))
        (global.set $place (i32.sub (global.get $place) (i32.const 2)))
        (br $line)))
    (global.set $rest (local.get $at))
    (call $moved (local.get $out) (local.get $kept) (local.get $at)))

  ;; The end of what lay between `from` and `to` when it has been moved to `out`.
  (func $moved (param $out i32) (param $from i32) (param $to i32) (result i32)
    (local $length i32)
    (local.set $length (i32.sub (local.get $to) (local.get $from)))
    (if (i32.and
          (i32.ne (local.get $out) (local.get $from))
          (i32.ne (local.get $length) (i32.const 0)))
      (then (memory.copy (local.get $out) (local.get $from) (local.get $length))))
    (i32.add (local.get $out) (local.get $length))))
