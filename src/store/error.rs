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
    /// The request makes no sense.
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
            _ => StoreErrorKind::Unavailable,
        };
        StoreError::new(operation, kind, error.to_string())
    }
}
