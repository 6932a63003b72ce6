//! A file as a stream of bytes that knows its place, unpacked if it is compressed.

use crate::data::{DataError, Place};
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

/// The most bytes that one byte of a deflate stream can stand for.
const MOST_FROM_ONE_BYTE: u64 = 1032;
/// What is read at a time, so that memory grows with the bytes that are really there.
const STEP: usize = 1 << 20;

/// The bytes of a file, with the offset of the next one.
pub(crate) struct Source<'a> {
    path: PathBuf,
    reader: Box<dyn Read + 'a>,
    offset: u64,
    /// No more bytes than this can be in the file.
    most: u64,
    /// The entry that this is, when the file is an archive.
    entry: Option<String>,
}

impl<'a> Source<'a> {
    /// Opens a file; one that begins as gzip files do is unpacked.
    pub(crate) fn open(path: &Path) -> Result<Source<'static>, DataError> {
        let error = |source| DataError::io(path, source);
        let mut file = File::open(path).map_err(error)?;
        let size = file.metadata().map_err(error)?.len();
        let mut start = Vec::new();
        file.by_ref()
            .take(2)
            .read_to_end(&mut start)
            .map_err(error)?;
        let packed = is_gzip(&start);
        let whole = BufReader::with_capacity(1 << 16, Cursor::new(start).chain(file));
        Ok(Source::of(path, whole, size, packed))
    }

    /// The bytes of a file that is in memory already.
    pub(crate) fn of_bytes(path: &Path, bytes: &'a [u8]) -> Source<'a> {
        Source::of(path, bytes, bytes.len() as u64, is_gzip(bytes))
    }

    fn of(path: &Path, reader: impl io::BufRead + 'a, size: u64, packed: bool) -> Source<'a> {
        let (reader, most): (Box<dyn Read + 'a>, u64) = match packed {
            true => (
                Box::new(MultiGzDecoder::new(reader)),
                size.saturating_mul(MOST_FROM_ONE_BYTE),
            ),
            false => (Box::new(reader), size),
        };
        Source {
            path: path.to_owned(),
            reader,
            offset: 0,
            most,
            entry: None,
        }
    }

    /// An entry of an archive, which takes `packed` bytes there.
    pub(crate) fn of_entry(
        path: &Path,
        entry: String,
        reader: impl Read + 'a,
        packed: u64,
    ) -> Source<'a> {
        Source {
            path: path.to_owned(),
            reader: Box::new(reader),
            offset: 0,
            most: packed.saturating_mul(MOST_FROM_ONE_BYTE),
            entry: Some(entry),
        }
    }

    /// The place of a byte.
    pub(crate) fn place(&self, offset: u64) -> Place {
        match &self.entry {
            Some(entry) => Place::EntryByte(entry.clone(), offset),
            None => Place::Byte(offset),
        }
    }

    /// The file's name.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// An error at the next byte.
    pub(crate) fn damaged(&self, problem: impl Into<String>) -> DataError {
        self.damaged_at(self.offset, problem)
    }

    /// An error at some byte.
    pub(crate) fn damaged_at(&self, offset: u64, problem: impl Into<String>) -> DataError {
        DataError::damaged(&self.path, self.place(offset), problem)
    }

    /// The next `count` bytes, which are `what`.
    ///
    /// A count that the rest of the file cannot hold is refused before memory is taken.
    pub(crate) fn take(&mut self, count: u64, what: &str) -> Result<Vec<u8>, DataError> {
        let left = self.most.saturating_sub(self.offset);
        if count > left {
            let problem = format!("{what} would take {count} bytes, at most {left} are left");
            return Err(self.damaged(problem));
        }
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < count {
            let step = (count - bytes.len() as u64).min(STEP as u64);
            let before = bytes.len();
            let read = (&mut self.reader).take(step).read_to_end(&mut bytes);
            self.offset += (bytes.len() - before) as u64;
            read.map_err(|error| self.unreadable(error))?;
            if bytes.len() == before {
                let problem = format!(
                    "the file ends inside {what}: {count} bytes were expected, {} are there",
                    bytes.len()
                );
                return Err(self.damaged(problem));
            }
        }
        Ok(bytes)
    }

    /// The next bytes up to the end of the file, but no more than `most`.
    pub(crate) fn rest(&mut self, most: u64) -> Result<Vec<u8>, DataError> {
        let mut bytes = Vec::new();
        let read = (&mut self.reader)
            .take(most.saturating_add(1))
            .read_to_end(&mut bytes);
        self.offset += bytes.len() as u64;
        read.map_err(|error| self.unreadable(error))?;
        if bytes.len() as u64 > most {
            let problem =
                format!("there are more than {most} bytes, which is more than this reader takes");
            return Err(self.damaged(problem));
        }
        Ok(bytes)
    }

    /// The next `most` bytes, fewer at the end of the file.
    pub(crate) fn up_to(&mut self, most: u64) -> Result<Vec<u8>, DataError> {
        let mut bytes = Vec::new();
        let read = (&mut self.reader).take(most).read_to_end(&mut bytes);
        self.offset += bytes.len() as u64;
        read.map_err(|error| self.unreadable(error))?;
        Ok(bytes)
    }

    /// The next four bytes as a number, the highest byte first.
    pub(crate) fn big_endian_u32(&mut self, what: &str) -> Result<u32, DataError> {
        let bytes = self.take(4, what)?;
        Ok(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    /// Checks that nothing follows.
    pub(crate) fn end(&mut self) -> Result<(), DataError> {
        let mut byte = [0];
        match self.reader.read(&mut byte) {
            Ok(0) => Ok(()),
            Ok(_) => Err(self.damaged("the content ends here, but more bytes follow")),
            Err(error) => Err(self.unreadable(error)),
        }
    }

    /// What reading said: damage for a stream that cannot be unpacked, else the system's error.
    fn unreadable(&self, error: io::Error) -> DataError {
        match error.kind() {
            io::ErrorKind::InvalidInput
            | io::ErrorKind::InvalidData
            | io::ErrorKind::UnexpectedEof
            | io::ErrorKind::Other => {
                self.damaged(format!("it cannot be unpacked further: {error}"))
            }
            _ => DataError::io(&self.path, error),
        }
    }
}

fn is_gzip(start: &[u8]) -> bool {
    start.starts_with(&[0x1f, 0x8b])
}

impl Read for Source<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(bytes)?;
        self.offset += count as u64;
        Ok(count)
    }
}
