//! The report as HTML.

use std::fmt::Write;

use super::record::{Curve, Record};
use crate::chart::{self, Curves, framed, number};
use crate::error::Result;
use crate::net::summary::grouped;
use crate::page::{document, escape, image, png_size};
use crate::recipe::Recipe;
use crate::run::Run;

/// At most so many sheets, and so many bytes of them, so that the page can be sent by mail.
const SHEETS: usize = 12;
const SHEET_BYTES: usize = 6 << 20;
/// A larger file is no sheet.
const LARGEST: u64 = 64 << 20;

const STYLE: &str = "
.sheets{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,320px),1fr));gap:1.2rem}
.sheets img,.last img{width:100%;height:auto}.last{margin:1.2rem 0;max-width:44rem}.chart{margin:.9rem 0}
details{border:1px solid var(--line);border-radius:8px;background:var(--card);padding:.5rem .9rem;margin:.8rem 0}
summary{cursor:pointer;font-weight:600}pre{overflow-x:auto;font:13px/1.5 ui-monospace,Menlo,Consolas,monospace;margin:.6rem 0}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:.8rem;margin:1.2rem 0;padding:0}
.facts div{border:1px solid var(--line);border-radius:8px;background:var(--card);padding:.6rem .9rem}
.facts dt{color:var(--soft);font-size:.85rem}.facts dd{margin:0;font-size:1.15rem;font-variant-numeric:tabular-nums}
.finding{border-left:4px solid var(--accent);padding:.1rem 0 .1rem .9rem;margin:1rem 0}
";

/// The report of `run` as it stands.
///
/// # Errors
/// A recipe or a log that was damaged.
pub fn page(run: &Run) -> Result<String> {
    let recipe = run.recipe(&[])?;
    let record = Record::of(&run.events(None)?);
    let name = run.path().file_name().map_or_else(|| "run".into(), |name| name.to_string_lossy().into_owned());
    let mut body = format!("<h1>{}</h1>\n<p class=\"lead\">{}</p>\n", escape(&name), escape(&about(&recipe, &record)));
    body += &facts(&record);
    body += &last_sheet(run, &record);
    body += &scores(&record);
    body += &doctor(&record, &name);
    body += &training(&record);
    body += &sheets(run, &record);
    body += &repeat(&recipe, &name)?;
    Ok(document(&format!("{name} - Faussaire"), STYLE, &body))
}

/// What it is and how it ended, in a sentence or two.
fn about(recipe: &Recipe, record: &Record) -> String {
    let made = record.steps.last().map_or(0, |report| report.step);
    let state = match (&record.diverged, record.ending.as_deref()) {
        (Some(what), _) => format!("It broke off: {what}."),
        (None, Some("complete")) => "It ran to its end.".into(),
        (None, Some("time")) => "It ran until its time was up.".into(),
        (None, Some(_)) => "It was stopped.".into(),
        (None, None) => "It was still running, or had been killed, when this page was written.".into(),
    };
    let planned = if record.planned > made { format!(" of {}", grouped(record.planned)) } else { String::new() };
    let loss = format!("{:?}", recipe.train.loss).to_lowercase();
    format!(
        "A generator trained on {} under the {loss} loss, {}{planned} steps of {} images, seed {}. {state}",
        recipe.data.source,
        grouped(made),
        recipe.train.batch,
        recipe.train.seed
    )
}

/// Figures at a glance.
fn facts(record: &Record) -> String {
    let Some(last) = record.steps.last() else { return "<p>No step was logged yet.</p>\n".into() };
    let speed = if last.train_s > 0.0 { format!("{:.0}", last.images as f64 / last.train_s) } else { "-".into() };
    let rows = [
        ("steps", grouped(last.step)),
        ("real images seen", grouped(last.images)),
        ("passes over the data", number(last.epoch)),
        ("time in training", duration(last.train_s)),
        ("images a second", speed),
    ];
    let mut html = String::from("<dl class=\"facts\">\n");
    for (name, value) in rows {
        let _ = writeln!(html, "<div><dt>{name}</dt><dd>{value}</dd></div>");
    }
    html += "</dl>\n";
    if !record.machines.is_empty() {
        let _ = writeln!(html, "<p class=\"soft\">Trained on: {}.</p>", escape(&record.machines.join("; then ")));
    }
    html
}

fn last_sheet(run: &Run, record: &Record) -> String {
    let figure = record.sheets.last().and_then(|sheet| figure(run, sheet));
    figure.map_or(String::new(), |(html, _)| format!("<div class=\"last\">{html}</div>\n"))
}

/// A sheet as a figure, with its bytes; none where its file is gone or no picture.
fn figure(run: &Run, (step, file): &(u64, String)) -> Option<(String, usize)> {
    // The log is the run's own, but may come from anywhere: only plain names inside samples/ are followed.
    let name = file.strip_prefix("samples/").filter(|name| !name.contains(['/', '\\']))?;
    let (folder, path) = (run.path().join("samples"), run.path().join("samples").join(name));
    let plain = |meta: std::fs::Metadata| meta.is_file() && meta.len() <= LARGEST;
    if !std::fs::symlink_metadata(folder).is_ok_and(|meta| meta.is_dir())
        || !std::fs::symlink_metadata(&path).is_ok_and(plain)
    {
        return None;
    }
    let png = std::fs::read(path).ok()?;
    let (width, height) = png_size(&png)?;
    let caption = format!("step {}", grouped(*step));
    let picture = image(&png, &format!("images of the averaged generator at {caption}"), width, height);
    Some((format!("<figure>{picture}<figcaption>{caption}</figcaption></figure>"), png.len()))
}

/// Every metric: its last and best value, and its curve.
fn scores(record: &Record) -> String {
    if record.scores.is_empty() {
        return String::new();
    }
    let mut html = String::from(
        "<h2>Scores</h2>\n<p class=\"soft\">Of the averaged generator; smaller is better. A score's name says how many images \
         and whose features it rests on; compare only scores of the same name.</p>\n<div class=\"wide\"><table>\n\
         <tr><th>score</th><th class=\"n\">last</th><th class=\"n\">best</th><th class=\"n\">at step</th></tr>\n",
    );
    for (name, curve) in &record.scores {
        let best = curve.iter().min_by(|a, b| a.1.total_cmp(&b.1));
        let (Some(last), Some(best)) = (curve.last(), best) else { continue };
        let _ = writeln!(
            html,
            "<tr><td><code>{}</code></td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
            escape(name),
            number(last.1),
            number(best.1),
            grouped(best.0)
        );
    }
    html += "</table></div>\n";
    if let Some(step) = record.best {
        let _ = writeln!(html, "<p class=\"soft\">The checkpoint <code>best</code> is of step {}.</p>", grouped(step));
    }
    for (name, curve) in record.scores.iter().filter(|(_, curve)| curve.len() > 1) {
        html += &drawn(name, &[("score", curve.clone())]);
    }
    html
}

/// What was found and what was done, oldest first.
fn doctor(record: &Record, name: &str) -> String {
    let mut html = String::from("<h2>The doctor</h2>\n");
    if record.findings.is_empty() {
        return html + "<p>Nothing was found.</p>\n";
    }
    for finding in &record.findings {
        let flags: String = finding.set.iter().map(|set| format!(" --set {set}")).collect();
        let _ = writeln!(
            html,
            "<div class=\"finding\"><h3>{} at step {}</h3><p>{} {} {}</p>",
            finding.name.name(),
            grouped(finding.step),
            escape(&finding.seen),
            escape(&finding.means),
            escape(&finding.advice)
        );
        if !flags.is_empty() {
            let _ = writeln!(
                html,
                "<p><code>faussaire train --config {}/config.toml{}</code></p>",
                escape(name),
                escape(&flags)
            );
        }
        html += "</div>\n";
    }
    for heal in &record.heals {
        let _ = writeln!(
            html,
            "<p>Healed of {} at step {}: back to step {}; {}. <code>{}</code></p>",
            heal.name.name(),
            grouped(heal.step),
            grouped(heal.back_to),
            escape(&heal.remedy),
            escape(&heal.set.join(" "))
        );
    }
    html
}

/// Losses, accuracies, scores and gradients over steps.
fn training(record: &Record) -> String {
    let curve = |number: &dyn Fn(&crate::train::StepReport) -> Option<f32>| record.curve(number);
    let charts = [
        (
            "loss",
            vec![
                ("discriminator", curve(&|r| Some(r.d_loss))),
                ("generator", curve(&|r| Some(r.g_loss))),
                ("penalty", curve(&|r| r.penalty)),
            ],
        ),
        (
            "share that the discriminator told rightly",
            vec![("real", curve(&|r| Some(r.d_real))), ("generated", curve(&|r| Some(r.d_fake)))],
        ),
        (
            "discriminator's mean score",
            vec![
                ("real", curve(&|r| Some(r.real_score))),
                ("generated", curve(&|r| Some(r.fake_score))),
                ("held out", curve(&|r| r.held_out_score)),
            ],
        ),
        (
            "length of the gradient",
            vec![("discriminator", curve(&|r| Some(r.d_norm))), ("generator", curve(&|r| Some(r.g_norm)))],
        ),
    ];
    if record.steps.len() < 2 {
        return String::new();
    }
    let mut html = String::from("<h2>Training</h2>\n");
    for (label, curves) in charts {
        html += &drawn(label, &curves);
    }
    html
}

/// Curves under a heading of their own.
fn drawn(label: &str, curves: &[(&str, Curve)]) -> String {
    let named = |(name, curve): &(&str, Curve)| Curves { name: (*name).to_owned(), runs: vec![curve.clone()] };
    let shown: Vec<Curves> = curves.iter().filter(|(_, curve)| curve.len() > 1).map(named).collect();
    if shown.is_empty() {
        return String::new();
    }
    framed(|size| chart::curves(&shown, label, size))
}

/// Sheets over time, evenly chosen, the first and the last among them.
fn sheets(run: &Run, record: &Record) -> String {
    let all = &record.sheets;
    if all.len() < 2 {
        return String::new();
    }
    let count = all.len().min(SHEETS);
    let mut chosen: Vec<_> = (0..count).map(|i| &all[i * (all.len() - 1) / (count - 1)]).collect();
    let figures = loop {
        let figures: Vec<_> = chosen.iter().filter_map(|sheet| figure(run, sheet)).collect();
        if chosen.len() <= 2 || figures.iter().map(|(_, bytes)| bytes).sum::<usize>() <= SHEET_BYTES {
            break figures;
        }
        // Every second one, but the last stays.
        let last = chosen.len() - 1;
        chosen = chosen.into_iter().enumerate().filter(|(at, _)| at % 2 == 0 || *at == last).map(|(_, s)| s).collect();
    };
    let html: String = figures.into_iter().map(|(html, _)| html + "\n").collect();
    format!(
        "<h2>From noise to images</h2>\n<p class=\"soft\">The same noise vectors all along.</p>\n<div class=\"sheets\">\n{html}</div>\n"
    )
}

/// The recipe, the nets, and the command that repeats the run.
fn repeat(recipe: &Recipe, name: &str) -> Result<String> {
    let (generator, discriminator) = recipe.networks()?;
    let mut html = format!(
        "<h2>To repeat it</h2>\n<p><code>faussaire train --config {}/config.toml</code></p>\n\
         <details><summary>The recipe, every key resolved</summary><pre>{}</pre></details>\n",
        escape(name),
        escape(&recipe.to_toml()?)
    );
    for net in [generator, discriminator] {
        let _ = writeln!(
            html,
            "<details><summary>The {}, {} parameters</summary><pre>{}</pre></details>",
            net.name(),
            grouped(net.parameters().0 as u64),
            escape(&net.summary())
        );
    }
    Ok(html)
}

/// Seconds as a person says them.
fn duration(seconds: f64) -> String {
    let s = seconds.round() as u64;
    match s {
        0..60 => format!("{s} s"),
        60..3600 => format!("{} min {:02} s", s / 60, s % 60),
        _ => format!("{} h {:02} min", s / 3600, s % 3600 / 60),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::Preset;
    use crate::data::ImageShape;
    use crate::picture::{Picture, png};

    fn run(folder: &std::path::Path, log: &str) -> Run {
        let recipe = Recipe::parse(Preset::named("ring").unwrap().text(), "ring", &[]).unwrap();
        let run = Run::create_at(&folder.join("a<b"), &recipe).unwrap();
        std::fs::write(run.path().join("events.jsonl"), log).unwrap();
        run
    }

    fn step(step: u64) -> String {
        format!(
            "{{\"event\":\"step\",\"step\":{step},\"epoch\":0.5,\"images\":{},\"train_s\":{step},\"d_loss\":-0.25,\"g_loss\":1.5,\
             \"d_real\":0.5,\"d_fake\":0.75}}\n",
            64 * step
        )
    }

    #[test]
    fn the_page_tells_what_the_log_tells() {
        let folder = tempfile::tempdir().unwrap();
        let finding = "{\"event\":\"finding\",\"step\":20,\"name\":\"collapse\",\"seen\":\"All <alike>.\",\"means\":\"Few modes.\",\
                       \"advice\":\"Pack.\",\"set\":[\"train.pac=2\"]}\n";
        let log = format!(
            "{{\"event\":\"start\",\"step\":0,\"steps\":8000,\"steps_per_epoch\":10.0,\"machine\":\"M&M, 2 cores\"}}\n{}{}{finding}\
             {{\"event\":\"score\",\"step\":10,\"name\":\"swd\",\"value\":0.7}}\n\
             {{\"event\":\"score\",\"step\":20,\"name\":\"swd\",\"value\":0.9}}\n\
             {{\"event\":\"sheet\",\"step\":10,\"file\":\"samples/000010.png\"}}\n\
             {{\"event\":\"sheet\",\"step\":20,\"file\":\"samples/../../secret.png\"}}\n\
             {{\"event\":\"sheet\",\"step\":30,\"file\":\"samples/000030.png\"}}\n\
             {{\"event\":\"end\",\"step\":20,\"reason\":\"stopped\"}}\n",
            step(10),
            step(20)
        );
        let run = run(folder.path(), &log);
        let shape = ImageShape { height: 2, width: 4, channels: 1 };
        let picture = Picture { shape, bytes: vec![9; 8] };
        png::write(&run.path().join("samples/000010.png"), &picture).unwrap();
        png::write(&folder.path().join("secret.png"), &picture).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink("../../secret.png", run.path().join("samples/000030.png")).unwrap();
        let path = crate::report::write(&run).unwrap();
        let html = std::fs::read_to_string(path).unwrap();
        for part in [
            "<h1>a&lt;b</h1>",
            "trained on ring under the relativistic loss, 20 of 8,000 steps of 64 images, seed 0. It was stopped.",
            "<dt>real images seen</dt><dd>1,280</dd>",
            "<dt>images a second</dt><dd>64</dd>",
            "Trained on: M&amp;M, 2 cores.",
            "<td class=\"n\">0.9</td><td class=\"n\">0.7</td><td class=\"n\">10</td>",
            "<h3>collapse at step 20</h3><p>All &lt;alike&gt;. Few modes. Pack.</p>",
            "--set train.pac=2",
            "loss, over steps",
            "batch = 64",
            "generator, 12,802 parameters",
        ] {
            assert!(html.contains(part), "{part} in\n{html}");
        }
        assert_eq!(html.matches("data:image/png").count(), 1, "only pictures of the run's own folder");
        assert!(!html.contains("http") && !html.contains("NaN"), "{html}");
    }

    #[test]
    fn an_empty_log_makes_a_page_and_a_damaged_one_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let run = run(folder.path(), "");
        assert!(page(&run).unwrap().contains("No step was logged yet."));
        std::fs::write(run.path().join("events.jsonl"), "{}\n").unwrap();
        assert!(page(&run).unwrap_err().to_string().contains("line 1 is no event"));
    }

    #[test]
    fn durations_read_well() {
        assert_eq!([3.4, 75.0, 7322.0].map(duration), ["3 s", "1 min 15 s", "2 h 02 min"]);
    }
}
