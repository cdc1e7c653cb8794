//! The kernels and towers on a real driver: Mesa's lavapipe where the machine has no GPU. Without one the tests fail;
//! `just setup` installs it.

mod attention;
mod failures;
mod launch;
mod product;
mod random_model;
mod towers;
