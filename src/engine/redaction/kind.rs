//! The kinds of values that are redacted. Which texts are of a kind is decided elsewhere.

use serde::Serialize;

/// Why a value is nobody else's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Who knows it may do something.
    Secret,
    /// It belongs to a person.
    Personal,
}

/// A kind of value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    name: &'static str,
    class: Class,
}

impl Kind {
    /// A secret.
    pub(super) const fn secret(name: &'static str) -> Self {
        Self { name, class: Class::Secret }
    }

    /// Something personal.
    pub(super) const fn personal(name: &'static str) -> Self {
        Self { name, class: Class::Personal }
    }

    /// As it stands in a pseudonym: lower-case letters, digits and hyphens.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.name
    }

    /// Secret or personal.
    #[must_use]
    pub fn class(self) -> Class {
        self.class
    }
}

impl Serialize for Kind {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.name)
    }
}

pub(super) const PASSWORD: Kind = Kind::secret("password");
pub(super) const SECRET: Kind = Kind::secret("secret");
pub(super) const TOKEN: Kind = Kind::secret("token");
pub(super) const API_KEY: Kind = Kind::secret("api-key");
pub(super) const SESSION: Kind = Kind::secret("session");
pub(super) const SIGNATURE: Kind = Kind::secret("signature");
pub(super) const CREDENTIALS: Kind = Kind::secret("credentials");
pub(super) const PRIVATE_KEY: Kind = Kind::secret("private-key");
pub(super) const JWT: Kind = Kind::secret("jwt");
pub(super) const WEBHOOK: Kind = Kind::secret("webhook");
pub(super) const AWS_SECRET_KEY: Kind = Kind::secret("aws-secret-key");
pub(super) const AZURE_SECRET: Kind = Kind::secret("azure-secret");
pub(super) const TELEGRAM: Kind = Kind::secret("telegram-token");
pub(super) const TERRAFORM: Kind = Kind::secret("terraform-token");

pub(super) const EMAIL: Kind = Kind::personal("email");
pub(super) const CARD: Kind = Kind::personal("card");
pub(super) const IBAN: Kind = Kind::personal("iban");
pub(super) const IP: Kind = Kind::personal("ip");
pub(super) const MAC: Kind = Kind::personal("mac");
pub(super) const PHONE: Kind = Kind::personal("phone");
pub(super) const SSN: Kind = Kind::personal("us-ssn");
pub(super) const MY_NUMBER: Kind = Kind::personal("my-number");
pub(super) const LICENCE: Kind = Kind::personal("driver-licence");
pub(super) const PASSPORT: Kind = Kind::personal("passport");
pub(super) const RESIDENCE: Kind = Kind::personal("residence-card");
pub(super) const BANK_ACCOUNT: Kind = Kind::personal("bank-account");
pub(super) const ADDRESS: Kind = Kind::personal("address");
