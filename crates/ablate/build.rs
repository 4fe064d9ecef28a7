//! Lets a program with libtorch find it where it was built.

fn main() {
    println!("cargo::rerun-if-env-changed=LIBTORCH");
    let with_tch = std::env::var_os("CARGO_FEATURE_TCH").is_some();
    if let (true, Ok(folder)) = (with_tch, std::env::var("LIBTORCH")) {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{folder}/lib");
    }
}
