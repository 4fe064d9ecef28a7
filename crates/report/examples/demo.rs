//! Writes demo reports of made-up studies into the folder given: `cargo run --release -p ablate-report --example demo -- DIR`.

#[path = "../tests/synthetic/mod.rs"]
mod synthetic;

use std::path::PathBuf;

use ablate_report::{Selection, StudyData, compare, headline, write};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = PathBuf::from(std::env::args().nth(1).ok_or("usage: demo DIR")?);
    let seeds = [1, 2, 3];
    let studies: [(&str, StudyData); 6] = [
        ("ladder", synthetic::ladder(&seeds, 100)),
        ("text-only", synthetic::text_only(&seeds)),
        ("failures", synthetic::with_failures(&seeds, 60)),
        ("one-seed", synthetic::ladder(&[1], 100)),
        ("many", synthetic::many(30, &[1, 2], 20)),
        ("single", synthetic::many(1, &seeds, 40)),
    ];
    let mut out = String::new();
    for (name, data) in &studies {
        let written = write(data, &dir.join(name))?;
        out += &format!("{}: {} files\n", written.dir.display(), written.files.len());
    }
    out += &headline(&studies[0].1)?.to_text();
    let side = |variant| Selection { data: &studies[0].1, variant: Some(variant) };
    out += &compare(&side("baseline"), &side("inheritance"))?.to_text();
    std::io::Write::write_all(&mut std::io::stdout(), out.as_bytes())?;
    Ok(())
}
