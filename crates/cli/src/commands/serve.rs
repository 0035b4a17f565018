//! `faussaire serve RUN`: generated images over HTTP.

use clap::Args;
use std::path::PathBuf;

use faussaire::Result;
use faussaire_studio::serve;
use faussaire_studio::server::Stop;

use crate::numbers::{for_library, whole};
use crate::print::{note, tell};
use crate::report::count;

/// `faussaire serve`
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Serve {
    /// Run folder
    pub run: PathBuf,
    /// Checkpoint [default: best if there is one, else latest]
    #[arg(long, value_name = "NAME")]
    pub checkpoint: Option<String>,
    /// CPU threads [default: all]
    #[arg(long, value_name = "N", value_parser = for_library::<usize>(1, 1024))]
    pub threads: Option<usize>,

    /// Port [default: 7412, or any free one]
    #[arg(long, value_name = "N", value_parser = whole::<u16>(0, 65_535), help_heading = NETWORK)]
    pub port: Option<u16>,
    /// Address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1", help_heading = NETWORK)]
    pub host: std::net::IpAddr,
    #[command(flatten)]
    pub token: super::token::Token,
    /// Maximum number of waiting requests; further ones get status 429
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = whole::<u16>(1, 65_535), help_heading = NETWORK)]
    pub queue: u16,
    /// Maximum number of images per request
    #[arg(long, alias = "most", value_name = "N", default_value_t = 1024, value_parser = whole::<u16>(1, 65_535), help_heading = NETWORK)]
    pub max_images: u16,
}

const NETWORK: &str = "Network";

const EXAMPLES: &str = "\
Examples:
  faussaire serve runs/0001-mnist-tp --no-token
  curl http://127.0.0.1:7412/generate -H 'content-type: application/json' \\
    -d '{\"n\": 16}' > images.png

  export FAUSSAIRE_TOKEN=$(openssl rand -hex 16)
  faussaire serve runs/0001-mnist-tp --host 0.0.0.0
  curl -H \"authorization: Bearer $FAUSSAIRE_TOKEN\" ...";

pub fn run(options: &Serve) -> Result<()> {
    super::limit_threads(options.threads)?;
    let asked = serve::Options {
        run: options.run.clone(),
        checkpoint: options.checkpoint.clone(),
        host: options.host,
        port: options.port,
        access: options.token.access()?,
        queue: options.queue.into(),
        max_images: options.max_images.into(),
    };
    serve::run(asked, &Stop::default(), |ready| {
        tell!("{}", ready.address);
        match &ready.token {
            Some(token) => note!("authorization: Bearer {token}"),
            None => note!("no token is needed: every user of this machine can generate images"),
        }
        let (run, step) = (options.run.display(), count(ready.step));
        note!("serving {run} (images of {}, step {step}); API: GET /openapi.json; Ctrl-C to stop", ready.shape);
    })
}
