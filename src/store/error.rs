//! What the store cannot do, in one type: callers branch on the kind, people read the sentence.

/// Which kind of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreErrorKind {
    /// The database cannot be reached, is full, or did not answer in time: try again later.
    Unavailable,
    /// Somebody else appended first: read what is new and try again.
    Conflict,
    /// The lease was lost: another node works on it, and nothing more may be written.
    Fenced,
    /// There is no such thing.
    NotFound,
    /// What is stored cannot be read: it was damaged, or written by a newer version.
    Damaged,
    /// The request makes no sense, or the database does not take what is in it: trying again does not help.
    Invalid,
}

/// A failure of the store.
#[derive(Debug, Clone, thiserror::Error)]
#[error("store {operation}: {message}")]
pub struct StoreError {
    /// At what.
    pub operation: &'static str,
    /// Which kind.
    pub kind: StoreErrorKind,
    /// What happened and what to do. Never holds the URL: it may hold a password.
    pub message: String,
}

impl StoreError {
    pub(super) fn new(operation: &'static str, kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self { operation, kind, message: message.into() }
    }

    pub(super) fn invalid(operation: &'static str, message: String) -> Self {
        Self::new(operation, StoreErrorKind::Invalid, message)
    }

    pub(super) fn damaged(operation: &'static str, what: &str, error: &serde_json::Error) -> Self {
        let message = format!("{what} cannot be read ({error}); restore it from a backup or export");
        Self::new(operation, StoreErrorKind::Damaged, message)
    }

    pub(super) fn migration(error: &sqlx::migrate::MigrateError) -> Self {
        let message = format!(
            "its tables cannot be brought up to date ({error}); was it made by a newer version of Tantei?"
        );
        Self::new("open", StoreErrorKind::Invalid, message)
    }
}

/// Whether what the database says is about what was to be written, so that trying again does not help: PostgreSQL's classes
/// 22 (data), 23 (constraints) and 54 (limits of the program), SQLite's TOOBIG, CONSTRAINT and MISMATCH.
fn is_about_content(code: &str) -> bool {
    if code.len() == 5 {
        return ["22", "23", "54"].iter().any(|class| code.starts_with(class));
    }
    // The lowest byte of SQLite's extended codes is the code itself.
    code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 18..=20))
}

/// Maps an error of the database.
#[allow(clippy::wildcard_enum_match_arm, reason = "whatever else a database says: it cannot be used now")]
pub(super) fn unavailable(operation: &'static str) -> impl Fn(sqlx::Error) -> StoreError {
    move |error| {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "all other failures mean that it cannot be used for now"
        )]
        let kind = match &error {
            sqlx::Error::RowNotFound => StoreErrorKind::NotFound,
            sqlx::Error::Configuration(_) => StoreErrorKind::Invalid,
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => StoreErrorKind::Damaged,
            sqlx::Error::Database(said) if said.code().is_some_and(|c| is_about_content(&c)) => {
                StoreErrorKind::Invalid
            }
            _ => StoreErrorKind::Unavailable,
        };
        StoreError::new(operation, kind, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::is_about_content;

    #[test]
    fn what_is_about_the_content_is_told_from_what_is_about_the_database() {
        for code in ["22021", "23505", "54000", "18", "19", "1811", "2067", "20"] {
            assert!(is_about_content(code), "{code}");
        }
        // Serialisation, connection, disk full, shutdown; busy, full, I/O error, read-only.
        for code in ["40001", "08006", "53100", "57P01", "5", "13", "10", "8", "522"] {
            assert!(!is_about_content(code), "{code}");
        }
    }
}
