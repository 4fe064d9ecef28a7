//! Redundant units planted in a trained model: what is learned or measured finds them, and without
//! them the model computes what it did. `garden` is where they are planted; each other file is a kind of
//! them.

mod duplicated;
mod garden;
mod zeroed;
