//! Where a JSON value ends.

/// The deepest nesting of one item.
pub(super) const MAX_DEPTH: usize = 1024;

/// Finds the end of one JSON value, in as many pieces as it comes. It looks at strings and
/// brackets only; what else is wrong with the value is for the parser to say.
#[derive(Debug)]
pub(super) struct Splitter {
    /// A number or a word: it ends where something else begins.
    is_scalar: bool,
    in_string: bool,
    escaped: bool,
    depth: usize,
    /// One bit for each open bracket: whether it is `[`.
    arrays: [u64; MAX_DEPTH / 64],
}

/// What makes the end of a value uncertain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    TooDeep,
    Mismatched,
}

impl Default for Splitter {
    fn default() -> Self {
        Self { is_scalar: false, in_string: false, escaped: false, depth: 0, arrays: [0; MAX_DEPTH / 64] }
    }
}

impl Splitter {
    /// For a value that begins with this byte; `None` where no value begins with it.
    pub(super) fn new(first: u8) -> Option<Self> {
        match first {
            b'{' | b'[' | b'"' => Some(Self::default()),
            b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                Some(Self { is_scalar: true, ..Self::default() })
            }
            _ => None,
        }
    }

    /// The length of the value that `text` begins with, if all of it is there.
    pub(super) fn whole(text: &[u8]) -> Option<usize> {
        Self::new(*text.first()?)?.scan(text).ok()?
    }

    pub(super) fn is_in_string(&self) -> bool {
        self.in_string
    }

    /// Goes on through the next piece of the text, which starts with the value's first byte the
    /// first time. Returns how much of it belongs to the value, if the value ends there.
    pub(super) fn scan(&mut self, bytes: &[u8]) -> Result<Option<usize>, (usize, Broken)> {
        if self.is_scalar {
            return Ok(bytes.iter().position(|byte| is_white(*byte) || matches!(byte, b',' | b']' | b'}')));
        }
        let mut at = 0;
        while at < bytes.len() {
            if self.in_string {
                let Some(after) = self.scan_string(bytes, at) else { return Ok(None) };
                at = after;
                if self.in_string || self.depth > 0 {
                    continue;
                }
                return Ok(Some(at));
            }
            let Some(length) = bytes[at..].iter().position(|byte| IS_STRUCTURAL[usize::from(*byte)]) else {
                return Ok(None);
            };
            at += length;
            match bytes[at] {
                b'"' => self.in_string = true,
                b'{' => self.open(false).map_err(|broken| (at, broken))?,
                b'[' => self.open(true).map_err(|broken| (at, broken))?,
                close => self.close(close == b']').map_err(|broken| (at, broken))?,
            }
            at += 1;
            if self.depth == 0 && !self.in_string {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    /// Goes to the end of the string, or past an escape in it; `None`: the piece ends first.
    fn scan_string(&mut self, bytes: &[u8], mut at: usize) -> Option<usize> {
        if std::mem::take(&mut self.escaped) {
            at += 1;
        }
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[at] == b'"' {
            self.in_string = false;
        } else {
            self.escaped = true;
        }
        Some(at + 1)
    }

    fn open(&mut self, is_array: bool) -> Result<(), Broken> {
        if self.depth == MAX_DEPTH {
            return Err(Broken::TooDeep);
        }
        let bit = 1 << (self.depth % 64);
        let word = &mut self.arrays[self.depth / 64];
        *word = if is_array { *word | bit } else { *word & !bit };
        self.depth += 1;
        Ok(())
    }

    fn close(&mut self, is_array: bool) -> Result<(), Broken> {
        let Some(depth) = self.depth.checked_sub(1) else { return Err(Broken::Mismatched) };
        if (self.arrays[depth / 64] >> (depth % 64) & 1 == 1) != is_array {
            return Err(Broken::Mismatched);
        }
        self.depth = depth;
        Ok(())
    }
}

/// The bytes outside strings that decide where a value ends.
static IS_STRUCTURAL: [bool; 256] = {
    let mut table = [false; 256];
    table[b'"' as usize] = true;
    table[b'{' as usize] = true;
    table[b'}' as usize] = true;
    table[b'[' as usize] = true;
    table[b']' as usize] = true;
    table
};

/// Whether a byte is white space between tokens (RFC 8259 section 2).
pub(super) fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}
