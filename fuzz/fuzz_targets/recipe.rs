//! A recipe file.
#![no_main]

use faussaire::Recipe;

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(recipe) = Recipe::parse(text, "mine", &[]) {
        let _ = (recipe.networks(), recipe.allows_bf16());
        let written = recipe.to_toml().expect("a checked recipe can be written");
        assert_eq!(Recipe::parse(&written, "written", &[]).expect("and read"), recipe);
    }
});
