//! Status lists: compressed, in a token, and in a credential.

use base64_simd::URL_SAFE_NO_PAD;
use beltic::keys::SigningKey;
use beltic::status_list::{DecodeError, bitstring as bits, token_list as list};
use beltic::token::sign_compact;
use beltic::verify::{KeyRing, Lists, Policy};
use flate2::{Crc, Decompress, FlushDecompress, Status};

use crate::world::{ISSUER, KEY, KID, now};

/// The most bytes of a list when decompressed.
const MAX_BYTES: usize = 64 * 1024;

/// A Token Status List: a byte for the width of its entries, then zlib; or raw deflate, which gets the frame that
/// belongs to it.
pub fn token_list(data: &[u8]) {
    let Some((width, data)) = data.split_first() else { return };
    let width = 1 << (width % 5);
    let framed = |plain: &[u8]| [&[0x78, 0xDA], data, &adler32(plain).to_be_bytes()].concat();
    for (stream, plain) in streams(data, framed) {
        let decoded = list::decode(width, &URL_SAFE_NO_PAD.encode_to_string(&stream), MAX_BYTES);
        if let Some(plain) = plain
            && width < 16
        {
            check_against(&decoded.as_ref().map(|array| array.as_bytes()), &plain);
        }
        let Ok(array) = decoded else { continue };
        for index in [0, 1, array.entries().wrapping_sub(1), array.entries(), u64::MAX] {
            assert_eq!(array.get(index).is_some(), index < array.entries());
        }
        assert_eq!(list::decode(width, &list::encode(&array), MAX_BYTES), Ok(array), "written anew");
    }
}

/// A Bitstring Status List: gzip; or raw deflate, which gets the frame that belongs to it.
pub fn bitstring(data: &[u8]) {
    let framed = |plain: &[u8]| {
        let mut crc = Crc::new();
        crc.update(plain);
        let frame = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255];
        [&frame[..], data, &crc.sum().to_le_bytes(), &(plain.len() as u32).to_le_bytes()].concat()
    };
    for (stream, plain) in streams(data, framed) {
        let decoded = bits::decode(&format!("u{}", URL_SAFE_NO_PAD.encode_to_string(&stream)), MAX_BYTES);
        match (plain, &decoded) {
            (Some(plain), Err(DecodeError::TooShort { entries })) => {
                assert_eq!(*entries, plain.len() as u64 * 8);
                assert!(*entries < bits::MIN_ENTRIES);
            }
            (Some(plain), _) => check_against(&decoded.as_ref().map(|list| list.as_bytes()), &plain),
            (None, _) => {}
        }
        let Ok(list) = decoded else { continue };
        assert!(list.entries() >= bits::MIN_ENTRIES);
        assert_eq!(list.get(list.entries()), None);
        assert_eq!(bits::decode(&bits::encode(&list), MAX_BYTES), Ok(list), "written anew");
    }
}

/// A signed list: a byte for its type, then its payload, which is signed here.
pub fn list_token(data: &[u8]) {
    let Some((kind, data)) = data.split_first() else { return };
    let Ok(payload) = std::str::from_utf8(data) else { return };
    let header = if kind % 2 == 0 { list::header(KID, None) } else { bits::header(KID) };
    let mut signer = KEY.signer().expect("the key signs");
    let token = sign_compact(&mut *signer, &header, payload).expect("the key signs");
    let mut ring = KeyRing::default();
    ring.add_named(KID, KEY.public(), ISSUER).expect("a name of the issuer's");
    let policy = Policy::at(now());
    let mut lists = Lists::default();
    let added = lists.add(&token, &ring, &policy);
    assert_eq!(added.is_ok(), lists.usable() > 0);
    let (head, tail) = token.split_at(token.len() / 2);
    let other = if tail.starts_with('A') { 'B' } else { 'A' };
    let changed = format!("{head}{other}{}", &tail[1..]);
    assert!(lists.add(&changed, &ring, &policy).is_err(), "a list that was changed is not relied on");
}

/// The input as it is, and, where it is raw deflate, in its frame beside what it holds.
fn streams(data: &[u8], framed: impl Fn(&[u8]) -> Vec<u8>) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
    let mut streams = vec![(data.to_vec(), None)];
    if let Some(plain) = inflate(data) {
        streams.push((framed(&plain), Some(plain)));
    }
    streams
}

/// What raw deflate holds, up to a little more than the limit; none where it is damaged, or something follows it.
fn inflate(data: &[u8]) -> Option<Vec<u8>> {
    let mut inflater = Decompress::new(false);
    let mut plain = Vec::with_capacity(MAX_BYTES + 1024);
    let ended = inflater.decompress_vec(data, &mut plain, FlushDecompress::Finish).ok()?;
    (ended == Status::StreamEnd && inflater.total_in() == data.len() as u64).then_some(plain)
}

fn check_against(decoded: &Result<&[u8], &DecodeError>, plain: &[u8]) {
    match decoded {
        Ok(bytes) => assert_eq!(*bytes, plain, "the same bytes by another way"),
        Err(error) => assert_eq!(**error, DecodeError::TooLarge { max_bytes: MAX_BYTES }),
    }
}

/// The checksum of zlib (RFC 1950 section 8.2).
fn adler32(bytes: &[u8]) -> u32 {
    let (low, high) = bytes.iter().fold((1, 0), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % 65_521;
        (low, (high + low) % 65_521)
    });
    high << 16 | low
}
