//! Whether a store can be used, for `doctor`: found out without leaving anything behind.

use std::path::{Path, PathBuf};

use super::error::{StoreError, unavailable};
use super::{Db, Store};

impl Store {
    /// Writes something and takes it back.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn try_write(&self) -> Result<(), StoreError> {
        // Both databases undo even this.
        const WRITE: &str = "CREATE TABLE tantei_doctor (probe BIGINT)";
        match &self.db {
            Db::Lite(pool) => {
                let mut tx = pool.begin_with("BEGIN IMMEDIATE").await.map_err(unavailable("write"))?;
                let written = sqlx::query(WRITE).execute(&mut *tx).await;
                drop(tx.rollback().await);
                written.map(drop)
            }
            Db::Pg(pool) => {
                let mut tx = pool.begin().await.map_err(unavailable("write"))?;
                let written = sqlx::query(WRITE).execute(&mut *tx).await;
                drop(tx.rollback().await);
                written.map(drop)
            }
        }
        .map_err(unavailable("write"))
    }
}

/// The file of a SQLite store; `None` for one in memory and for PostgreSQL.
#[must_use]
pub fn file(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("sqlite:")?;
    let path = path.strip_prefix("//").unwrap_or(path).split('?').next().unwrap_or_default();
    (!path.is_empty() && path != ":memory:").then(|| PathBuf::from(path))
}

/// Bytes that are free where a file is, or will be.
#[must_use]
pub fn room(file: &Path) -> Option<u64> {
    let folder = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let stat = rustix::fs::statvfs(folder).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_stores_are_found() {
        let found = |url| file(url).map(|p| p.display().to_string());
        assert_eq!(found("sqlite:tantei.db").as_deref(), Some("tantei.db"));
        assert_eq!(found("sqlite:///var/x.db?mode=ro").as_deref(), Some("/var/x.db"));
        assert_eq!(found("sqlite::memory:"), None);
        assert_eq!(found("postgres://a/b"), None);
    }
}
