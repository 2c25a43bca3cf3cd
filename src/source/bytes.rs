//! From stored bytes to UTF-8 text: gzip by its magic bytes, byte order marks, other encodings.

use std::io::{self, BufRead, Read};
use std::ops::Range;

use encoding_rs::{DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};
use flate2::bufread::MultiGzDecoder;

use super::error::InputFault;
use super::warning::WarningFault;

/// How much one read asks for. A pipe holds as much on Linux, so a read from a full pipe is not
/// short, and only an idle producer makes us hand out what there is.
pub(super) const BLOCK: usize = 64 * 1024;

/// How many bytes decide what kind of file this is.
const HEAD: usize = 16;

/// An input as text, before anything is known about its format.
pub(super) struct Bytes {
    layer: Layer,
    /// What was read to recognise the file, and stands before what is still to be read.
    head: Vec<u8>,
    head_at: usize,
    transcoder: Option<Transcoder>,
    block: Vec<u8>,
}

enum Layer {
    Plain(StoredBytes),
    Gzip(Box<MultiGzDecoder<StoredBytes>>),
}

impl Bytes {
    /// Looks at the first bytes: unpacks gzip, drops a byte order mark, and picks the encoding.
    /// A mark is believed before the option, which may be meant for another file of the run.
    pub(super) fn open(
        reader: Box<dyn Read + Send>,
        live: bool,
        encoding: Option<&'static Encoding>,
    ) -> Result<Self, InputFault> {
        let mut stored = StoredBytes::new(reader, live);
        let gzip = stored.starts_with(&[0x1F, 0x8B]).map_err(InputFault::Read)?;
        let layer =
            if gzip { Layer::Gzip(Box::new(MultiGzDecoder::new(stored))) } else { Layer::Plain(stored) };
        let mut bytes = Self { layer, head: Vec::new(), head_at: 0, transcoder: None, block: vec![0; BLOCK] };
        bytes.read_head()?;
        refuse_other_kinds(&bytes.head, encoding)?;
        bytes.choose_encoding(encoding);
        Ok(bytes)
    }

    fn read_head(&mut self) -> Result<(), InputFault> {
        let mut block = [0; HEAD];
        while self.head.len() < HEAD && !self.has_enough_head() {
            let n = self.layer.read(&mut block[..HEAD - self.head.len()])?;
            if n == 0 {
                break;
            }
            self.head.extend_from_slice(&block[..n]);
        }
        if self.head.is_empty() { Err(InputFault::Empty) } else { Ok(()) }
    }

    /// Whether the bytes so far cannot be the start of anything but text: an interactive
    /// producer must not have to send [`HEAD`] bytes before it is heard.
    fn has_enough_head(&self) -> bool {
        let is_text = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~');
        self.head.len() >= 4
            && self.head.iter().all(is_text)
            && !OTHER_KINDS.iter().any(|(magic, ..)| magic.starts_with(&self.head))
    }

    fn choose_encoding(&mut self, named: Option<&'static Encoding>) {
        let (encoding, mark) = match Encoding::for_bom(&self.head) {
            Some((encoding, mark)) => (encoding, mark),
            None => (named.unwrap_or(UTF_8), 0),
        };
        self.head_at = mark;
        if encoding != UTF_8 {
            self.transcoder = Some(Transcoder::new(encoding, mark == 0));
        }
    }

    /// What is doubtful about the encoding, once all of the input was read.
    pub(super) fn take_doubt(&mut self) -> Option<WarningFault> {
        let transcoder = self.transcoder.as_mut().filter(|transcoder| transcoder.finished)?;
        let encoding = transcoder.decoder.encoding().name();
        transcoder.utf8.take_first_line().map(|line| WarningFault::IsUtf8 { line, encoding })
    }

    /// Appends up to a block of text to `out`. `Ok(0)` is the end.
    pub(super) fn read_onto(&mut self, out: &mut Vec<u8>) -> Result<usize, InputFault> {
        let mut block = std::mem::take(&mut self.block);
        let read = self.read(&mut block);
        out.extend_from_slice(&block[..*read.as_ref().unwrap_or(&0)]);
        self.block = block;
        read
    }

    fn read(&mut self, out: &mut [u8]) -> Result<usize, InputFault> {
        let Some(mut transcoder) = self.transcoder.take() else { return self.read_raw(out) };
        let read = transcoder.read(|raw| self.read_raw(raw), out);
        self.transcoder = Some(transcoder);
        read
    }

    fn read_raw(&mut self, out: &mut [u8]) -> Result<usize, InputFault> {
        let head = &self.head[self.head_at..];
        if head.is_empty() {
            return self.layer.read(out);
        }
        let n = head.len().min(out.len());
        out[..n].copy_from_slice(&head[..n]);
        self.head_at += n;
        Ok(n)
    }

    /// Whether the next read may have to wait for a producer that has nothing to say at present.
    pub(super) fn may_wait(&self) -> bool {
        let idle = self.layer.stored().is_idle();
        idle && self.head_at == self.head.len() && self.transcoder.as_ref().is_none_or(Transcoder::is_drained)
    }

    /// How many bytes were read from where they are stored: before unpacking and decoding.
    pub(super) fn stored_bytes(&self) -> u64 {
        self.layer.stored().count
    }
}

impl Layer {
    fn stored(&self) -> &StoredBytes {
        match self {
            Self::Plain(stored) => stored,
            Self::Gzip(gzip) => gzip.get_ref(),
        }
    }

    fn read(&mut self, out: &mut [u8]) -> Result<usize, InputFault> {
        match self {
            Self::Plain(stored) => stored.read(out).map_err(InputFault::Read),
            Self::Gzip(gzip) => gzip.read(out).map_err(|error| gzip_fault(error, gzip.get_ref())),
        }
    }
}

fn gzip_fault(error: io::Error, stored: &StoredBytes) -> InputFault {
    if stored.failed {
        InputFault::Read(error)
    } else if error.kind() == io::ErrorKind::UnexpectedEof {
        InputFault::GzipEndsEarly
    } else {
        InputFault::GzipDamaged(error.to_string())
    }
}

/// The bytes as they are stored, counted.
struct StoredBytes {
    reader: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    /// What of the buffer is filled and not taken yet.
    rest: Range<usize>,
    /// Whether bytes may arrive later than we ask for them: a pipe, not a file.
    live: bool,
    /// Whether the last read brought less than was asked for.
    short: bool,
    /// Whether an error came from here, and not from what was read.
    failed: bool,
    count: u64,
}

impl StoredBytes {
    fn new(reader: Box<dyn Read + Send>, live: bool) -> Self {
        Self { reader, buffer: vec![0; BLOCK], rest: 0..0, live, short: false, failed: false, count: 0 }
    }

    fn is_idle(&self) -> bool {
        self.live && self.short && self.rest.is_empty()
    }

    /// Looks at the first bytes, before any are taken.
    fn starts_with(&mut self, magic: &[u8]) -> io::Result<bool> {
        while self.rest.len() < magic.len() && magic.starts_with(&self.buffer[..self.rest.end]) {
            let mut block = std::mem::take(&mut self.buffer);
            let read = self.read_stored(&mut block[self.rest.end..]);
            self.buffer = block;
            match read? {
                0 => break,
                n => self.rest.end += n,
            }
        }
        Ok(self.buffer[..self.rest.end].starts_with(magic))
    }

    fn read_stored(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.reader.read(out) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failed = true;
                    return Err(error);
                }
                Ok(n) => {
                    self.count += n as u64;
                    self.short = n < out.len();
                    return Ok(n);
                }
            }
        }
    }
}

impl Read for StoredBytes {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.rest.is_empty() && out.len() >= BLOCK {
            return self.read_stored(out);
        }
        let n = self.fill_buf()?.read(out)?;
        self.consume(n);
        Ok(n)
    }
}

impl BufRead for StoredBytes {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.rest.is_empty() {
            let mut block = std::mem::take(&mut self.buffer);
            let read = self.read_stored(&mut block);
            self.buffer = block;
            self.rest = 0..read?;
        }
        Ok(&self.buffer[self.rest.clone()])
    }

    fn consume(&mut self, n: usize) {
        self.rest.start += n;
    }
}

/// Text in another encoding, turned into UTF-8 as it is read. Nothing is replaced: a byte that
/// the encoding does not know is an error.
struct Transcoder {
    decoder: encoding_rs::Decoder,
    raw: Vec<u8>,
    /// What of `raw` is filled and not decoded yet.
    rest: Range<usize>,
    raw_ended: bool,
    finished: bool,
    malformed: bool,
    line: u64,
    after_cr: bool,
    /// Whether the text was UTF-8 all the time.
    utf8: Utf8Watch,
}

impl Transcoder {
    /// `named` says that the encoding was named by the user, who may be wrong, and not by the file's own mark.
    fn new(encoding: &'static Encoding, named: bool) -> Self {
        Self {
            decoder: encoding.new_decoder_without_bom_handling(),
            raw: vec![0; BLOCK],
            rest: 0..0,
            raw_ended: false,
            finished: false,
            malformed: false,
            line: 1,
            after_cr: false,
            utf8: Utf8Watch { is_valid: named, ..Utf8Watch::default() },
        }
    }

    fn is_drained(&self) -> bool {
        self.rest.is_empty()
    }

    fn read(
        &mut self,
        mut more: impl FnMut(&mut [u8]) -> Result<usize, InputFault>,
        out: &mut [u8],
    ) -> Result<usize, InputFault> {
        while !self.finished && !self.malformed {
            if self.is_drained() && !self.raw_ended {
                self.refill(&mut more)?;
            }
            let written = self.decode(out);
            if written > 0 {
                return Ok(written);
            }
        }
        if self.malformed {
            let encoding = self.decoder.encoding().name();
            return Err(InputFault::NotInEncoding { line: self.line, encoding });
        }
        Ok(0)
    }

    fn refill(
        &mut self,
        more: &mut impl FnMut(&mut [u8]) -> Result<usize, InputFault>,
    ) -> Result<(), InputFault> {
        self.rest = 0..more(&mut self.raw)?;
        self.raw_ended = self.rest.is_empty();
        self.utf8.pass(&self.raw[self.rest.clone()]);
        Ok(())
    }

    fn decode(&mut self, out: &mut [u8]) -> usize {
        let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(
            &self.raw[self.rest.clone()],
            out,
            self.raw_ended,
        );
        self.rest.start += read;
        self.count_lines(&out[..written]);
        match result {
            DecoderResult::InputEmpty => self.finished = self.raw_ended,
            DecoderResult::Malformed(..) => self.malformed = true,
            DecoderResult::OutputFull => {}
        }
        written
    }

    fn count_lines(&mut self, text: &[u8]) {
        for at in memchr::memchr2_iter(b'\n', b'\r', text) {
            let after_cr = if at == 0 { self.after_cr } else { text[at - 1] == b'\r' };
            self.line += u64::from(text[at] == b'\r' || !after_cr);
        }
        self.after_cr = text.last().map_or(self.after_cr, |last| *last == b'\r');
    }
}

/// Watches whether bytes that are read as another encoding are UTF-8, with characters beyond ASCII: text in another
/// encoding hardly ever is by chance. It costs a look at each byte, and memory for one character.
#[derive(Debug, Default)]
struct Utf8Watch {
    is_valid: bool,
    /// The start of a character whose end is still to come.
    rest: Vec<u8>,
    line: u64,
    /// The line of the first character beyond ASCII, from 1.
    first_line: Option<u64>,
}

impl Utf8Watch {
    fn pass(&mut self, bytes: &[u8]) {
        if !self.is_valid {
            return;
        }
        if self.first_line.is_none() {
            let plain = bytes.iter().position(|byte| !byte.is_ascii());
            let passed = &bytes[..plain.unwrap_or(bytes.len())];
            self.line += memchr::memchr_iter(b'\n', passed).count() as u64;
            self.first_line = plain.map(|_| self.line + 1);
        }
        // The last block ended within a character; few do, and of those a copy is affordable.
        let begun = std::mem::take(&mut self.rest);
        let joined;
        let text = match begun.is_empty() {
            true => bytes,
            false => {
                joined = [&begun[..], bytes].concat();
                &joined
            }
        };
        if let Err(error) = std::str::from_utf8(text) {
            self.is_valid = error.error_len().is_none();
            self.rest = text[error.valid_up_to()..].iter().copied().take(4).collect();
        }
    }

    /// The line of the first character beyond ASCII, where everything was UTF-8. Given once.
    fn take_first_line(&mut self) -> Option<u64> {
        self.first_line.take().filter(|_| self.is_valid && self.rest.is_empty())
    }
}

/// Files that people hand over by mistake, by their first bytes.
const OTHER_KINDS: [(&[u8], &str, &str); 11] = [
    (b"PK\x03\x04", "a ZIP or .xlsx file", "save the sheet as CSV UTF-8"),
    (b"PK\x05\x06", "an empty ZIP file", "save the sheet as CSV UTF-8"),
    (b"\xD0\xCF\x11\xE0", "an old .xls workbook", "save the sheet as CSV UTF-8"),
    (b"%PDF-", "a PDF file", "export the data as CSV, NDJSON or JSON"),
    (b"{\\rtf", "an RTF document", "save it as CSV UTF-8"),
    (b"SQLite format 3\0", "an SQLite database", "export the data as CSV, NDJSON or JSON"),
    (b"PAR1", "a Parquet file", "export the data as CSV, NDJSON or JSON"),
    (b"\x28\xB5\x2F\xFD", "compressed with zstd", "decompress it first, or use gzip"),
    (b"\xFD7zXZ\0", "compressed with xz", "decompress it first, or use gzip"),
    (b"BZh9", "compressed with bzip2", "decompress it first, or use gzip"),
    (b"\x1F\x8B", "compressed twice with gzip", "decompress it once"),
];

fn refuse_other_kinds(head: &[u8], encoding: Option<&'static Encoding>) -> Result<(), InputFault> {
    if head.starts_with(b"\xFF\xFE\0\0") || head.starts_with(b"\0\0\xFE\xFF") {
        return Err(InputFault::OtherKind { kind: "UTF-32", advice: "save it as UTF-8" });
    }
    // Text has no NUL, and a device or a sparse file has nothing else.
    if head.iter().take(4).all(|byte| *byte == 0) {
        return Err(InputFault::OtherKind {
            kind: "binary data",
            advice: "export it as CSV, NDJSON or JSON",
        });
    }
    if let Some((_, kind, advice)) = OTHER_KINDS.iter().find(|(magic, ..)| head.starts_with(magic)) {
        return Err(InputFault::OtherKind { kind, advice });
    }
    if encoding.is_none_or(|encoding| encoding != UTF_16LE && encoding != UTF_16BE) {
        refuse_unmarked_utf16(head)?;
    }
    Ok(())
}

fn refuse_unmarked_utf16(head: &[u8]) -> Result<(), InputFault> {
    match head {
        [a, 0, b, 0, ..] if *a != 0 && *b != 0 => Err(InputFault::Utf16WithoutBom("utf-16le")),
        [0, a, 0, b, ..] if *a != 0 && *b != 0 => Err(InputFault::Utf16WithoutBom("utf-16be")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(stored: &'static [u8], encoding: Option<&'static Encoding>) -> Result<Vec<u8>, InputFault> {
        let mut bytes = Bytes::open(Box::new(stored), false, encoding)?;
        let mut text = Vec::new();
        while bytes.read_onto(&mut text)? > 0 {}
        assert_eq!(bytes.stored_bytes(), stored.len() as u64);
        Ok(text)
    }

    #[test]
    fn a_mark_is_believed_before_the_option() {
        let latin1 = Some(encoding_rs::WINDOWS_1252);
        for (stored, encoding, text) in [
            (&b"\xEF\xBB\xBF\xC3\xA9"[..], latin1, "é"),
            (b"\xFF\xFE\xE9\0", latin1, "é"),
            (b"\xFE\xFF\0\xE9", None, "é"),
            (b"\xE9", latin1, "é"),
            (b"\xE9\0", Some(UTF_16LE), "é"),
            (b"\xC3\xA9", Some(UTF_8), "é"),
        ] {
            assert_eq!(read(stored, encoding).unwrap(), text.as_bytes(), "{stored:?}");
        }
    }

    /// UTF-8 is not checked here: in NDJSON a bad byte is one line's fault.
    #[test]
    fn utf8_is_passed_on_as_it_is() {
        assert_eq!(read(b"a\xFFb", None).unwrap(), b"a\xFFb");
    }

    /// UTF-8 that is said to be something else is doubted, wherever its characters lie in the blocks that are read.
    #[test]
    fn an_encoding_that_is_not_needed_is_noticed() {
        let latin1 = Some(encoding_rs::WINDOWS_1252);
        for (stored, encoding, line) in [
            ("a\nb\nMüller\nüüü".as_bytes(), latin1, Some(3)),
            ("ü日😀".as_bytes(), latin1, Some(1)),
            (b"plain\n", latin1, None),
            (b"M\xFCller", latin1, None),
            (b"M\xC3\xBCller \xFC", latin1, None),
            (b"M\xC3", latin1, None),
            ("\u{FEFF}ü".as_bytes(), latin1, None),
            ("ü".as_bytes(), Some(UTF_8), None),
            (b"\xFF\xFE\xFC\0", latin1, None),
        ] {
            for step in 1..=stored.len() {
                let pieces = Pieces { rest: stored, step };
                let mut bytes = Bytes::open(Box::new(pieces), false, encoding).unwrap();
                let mut text = Vec::new();
                while bytes.read_onto(&mut text).unwrap() > 0 {
                    assert!(bytes.take_doubt().is_none(), "the end may say otherwise");
                }
                let found = bytes.take_doubt().map(|doubt| match doubt {
                    WarningFault::IsUtf8 { line, .. } => line,
                    other => panic!("{other}"),
                });
                assert_eq!(found, line, "{stored:?} in steps of {step}");
                assert!(bytes.take_doubt().is_none(), "said once");
            }
        }
    }

    /// Gives a few bytes at a time.
    struct Pieces {
        rest: &'static [u8],
        step: usize,
    }

    impl Read for Pieces {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let n = self.step.min(out.len()).min(self.rest.len());
            let (now, later) = self.rest.split_at(n);
            out[..n].copy_from_slice(now);
            self.rest = later;
            Ok(n)
        }
    }

    #[test]
    fn what_an_encoding_does_not_know_is_never_replaced() {
        for (stored, encoding, message) in [
            (&b"a\r\nb\rc\n\xFF"[..], encoding_rs::SHIFT_JIS, "line 4: not Shift_JIS"),
            (b"a\0\n\0\0\xDC", UTF_16LE, "line 2: not UTF-16LE"),
            (b"a\0b", UTF_16LE, "line 1: not UTF-16LE"),
        ] {
            let fault = read(stored, Some(encoding)).unwrap_err().to_string();
            assert!(fault.starts_with(message), "{fault}");
        }
    }
}
