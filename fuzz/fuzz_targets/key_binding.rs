#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| beltic_fuzz::key_binding(data));
