//! Whether a store can be used, for `doctor`: found out without leaving anything behind.

use std::path::{Path, PathBuf};

use super::error::{StoreError, unavailable};
use super::{Db, Store, migrations, on};

/// How the tables of a store stand to this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tables {
    /// They are those of this version.
    UpToDate,
    /// So many changes will be made to them at the next start; all of them where there are none yet.
    Behind(usize),
    /// They were made by a newer version.
    Newer,
}

impl Store {
    /// How its tables stand to this version.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn tables(&self) -> Result<Tables, StoreError> {
        const APPLIED: &str = "SELECT version FROM _sqlx_migrations ORDER BY version";
        let failed = unavailable("tables");
        let (known, any) = match &self.db {
            Db::Lite(pool) => {
                let sql = "SELECT COUNT(*) FROM sqlite_master WHERE name = '_sqlx_migrations'";
                (migrations::sqlite(), sqlx::query_scalar::<_, i64>(sql).fetch_one(pool).await)
            }
            Db::Pg(pool) => {
                let sql = "SELECT COUNT(to_regclass('_sqlx_migrations'))";
                (migrations::postgres(), sqlx::query_scalar::<_, i64>(sql).fetch_one(pool).await)
            }
        };
        let applied: Vec<i64> = match any.map_err(&failed)? {
            0 => Vec::new(),
            _ => on!(self, pool => sqlx::query_scalar(APPLIED).fetch_all(pool).await).map_err(&failed)?,
        };
        let known: Vec<i64> = known.iter().map(|m| m.version).collect();
        if applied.iter().any(|version| !known.contains(version)) {
            return Ok(Tables::Newer);
        }
        Ok(match known.iter().filter(|version| !applied.contains(version)).count() {
            0 => Tables::UpToDate,
            n => Tables::Behind(n),
        })
    }

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
