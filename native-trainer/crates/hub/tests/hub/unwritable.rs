//! Caches that cannot be written.

use super::*;

/// A file where the cache should be makes it unwritable for everyone, the administrator too.
fn block(world: &World) {
    fs::create_dir_all(&world.settings.cache).unwrap();
    fs::write(world.settings.cache.join(".locks"), "no folder").unwrap();
}

#[test]
fn a_cache_that_cannot_be_written_is_named_with_the_way_on() {
    let world = World::new();
    block(&world);
    let complaint = world.complaint(MODEL);
    assert!(complaint.contains("cannot write to the cache") && complaint.contains("set HF_HOME"), "{complaint}");
}

#[test]
fn a_complete_copy_is_used_though_the_cache_cannot_be_written() {
    let world = World::new();
    let files = world.resolve().unwrap();
    fs::remove_dir_all(world.settings.cache.join(".locks")).unwrap();
    block(&world);
    assert_eq!(world.resolve().unwrap(), files);
    // Nor for a commit that cannot be fetched.
    fs::write(world.published(CONFIG), "{\"model_cfg\": \"new\"}").unwrap();
    assert_eq!(world.resolve().unwrap(), files);
}
