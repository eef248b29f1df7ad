//! Reading and writing of files of every kind.

use std::fs::{self, File, FileType, OpenOptions, TryLockError};
use std::io::{self, Error, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// Limit of a file, so that a device without an end is not read into memory.
const MAX_LENGTH: u64 = 64 << 20;
/// Limit of symbolic links in a path, as in Linux.
const MAX_LINKS: usize = 40;

/// Reads a text file, or the standard input for `-`. The error names another encoding.
pub(crate) fn read_text(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    let mut read = |file: &mut dyn Read| file.take(MAX_LENGTH + 1).read_to_end(&mut bytes);
    if path == Path::new("-") {
        read(&mut io::stdin())?
    } else {
        read(&mut File::open(path)?)?
    };
    let invalid = |why: &str| Err(Error::new(ErrorKind::InvalidData, why.to_owned()));
    match bytes.as_slice() {
        bytes if bytes.len() as u64 > MAX_LENGTH => invalid("the file is larger than 64 MiB"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [_, 0, ..] | [0, _, ..] => {
            invalid("the file is in UTF-16; save it in UTF-8")
        }
        [0xef, 0xbb, 0xbf, ..] => invalid("the file begins with a byte order mark; save it in UTF-8 without one"),
        _ => String::from_utf8(bytes).or_else(|_| invalid("the file is not in UTF-8")),
    }
}

/// Reads a regular text file, or returns `None` if the file is missing or empty.
///
/// The caller replaces the file later, so other kinds of files are refused.
pub(crate) fn read_replaceable(path: &Path) -> io::Result<Option<String>> {
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
        Ok(found) if !found.is_file() || standard_stream(&found).is_some() => {
            let kind = if found.is_file() { "a standard stream" } else { kind(found.file_type()) };
            let why = format!("{kind} cannot be replaced; use a regular file");
            Err(Error::new(ErrorKind::InvalidInput, why))
        }
        Ok(_) => Ok(Some(read_text(path)?).filter(|text| !text.trim().is_empty())),
    }
}

/// Writes a file.
///
/// A regular file is replaced atomically: a reader sees the old text or the new text. Links stay. A
/// pipe or a character device, such as `/dev/stdout`, receives the text. The new text survives a
/// crash of the machine.
pub(crate) fn write(path: &Path, text: &str) -> io::Result<()> {
    write_file(path, text, true)
}

/// Writes a file like [`write`], without waiting until the text is on the disk.
///
/// After a crash of the machine, the file may have the old text.
pub(crate) fn write_unsynced(path: &Path, text: &str) -> io::Result<()> {
    write_file(path, text, false)
}

fn write_file(path: &Path, text: &str, sync: bool) -> io::Result<()> {
    let found = match fs::metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return replace(&target(path)?, text, None, sync),
        Err(error) => return Err(error),
    };
    if let Some(mut stream) = standard_stream(&found) {
        return stream.write_all(text.as_bytes());
    }
    if found.is_file() {
        return replace(&fs::canonicalize(path)?, text, Some(found.permissions()), sync);
    }
    if !is_stream(found.file_type()) {
        let why = format!("{} cannot be written", kind(found.file_type()));
        return Err(Error::new(ErrorKind::InvalidInput, why));
    }
    OpenOptions::new().write(true).open(path)?.write_all(text.as_bytes())
}

/// Returns the path of the file to create: a symbolic link may name a missing file.
fn target(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::read_link(&path) {
            Ok(next) => path = path.parent().unwrap_or(Path::new("")).join(next),
            Err(_) => return Ok(path),
        }
    }
    Err(Error::new(ErrorKind::InvalidInput, "too many symbolic links"))
}

fn replace(path: &Path, text: &str, permissions: Option<fs::Permissions>, sync: bool) -> io::Result<()> {
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
    let mut draft = tempfile::Builder::new();
    draft.prefix(".ssm-org-");
    // The umask applies, as for every new file.
    #[cfg(unix)]
    draft.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut draft = draft.tempfile_in(directory.unwrap_or(Path::new(".")))?;
    if let Some(permissions) = permissions {
        draft.as_file().set_permissions(permissions)?;
    }
    draft.write_all(text.as_bytes())?;
    if sync {
        draft.as_file().sync_all()?;
    }
    draft.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Returns the standard stream with this file, if there is one.
///
/// A redirected stream may be a regular file, but replacing that file would lose later output.
#[cfg(unix)]
fn standard_stream(found: &fs::Metadata) -> Option<File> {
    use std::os::fd::AsFd;

    let streams = [io::stdout().as_fd().try_clone_to_owned(), io::stderr().as_fd().try_clone_to_owned()];
    let files = streams.into_iter().flatten().map(File::from);
    files.into_iter().find(|file| file.metadata().is_ok_and(|stream| is_same(&stream, found)))
}

#[cfg(not(unix))]
fn standard_stream(_: &fs::Metadata) -> Option<File> {
    None
}

#[cfg(unix)]
fn is_same(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;

    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn is_same(_: &fs::Metadata, _: &fs::Metadata) -> bool {
    true
}

/// Returns whether a file of this type receives text in order, without a position.
#[cfg(unix)]
fn is_stream(of: FileType) -> bool {
    use std::os::unix::fs::FileTypeExt;

    of.is_fifo() || of.is_char_device()
}

#[cfg(not(unix))]
fn is_stream(_: FileType) -> bool {
    false
}

/// Returns a noun phrase for messages.
fn kind(of: FileType) -> &'static str {
    if of.is_dir() {
        "a directory"
    } else if is_stream(of) {
        "a pipe or a device"
    } else {
        "this kind of file"
    }
}

/// Exclusive use of a file by one process, by a lock file beside it.
///
/// The file itself cannot be locked, because each write replaces the file.
#[derive(Debug)]
pub(crate) struct FileLock {
    path: PathBuf,
    _file: File,
}

impl FileLock {
    /// Locks the file, or fails if another process has the lock.
    pub(crate) fn acquire(path: &Path) -> io::Result<Self> {
        let target = fs::canonicalize(path).or_else(|_| target(path))?;
        let mut name = std::ffi::OsString::from(".");
        name.push(target.file_name().ok_or(ErrorKind::InvalidInput)?);
        name.push(".lock");
        let path = target.with_file_name(name);
        loop {
            let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(Error::new(ErrorKind::WouldBlock, "another process uses the file"));
                }
                Err(TryLockError::Error(error)) => return Err(error),
            }
            // The previous owner may have removed the lock file before this process locked it.
            let is_current = fs::metadata(&path).and_then(|now| Ok(is_same(&file.metadata()?, &now)));
            if is_current.unwrap_or(false) {
                return Ok(Self { path, _file: file });
            }
        }
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // A lock file that remains has no effect.
        let _ = fs::remove_file(&self.path);
    }
}
