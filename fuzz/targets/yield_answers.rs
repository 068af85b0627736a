#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| veriregime_fuzz::yield_answers(bytes));
