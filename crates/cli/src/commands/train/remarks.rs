//! Remarks on the recipe before the first step.

use faussaire::recipe::Images;
use faussaire::{Gan, Result};

use crate::commands::findings;

/// Prints what is unusual in the recipe of `gan`, with the flags to try, on stderr; nothing if `quiet`, or where people are to find
/// out by themselves.
pub fn show(gan: &Gan, quiet: bool) -> Result<()> {
    if !quiet && !gan.recipe.train.sabotage.is_secret() {
        for remark in gan.recipe.remarks(Images::Set(gan.dataset()))? {
            crate::print::remark(&findings::remark(&remark));
        }
    }
    Ok(())
}
