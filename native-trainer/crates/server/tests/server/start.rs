//! What keeps the site from starting.

use super::*;

#[test]
fn what_does_not_fit_its_manifest_is_named_at_start() {
    let site = Site::new();
    let manifest_path = "make q8/manifest.json";
    site.write(manifest_path, &manifest("vision.safetensors", 999));
    let complaint = site.complaint();
    assert!(complaint.contains("1000 bytes where the manifest says 999"), "{complaint}");
    assert!(complaint.ends_with("make q8/vision.safetensors"), "{complaint}");

    site.write(manifest_path, &manifest("text.safetensors", 1000));
    assert!(site.complaint().ends_with("text.safetensors"));
    for outside in ["../secret.txt", "/etc/passwd", "", ".", "a/../vision.safetensors"] {
        site.write(manifest_path, &manifest(outside, 6));
        let complaint = site.complaint();
        assert!(complaint.contains("expected a file name without a path"), "{outside}: {complaint}");
    }
    site.write(manifest_path, &manifest("vision.safetensors", 1000).replace(&sha256(weights()), "no"));
    assert!(site.complaint().contains("`files[0].sha256` is no, expected 64 hexadecimal digits"));
    site.write(manifest_path, &manifest("vision.safetensors", 1000).replace("tokenizer", "text"));
    assert!(site.complaint().contains("expected a file of role Tokenizer"));
    site.write(manifest_path, "{}");
    assert!(site.complaint().contains("missing field `format`"));
    fs::remove_file(site.path(manifest_path)).unwrap();
    assert!(site.complaint().contains("no manifest.json"));
    fs::remove_dir_all(site.path("make q8")).unwrap();
    assert!(site.complaint().starts_with("there is no such folder of models"));
}

#[test]
fn a_site_without_a_page_or_with_twins_does_not_start() {
    let site = Site::new();
    let twins =
        ServeConfig { models: vec![site.path("make q8"), site.path("make q8/manifest.json")], ..site.config() };
    let twins = Server::new(&twins).err().unwrap();
    assert!(matches!(&twins, Error::SameName { name } if name == "make q8"), "{twins}");
    fs::remove_file(site.path("app/index.html")).unwrap();
    assert!(site.complaint().contains("no index.html"));
}

#[cfg(unix)]
#[tokio::test]
async fn links_lead_nowhere() {
    let site = Site::new();
    std::os::unix::fs::symlink(site.path("secret.txt"), site.path("app/link.txt")).unwrap();
    std::os::unix::fs::symlink(site.folder.path(), site.path("app/up")).unwrap();
    for path in ["/link.txt", "/up/secret.txt"] {
        assert_eq!(site.get(path, &[]).await.status, StatusCode::NOT_FOUND);
    }
    std::os::unix::fs::symlink(site.path("secret.txt"), site.path("make q8/link")).unwrap();
    site.write("make q8/manifest.json", &manifest("link", 6));
    assert!(site.complaint().contains("outside of its folder"));
}

#[cfg(unix)]
#[test]
fn a_folder_with_only_links_to_models_is_named_and_a_link_itself_is_a_model() {
    let site = Site::new();
    fs::create_dir(site.path("parent")).unwrap();
    std::os::unix::fs::symlink(site.path("make q8"), site.path("parent/current")).unwrap();
    let complaint = |folder| Server::new(&ServeConfig { models: vec![site.path(folder)], ..site.config() }).err();
    let refused = complaint("parent").unwrap();
    assert!(matches!(&refused, Error::OnlyLinks { link, .. } if link.ends_with("parent/current")), "{refused}");
    assert!(refused.to_string().contains("name a link with --models itself"), "{refused}");
    assert!(complaint("parent/current").is_none());
}
