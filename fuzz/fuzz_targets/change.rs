//! Changes of a recipe, one `key=value` per line, as `--set` takes them.
#![no_main]

use faussaire::Recipe;
use faussaire_fuzz::runs::RECIPE;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let changes: Vec<String> = text.lines().map(str::to_owned).collect();
    if let Ok(recipe) = Recipe::parse(RECIPE, "mine", &changes) {
        let _ = recipe.networks();
        recipe.to_toml().expect("a checked recipe can be written");
    }
});
