//! This machine and its database.

use super::{Check, Collected, Status, Topic, now};
use crate::config::Config;
use crate::store::Store;
use crate::store::check::{self, Tables};

/// Free room below which a store will soon be full: a storm of ten thousand alarms takes a tenth of it.
const ROOM_BYTES_MIN: u64 = 1 << 30;

/// How far clocks may be apart. AWS refuses signatures beyond five minutes; leases and windows suffer before.
pub(super) const SKEW_S_MAX: i64 = 60;

/// Whether the store can be reached, written and relied on.
pub(super) async fn store(config: &Config, found: &mut Collected<'_>) {
    let url = &config.store.url;
    let file = check::file(url);
    if let Some(file) = &file {
        found.add(match check::room(file) {
            Some(free) => {
                let enough = free >= ROOM_BYTES_MIN;
                let (status, says) = if enough {
                    (Status::Ok, "doctor-room-fine")
                } else {
                    (Status::Problem, "doctor-room-small")
                };
                Check::new(Topic::Store, "disk", status, says).with("mb", (free >> 20).to_string())
            }
            None => Check::new(Topic::Store, "disk", Status::Warning, "doctor-room-unknown"),
        });
    }
    // A store that is not there yet is tried beside its place: `doctor` makes nothing.
    let absent = file.as_ref().filter(|f| !f.exists());
    let beside = absent.map(|f| {
        let folder = f.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(std::path::Path::new("."));
        tempfile::Builder::new().prefix(".tantei-doctor-").tempdir_in(folder)
    });
    let tried = match &beside {
        None => url.clone(),
        Some(Ok(folder)) => format!("sqlite:{}", folder.path().join("tantei.db").display()),
        Some(Err(e)) => {
            let check = Check::new(Topic::Store, "connect", Status::Problem, "doctor-store-failed");
            found.add(check.with("what", e.to_string()));
            return;
        }
    };
    let store = match Store::connect(&tried).await {
        Ok(store) => store,
        Err(e) => {
            let check = Check::new(Topic::Store, "connect", Status::Problem, "doctor-store-failed");
            found.add(check.with("what", e.to_string()));
            return;
        }
    };
    let tables = store.tables().await;
    found.add(match tables {
        _ if absent.is_some() => Check::new(Topic::Store, "connect", Status::Ok, "doctor-store-new"),
        Ok(Tables::UpToDate) => Check::new(Topic::Store, "connect", Status::Ok, "doctor-store-fine"),
        Ok(Tables::Behind(n)) => Check::new(Topic::Store, "connect", Status::Ok, "doctor-store-behind")
            .with("count", n.to_string()),
        Ok(Tables::Newer) => Check::new(Topic::Store, "connect", Status::Problem, "doctor-store-newer"),
        Err(e) => Check::new(Topic::Store, "connect", Status::Problem, "doctor-store-failed")
            .with("what", e.to_string()),
    });
    found.add(match store.try_write().await {
        Ok(()) => Check::new(Topic::Store, "write", Status::Ok, "doctor-write-fine"),
        Err(e) => Check::new(Topic::Store, "write", Status::Problem, "doctor-write-failed")
            .with("what", e.to_string()),
    });
    if let Ok(theirs) = store.now().await {
        found.add(skew("database", now().secs_since(theirs)));
    }
    store.close().await;
}

/// How far this machine's clock is from another.
pub(super) fn skew(whose: &str, seconds: i64) -> Check {
    let (status, says) = if seconds.abs() <= SKEW_S_MAX {
        (Status::Ok, "doctor-clock-fine")
    } else {
        (Status::Problem, "doctor-clock-off")
    };
    Check::new(Topic::Clock, whose, status, says).with("seconds", seconds.to_string())
}
