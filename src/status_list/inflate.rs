//! Decompression in bounded memory.

use std::io::Read;

use flate2::bufread::GzDecoder;
use flate2::{Decompress, FlushDecompress, Status as Progress};

use super::DecodeError;

/// By how much a list grows at a time.
const STEP: usize = 64 * 1024;

/// The first bytes of every gzip member that is compressed at all (RFC 1952 section 2.3.1).
const GZIP: [u8; 3] = [0x1F, 0x8B, 8];

/// Decompresses one zlib stream (RFC 1950), its checksum included.
///
/// `flate2`'s readers take a stream that stops in its middle for one that is complete, so the
/// decompressor is driven by hand and has to say that it saw the end.
pub(super) fn zlib(compressed: &[u8], max_bytes: usize) -> Result<Vec<u8>, DecodeError> {
    if !is_zlib(compressed) {
        return Err(DecodeError::Framing { expected: "zlib (RFC 1950)" });
    }
    let mut inflater = Decompress::new(true);
    let mut out = Vec::new();
    loop {
        out.reserve(STEP.min((max_bytes - out.len()).saturating_add(1)));
        let (read, written) = (inflater.total_in(), inflater.total_out());
        let rest = &compressed[read as usize..];
        let progress = inflater
            .decompress_vec(rest, &mut out, FlushDecompress::None)
            .map_err(|_| DecodeError::Damaged)?;
        if out.len() > max_bytes {
            return Err(DecodeError::TooLarge { max_bytes });
        }
        if progress == Progress::StreamEnd {
            break;
        }
        if (inflater.total_in(), inflater.total_out()) == (read, written) {
            return Err(DecodeError::Damaged);
        }
    }
    let trailing = inflater.total_in() < compressed.len() as u64;
    if trailing { Err(DecodeError::TrailingData) } else { Ok(out) }
}

/// Decompresses one gzip member (RFC 1952), its checksum and length included. A second member is
/// refused, as readers differ in whether they go on to it.
pub(super) fn gzip(compressed: &[u8], max_bytes: usize) -> Result<Vec<u8>, DecodeError> {
    if !compressed.starts_with(&GZIP) {
        return Err(DecodeError::Framing { expected: "gzip (RFC 1952)" });
    }
    let mut decoder = GzDecoder::new(compressed);
    let mut out = Vec::new();
    let limit = (max_bytes as u64).saturating_add(1);
    decoder.by_ref().take(limit).read_to_end(&mut out).map_err(|_| DecodeError::Damaged)?;
    if out.len() > max_bytes {
        return Err(DecodeError::TooLarge { max_bytes });
    }
    let trailing = !decoder.into_inner().is_empty();
    if trailing { Err(DecodeError::TrailingData) } else { Ok(out) }
}

/// The header of a zlib stream: DEFLATE, a window that exists, no preset dictionary, and the check
/// bits (RFC 1950 section 2.2).
fn is_zlib(bytes: &[u8]) -> bool {
    let &[method, flags, ..] = bytes else { return false };
    method & 0x0F == 8
        && method >> 4 <= 7
        && flags & 0x20 == 0
        && u16::from_be_bytes([method, flags]).is_multiple_of(31)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    const MAX: usize = 1 << 16;

    fn as_zlib(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn as_gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn as_raw(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// Something that does not compress to nothing, so that it can be cut in many places.
    fn sample() -> Vec<u8> {
        (0..3000u32).map(|at| (at.wrapping_mul(at) >> 5) as u8).collect()
    }

    #[test]
    fn each_takes_its_own_framing_alone() {
        let sample = sample();
        let (zlibbed, gzipped, raw) = (as_zlib(&sample), as_gzip(&sample), as_raw(&sample));
        assert_eq!(zlib(&zlibbed, MAX), Ok(sample.clone()));
        assert_eq!(gzip(&gzipped, MAX), Ok(sample.clone()));
        for other in [&gzipped, &raw, &sample, &Vec::new(), &vec![0x78]] {
            assert_eq!(zlib(other, MAX), Err(DecodeError::Framing { expected: "zlib (RFC 1950)" }));
        }
        for other in [&zlibbed, &raw, &sample, &Vec::new(), &GZIP[..2].to_vec()] {
            assert_eq!(gzip(other, MAX), Err(DecodeError::Framing { expected: "gzip (RFC 1952)" }));
        }
    }

    #[test]
    fn a_stream_that_is_cut_anywhere_is_damaged() {
        let (zlibbed, gzipped) = (as_zlib(&sample()), as_gzip(&sample()));
        for end in 2..zlibbed.len() {
            assert_eq!(zlib(&zlibbed[..end], MAX), Err(DecodeError::Damaged), "cut after {end}");
        }
        for end in 3..gzipped.len() {
            assert_eq!(gzip(&gzipped[..end], MAX), Err(DecodeError::Damaged), "cut after {end}");
        }
    }

    #[test]
    fn a_checksum_that_does_not_fit_is_damage() {
        let (mut zlibbed, mut gzipped) = (as_zlib(&sample()), as_gzip(&sample()));
        *zlibbed.last_mut().unwrap() ^= 1;
        assert_eq!(zlib(&zlibbed, MAX), Err(DecodeError::Damaged));
        // The last four bytes are the length, the four before them the CRC.
        for from_end in [1, 5] {
            let at = gzipped.len() - from_end;
            gzipped[at] ^= 1;
            assert_eq!(gzip(&gzipped, MAX), Err(DecodeError::Damaged));
            gzipped[at] ^= 1;
        }
    }

    #[test]
    fn what_follows_is_refused() {
        let (zlibbed, gzipped) = (as_zlib(&sample()), as_gzip(&sample()));
        for tail in [&[0][..], &zlibbed, &gzipped] {
            assert_eq!(zlib(&[&zlibbed, tail].concat(), MAX), Err(DecodeError::TrailingData));
            assert_eq!(gzip(&[&gzipped, tail].concat(), MAX), Err(DecodeError::TrailingData));
        }
    }

    #[test]
    fn the_limit_is_exact() {
        let sample = sample();
        let refused = Err(DecodeError::TooLarge { max_bytes: sample.len() - 1 });
        assert_eq!(zlib(&as_zlib(&sample), sample.len()), Ok(sample.clone()));
        assert_eq!(zlib(&as_zlib(&sample), sample.len() - 1), refused);
        assert_eq!(gzip(&as_gzip(&sample), sample.len()), Ok(sample.clone()));
        assert_eq!(gzip(&as_gzip(&sample), sample.len() - 1), refused);
        assert_eq!(zlib(&as_zlib(&[]), 0), Ok(Vec::new()));
        assert_eq!(gzip(&as_gzip(&[1]), 0), Err(DecodeError::TooLarge { max_bytes: 0 }));
    }

    #[test]
    fn a_bomb_is_refused() {
        let zeros = vec![0; 64 << 20];
        assert_eq!(zlib(&as_zlib(&zeros), MAX), Err(DecodeError::TooLarge { max_bytes: MAX }));
        assert_eq!(gzip(&as_gzip(&zeros), MAX), Err(DecodeError::TooLarge { max_bytes: MAX }));
    }
}
