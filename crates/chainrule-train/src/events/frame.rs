//! The framing of records (TensorFlow's TFRecord): length, check of the length, content, check of the content.

use std::io::{self, Read, Write};

/// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78) of `bytes`.
///
/// ```
/// assert_eq!(chainrule_train::events::frame::crc32c(b"123456789"), 0xE306_9283);
/// ```
pub fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32, &byte: &u8| TABLE[usize::from(crc as u8 ^ byte)] ^ (crc >> 8);
    !bytes.iter().fold(!0, step)
}

const TABLE: [u32; 256] = table();

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut remainder = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            let lowest_set = remainder & 1 == 1;
            remainder >>= 1;
            if lowest_set {
                remainder ^= 0x82F6_3B78;
            }
            bit += 1;
        }
        table[byte] = remainder;
        byte += 1;
    }
    table
}

/// The check as it is stored: a file that holds checks of its own content would otherwise look checked by accident.
pub fn masked_crc32c(bytes: &[u8]) -> u32 {
    crc32c(bytes).rotate_right(15).wrapping_add(0xA282_EAD8)
}

/// Writes one record.
///
/// # Errors
/// When writing fails.
pub fn write_record(mut to: impl Write, content: &[u8]) -> io::Result<()> {
    let length = (content.len() as u64).to_le_bytes();
    let mut record = Vec::with_capacity(content.len() + 16);
    record.extend_from_slice(&length);
    record.extend_from_slice(&masked_crc32c(&length).to_le_bytes());
    record.extend_from_slice(content);
    record.extend_from_slice(&masked_crc32c(content).to_le_bytes());
    // In one call, so that a reader that follows the file seldom sees half a record.
    to.write_all(&record)
}

/// Why a record cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// Reading failed.
    #[error("event file: reading failed: {0}")]
    Read(#[from] io::Error),
    /// The file ends inside a record: it is still being written, or its program was stopped.
    #[error("event file: it ends inside record {record}, at byte {offset}")]
    CutOff {
        /// Counted from 0.
        record: usize,
        /// Where the record begins.
        offset: u64,
    },
    /// A check does not fit.
    #[error(
        "event file: record {record}, at byte {offset}: the check of its {part} is {stored:#010x}, not {computed:#010x}"
    )]
    Check {
        /// Counted from 0.
        record: usize,
        /// Where the record begins.
        offset: u64,
        /// `length` or `content`.
        part: &'static str,
        /// The check in the file.
        stored: u32,
        /// The check of what is in the file.
        computed: u32,
    },
}

/// The contents of all records of a file; after an error there is nothing more.
pub struct Records<R> {
    from: R,
    record: usize,
    offset: u64,
    done: bool,
}

impl<R: Read> Records<R> {
    /// Reads records from the beginning of a file.
    pub fn new(from: R) -> Records<R> {
        Records {
            from,
            record: 0,
            offset: 0,
            done: false,
        }
    }

    fn read(&mut self) -> Result<Option<Vec<u8>>, FrameError> {
        let length = self.bytes(8)?;
        if length.is_empty() {
            return Ok(None);
        }
        let length: [u8; 8] = length.try_into().map_err(|_| self.cut_off())?;
        self.check(&length, "length")?;
        let length = u64::from_le_bytes(length);
        let content = self.bytes(length)?;
        if content.len() as u64 != length {
            return Err(self.cut_off());
        }
        self.check(&content, "content")?;
        self.record += 1;
        self.offset += length + 16;
        Ok(Some(content))
    }

    /// At most `count` bytes: fewer at the end of the file, however large a damaged length says the record is.
    fn bytes(&mut self, count: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.from.by_ref().take(count).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn check(&mut self, content: &[u8], part: &'static str) -> Result<(), FrameError> {
        let stored: [u8; 4] = self.bytes(4)?.try_into().map_err(|_| self.cut_off())?;
        let (stored, computed) = (u32::from_le_bytes(stored), masked_crc32c(content));
        if stored == computed {
            return Ok(());
        }
        Err(FrameError::Check {
            record: self.record,
            offset: self.offset,
            part,
            stored,
            computed,
        })
    }

    fn cut_off(&self) -> FrameError {
        FrameError::CutOff {
            record: self.record,
            offset: self.offset,
        }
    }
}

impl<R: Read> Iterator for Records<R> {
    type Item = Result<Vec<u8>, FrameError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let next = self.read().transpose();
        self.done = !matches!(next, Some(Ok(_)));
        next
    }
}
