//! `faussaire serve RUN`: images over HTTP.

use std::io::Write;

use faussaire::Result;
use faussaire_studio::serve;
use faussaire_studio::server::Stop;

use crate::arguments::Serve;
use crate::report::count;

pub fn run(options: &Serve) -> Result<()> {
    super::limit_threads(options.threads)?;
    let asked = serve::Options {
        run: options.run.clone(),
        checkpoint: options.checkpoint.clone(),
        host: options.host,
        port: options.port,
        token: options.token.clone(),
        queue: options.queue.into(),
        most: options.most.into(),
    };
    serve::run(asked, &Stop::default(), |ready| {
        // Whoever closed stdout doesn't want it.
        let _ = writeln!(std::io::stdout(), "{}", ready.address);
        if let Some(token) = &ready.token {
            eprintln!("authorization: Bearer {token}");
        }
        let (run, step) = (options.run.display(), count(ready.step));
        eprintln!(
            "images of {} by {run}, step {step}; GET /openapi.json describes the rest; Ctrl-C ends it",
            ready.shape
        );
    })
}
