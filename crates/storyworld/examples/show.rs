//! Prints documents and items, to be read by a person:
//! `cargo run --release -p ablate-storyworld --example show -- [seed] [documents] [items]`
#![allow(clippy::print_stdout)]

use ablate_storyworld::{World, benchmarks};

fn main() {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let number = |at: usize, default: u64| numbers.get(at).copied().unwrap_or(default);
    let world = World::new(number(0, 1));
    for document in world.documents(0).take(number(1, 40) as usize) {
        println!("--- {} {:?}\n{}\n", document.language.code(), document.kind, document.text);
    }
    let items = number(2, 4) as usize;
    for info in benchmarks() {
        // Balance is exact over a whole draw, so draw many and show a few.
        let drawn = world.benchmark(info.name, 400).unwrap_or_default();
        println!(
            "=== {} ({}), {:?}, chance {}, {} items",
            info.name,
            info.mirrors,
            info.family,
            info.chance(),
            drawn.len()
        );
        for item in drawn.iter().take(items) {
            println!(
                "{}|{:?} key {:?} reference {:?}\n",
                item.context, item.options, item.key, item.reference
            );
        }
    }
}
