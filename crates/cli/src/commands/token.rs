//! The flags that say who may use a server, which `studio` and `serve` share.

use clap::Args;
use faussaire::{Error, Result};
use faussaire_studio::{Access, TOKEN_VARIABLE};

/// Who may use a server.
#[derive(Args, Debug)]
pub struct Token {
    /// Token that requests need, 16 characters or more; $FAUSSAIRE_TOKEN hides it from other users
    /// of this machine [default: a random one]
    #[arg(long, value_name = "TEXT", help_heading = "Network")]
    pub token: Option<String>,
    /// Answer requests without a token; only on an address of this machine alone
    #[arg(long, conflicts_with = "token", help_heading = "Network")]
    pub no_token: bool,
}

impl Token {
    /// What the flags and the environment say.
    ///
    /// # Errors
    /// A variable that is not text.
    pub fn access(&self) -> Result<Access> {
        match (&self.token, std::env::var_os(TOKEN_VARIABLE)) {
            (Some(token), _) => Ok(Access::Token(token.clone())),
            (None, _) if self.no_token => Ok(Access::Open),
            (None, Some(token)) => token.into_string().map(Access::Token).map_err(|_| {
                Error::usage(format!("${TOKEN_VARIABLE} is not text"), "make a token: `openssl rand -hex 16`")
            }),
            (None, None) => Ok(Access::Drawn),
        }
    }
}
