//! Access tokens: who may do what. Only their hashes are stored.

use tantei_engine::model::time::Timestamp;

use crate::access::{Role, Token};

use super::error::{StoreError, unavailable};
use super::{Store, on};

type TokenRow = (String, String, i64, Option<i64>);

impl Store {
    /// Stores a token by its hash.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn add_token(&self, hash: &str, token: &Token) -> Result<(), StoreError> {
        const ADD: &str =
            "INSERT INTO token (hash, name, role, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)";
        on!(self, pool => sqlx::query(ADD)
            .bind(hash)
            .bind(&token.name)
            .bind(token.role.name())
            .bind(token.created_at.micros())
            .bind(token.expires_at.map(Timestamp::micros))
            .execute(pool)
            .await
            .map(drop))
        .map_err(unavailable("add token"))
    }

    /// The token with this hash, when it works now.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn token(&self, hash: &str) -> Result<Option<Token>, StoreError> {
        const READ: &str = "SELECT name, role, created_at, expires_at FROM token WHERE hash = $1 \
             AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)";
        let now = self.now().await?.micros();
        let row: Option<TokenRow> =
            on!(self, pool => sqlx::query_as(READ).bind(hash).bind(now).fetch_optional(pool).await)
                .map_err(unavailable("read token"))?;
        Ok(row.and_then(token))
    }

    /// All tokens that were not revoked.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        const READ: &str = "SELECT name, role, created_at, expires_at FROM token WHERE revoked_at IS NULL \
             ORDER BY created_at, name";
        let rows: Vec<TokenRow> = on!(self, pool => sqlx::query_as(READ).fetch_all(pool).await)
            .map_err(unavailable("list tokens"))?;
        Ok(rows.into_iter().filter_map(token).collect())
    }

    /// Revokes all tokens of a name; how many.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn revoke_tokens(&self, name: &str) -> Result<u64, StoreError> {
        const REVOKE: &str = "UPDATE token SET revoked_at = $2 WHERE name = $1 AND revoked_at IS NULL";
        let now = self.now().await?.micros();
        on!(self, pool => sqlx::query(REVOKE).bind(name).bind(now).execute(pool).await.map(|r| r.rows_affected()))
            .map_err(unavailable("revoke tokens"))
    }
}

/// A row with a role that this version does not know allows nothing.
fn token((name, role, created_at, expires_at): TokenRow) -> Option<Token> {
    let role = Role::named(&role)?;
    let created_at = Timestamp::from_micros(created_at);
    Some(Token { name, role, created_at, expires_at: expires_at.map(Timestamp::from_micros) })
}
