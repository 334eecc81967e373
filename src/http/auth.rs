//! Who asks: a bearer token, looked up by its hash, with the role that the address needs.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use tantei_engine::model::feed::Principal;

use super::problem::Problem;
use super::rates::{Client, Rates};
use crate::access::{self, Role, Token};
use crate::service::Service;

/// Somebody with a token that works.
#[derive(Debug)]
pub(super) struct Caller {
    token: Token,
    hash: String,
}

impl Caller {
    /// The person, as a feed names them.
    pub(super) fn principal(&self) -> Principal {
        Principal::Person { name: self.token.name.clone(), surface: "api".to_owned() }
    }

    /// Their name.
    pub(super) fn name(&self) -> &str {
        &self.token.name
    }

    /// What their token is known by: whoever is answered for long is looked up again.
    pub(super) fn into_hash(self) -> String {
        self.hash
    }

    /// Refuses a role below this one.
    pub(super) fn must_be(&self, role: Role) -> Result<(), Problem> {
        if self.token.role >= role {
            return Ok(());
        }
        let (needed, has) = (role.name(), self.token.role.name());
        Err(Problem::forbidden(format!("this needs a token of role `{needed}`; yours is `{has}`")))
    }
}

impl FromRequestParts<Service> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, Problem> {
        let header = parts.headers.get(AUTHORIZATION).and_then(|h| h.to_str().ok());
        let token = header.and_then(|h| h.strip_prefix("Bearer ")).ok_or_else(|| {
            Problem::unauthorized("send `Authorization: Bearer TOKEN`; `tantei token` makes one")
        })?;
        let hash = access::hash(token.trim());
        let (rates, Client(address)) = (parts.extensions.get::<Arc<Rates>>(), Client::of(parts));
        if let Some(rates) = rates {
            rates.may_try(address, &hash)?;
        }
        let Some(token) = service.token(&hash).await? else {
            if let Some(rates) = rates {
                rates.wrong(address)?;
            }
            return Err(Problem::unauthorized("the token is unknown, expired or revoked"));
        };
        if let Some(rates) = rates {
            rates.worked(&hash);
        }
        Ok(Self { token, hash })
    }
}
