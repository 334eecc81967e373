//! From facts to text: sentences, the terminal's layout, the Markdown report. Values in, `String` out.
//!
//! Prints nothing and decides nothing. Everything from outside passes [`escape`]; nothing else writes it.

pub mod escape;
pub mod facts;
pub mod layout;
pub mod markdown;
pub mod sparkline;
pub mod svg;
pub mod terminal;

#[cfg(test)]
mod tests;

pub use facts::{Surface, Voice};
