//! The entries of a Token Status List, packed.

use super::StatusType;

/// How many bits an entry has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Width {
    /// Valid or revoked.
    One = 1,
    /// Suspended as well.
    Two = 2,
    /// For lists of others.
    Four = 4,
    /// For lists of others.
    Eight = 8,
}

impl Width {
    /// The width of this many bits, if the standard has it (Token Status List section 4.1).
    pub fn of_bits(bits: u64) -> Option<Width> {
        match bits {
            1 => Some(Width::One),
            2 => Some(Width::Two),
            4 => Some(Width::Four),
            8 => Some(Width::Eight),
            _ => None,
        }
    }

    /// The bits of an entry: 1, 2, 4 or 8.
    pub fn bits(self) -> u8 {
        self as u8
    }

    /// The greatest value of an entry.
    fn max_value(self) -> u8 {
        u8::MAX >> (8 - self.bits())
    }

    fn entries_per_byte(self) -> u64 {
        8 / u64::from(self.bits())
    }
}

/// Why an entry cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// The list ends before it.
    #[error("index {index} is outside a status list of {entries} entries")]
    OutOfRange {
        /// The index.
        index: u64,
        /// How many entries there are.
        entries: u64,
    },
    /// The value needs more bits than an entry has.
    #[error("status value {value} does not fit into {bits} bits")]
    TooWide {
        /// The value.
        value: u8,
        /// The bits of an entry.
        bits: u8,
    },
}

/// The entries of a status list, each of 1, 2, 4 or 8 bits; the first one of a byte has its lowest
/// bits (Token Status List section 4.1).
///
/// Indices are 64 bits wide, so that one from a stranger's credential is never cut to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusArray {
    bytes: Vec<u8>,
    width: Width,
}

impl StatusArray {
    /// A list in which every entry is valid. Where `entries` do not fill the last byte, there are a
    /// few more.
    pub fn new(entries: u32, width: Width) -> StatusArray {
        let bytes = u64::from(entries).div_ceil(width.entries_per_byte());
        StatusArray { bytes: vec![0; bytes as usize], width }
    }

    /// The list that these bytes are.
    pub fn from_bytes(bytes: Vec<u8>, width: Width) -> StatusArray {
        StatusArray { bytes, width }
    }

    /// The entries as bytes, before compression.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many bits an entry has.
    pub fn width(&self) -> Width {
        self.width
    }

    /// How many entries there are.
    pub fn entries(&self) -> u64 {
        self.bytes.len() as u64 * self.width.entries_per_byte()
    }

    /// Writes what the list says of one credential.
    ///
    /// # Errors
    /// Where the index is outside the list, or the status is "suspended" and entries have one bit.
    pub fn set(&mut self, index: u64, status: StatusType) -> Result<(), EntryError> {
        let (value, bits) = (status.value(), self.width.bits());
        if value > self.width.max_value() {
            return Err(EntryError::TooWide { value, bits });
        }
        let out_of_range = EntryError::OutOfRange { index, entries: self.entries() };
        let (at, shift) = self.place(index).ok_or(out_of_range)?;
        let kept = self.bytes[at] & !(self.width.max_value() << shift);
        self.bytes[at] = kept | value << shift;
        Ok(())
    }

    /// The value of an entry, for [`StatusType::of_value`]; `None` outside the list.
    pub fn get(&self, index: u64) -> Option<u8> {
        let (at, shift) = self.place(index)?;
        Some(self.bytes[at] >> shift & self.width.max_value())
    }

    /// The byte that holds an entry, and how far up in it the entry begins.
    fn place(&self, index: u64) -> Option<(usize, u32)> {
        let per_byte = self.width.entries_per_byte();
        let at = usize::try_from(index / per_byte).ok().filter(|&at| at < self.bytes.len())?;
        Some((at, (index % per_byte) as u32 * u32::from(self.width.bits())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_1993_is_bit_1_of_byte_249() {
        let mut array = StatusArray::new(131_072, Width::One);
        array.set(1993, StatusType::Invalid).unwrap();
        assert_eq!(array.as_bytes()[249], 0x02);
        assert_eq!(array.as_bytes().iter().filter(|&&byte| byte != 0).count(), 1);
    }

    #[test]
    fn a_status_replaces_the_one_before_and_leaves_its_neighbours() {
        let mut array = StatusArray::from_bytes(vec![0b1110_0111], Width::Two);
        assert_eq!([0, 1, 2, 3].map(|index| array.get(index)), [Some(3), Some(1), Some(2), Some(3)]);
        array.set(1, StatusType::Suspended).unwrap();
        assert_eq!(array.as_bytes(), [0b1110_1011]);
        array.set(1, StatusType::Valid).unwrap();
        assert_eq!(array.as_bytes(), [0b1110_0011]);
    }

    #[test]
    fn the_list_ends_where_it_ends() {
        for (width, entries) in [(Width::One, 8), (Width::Two, 4), (Width::Four, 2), (Width::Eight, 1)] {
            let mut array = StatusArray::new(1, width);
            assert_eq!(array.entries(), entries);
            assert_eq!(array.set(entries - 1, StatusType::Invalid), Ok(()));
            assert_eq!(array.get(entries - 1), Some(1));
            // 2^64 - 1, and indices whose lower 32 bits are inside: none of them may wrap round.
            for index in [entries, u64::MAX, 1 << 32, 1 << 35] {
                assert_eq!(array.get(index), None);
                let refused = EntryError::OutOfRange { index, entries };
                assert_eq!(array.set(index, StatusType::Valid), Err(refused));
            }
        }
        assert_eq!(StatusArray::new(0, Width::One).get(0), None);
    }

    #[test]
    fn one_bit_cannot_say_suspended() {
        let mut array = StatusArray::new(8, Width::One);
        let refused = EntryError::TooWide { value: 2, bits: 1 };
        assert_eq!(array.set(0, StatusType::Suspended), Err(refused));
        assert_eq!(array.as_bytes(), [0]);
    }

    #[test]
    fn other_values_have_no_meaning() {
        for status in [StatusType::Valid, StatusType::Invalid, StatusType::Suspended] {
            assert_eq!(StatusType::of_value(status.value()), Some(status));
        }
        assert!((3..=u8::MAX).all(|value| StatusType::of_value(value).is_none()));
    }
}
