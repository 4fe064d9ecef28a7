//! Drives the built program as a user does: study files in, reports and exit codes out. Each file
//! is one topic; `sandbox` is where they play, `outcome` reads what a run leaves.

mod accept;
mod backend;
mod bad_input;
mod bench;
mod claims;
mod cluster;
mod data;
mod environment;
mod externals;
mod failures;
mod identity;
mod inheritance;
mod interrupted;
mod layers;
mod live;
mod looking;
mod models;
mod optimisation;
mod outcome;
mod own_text;
mod paper;
mod paper_sizes;
mod points;
mod proof;
mod published;
mod run;
mod sandbox;
mod shipped;
mod store;
mod tokenizers;
