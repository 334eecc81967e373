//! The one binary. Everything it does is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    tantei::cli::main()
}
