//! The migrations that stand in `migrations/`, embedded: `0001_start.sql` is version 1, called `start`.
//!
//! Read at run time and not by sqlx's macro: for its sake both drivers would be compiled twice.

use std::borrow::Cow;

use rust_embed::RustEmbed;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, SqlSafeStr as _};

#[derive(RustEmbed)]
#[folder = "src/store/migrations/sqlite"]
#[include = "*.sql"]
struct Sqlite;

#[derive(RustEmbed)]
#[folder = "src/store/migrations/postgres"]
#[include = "*.sql"]
struct Postgres;

/// SQLite's.
pub(super) fn sqlite() -> Migrator {
    migrator::<Sqlite>()
}

/// PostgreSQL's.
pub(super) fn postgres() -> Migrator {
    migrator::<Postgres>()
}

fn migrator<F: RustEmbed>() -> Migrator {
    Migrator::with_migrations(F::iter().filter_map(|name| migration::<F>(&name)).collect())
}

/// A file that is no migration is left out; a test rules it out.
fn migration<F: RustEmbed>(name: &str) -> Option<Migration> {
    let (version, description) = name.strip_suffix(".sql")?.split_once('_')?;
    let text = String::from_utf8(F::get(name)?.data.into_owned()).ok()?;
    let description = Cow::Owned(description.replace('_', " "));
    // Ours, embedded: the checksum over it is stored and compared at every start.
    let sql = AssertSqlSafe(text).into_sql_str();
    Some(Migration::new(version.parse().ok()?, description, MigrationType::Simple, sql, false))
}

#[cfg(test)]
mod tests {
    use tantei_engine::model::feed::hex;

    use super::*;

    #[test]
    fn every_file_is_a_migration_and_they_are_numbered_without_a_hole() {
        for (migrator, files) in [(sqlite(), Sqlite::iter().count()), (postgres(), Postgres::iter().count())]
        {
            let versions: Vec<i64> = migrator.iter().map(|m| m.version).collect();
            assert_eq!(versions, (1..=i64::try_from(files).unwrap()).collect::<Vec<_>>());
        }
    }

    /// What databases that exist have stored, as sqlx's macro had computed it: another checksum would lock them out.
    #[test]
    fn databases_that_exist_go_on_working() {
        let first = |migrator: Migrator| {
            let migration = migrator.iter().next().unwrap().clone();
            (migration.description.into_owned(), hex(migration.checksum.as_ref()))
        };
        let known = [
            (
                first(sqlite()),
                "bfddc2ebddd3829a9859d24952a55ed34f0505c256adab7f9b764d24b52f3e8da91fd541a6dc19ab2a288c5cfcbfde87",
            ),
            (
                first(postgres()),
                "2069b4ae69ad59d0a7846dfe6a352f27287d34a302efc9edf6aa35d82bd906f9295754a9e96efb240ed06103bdf235c7",
            ),
        ];
        for ((description, checksum), expected) in known {
            assert_eq!((description.as_str(), checksum.as_str()), ("start", expected));
        }
    }
}
