//! SciPy's numbers (bench/compare/reference.py) for the tests of this folder.

use serde_json::Value;

/// The rows of numbers under `key`.
pub fn numbers(key: &str) -> Vec<Vec<f64>> {
    let all: Value = serde_json::from_str(include_str!("../../../../bench/compare/reference.json")).unwrap();
    let row = |row: &Value| row.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
    all[key].as_array().unwrap().iter().map(row).collect()
}
