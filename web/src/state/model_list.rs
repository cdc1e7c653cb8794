//! URLs in the list of models that a server has.

/// Makes a URL from the server's root relative to the page.
///
/// The server does not know the prefix that a proxy adds to its URLs; the path of the page's folder has it.
pub fn relative_to_page<'a>(url: &'a str, page_folder: &str) -> &'a str {
    let is_from_root = url.starts_with('/') && !url.starts_with("//");
    if is_from_root && !url.starts_with(page_folder) { &url[1..] } else { url }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_the_server_get_the_prefix_of_the_page() {
        for (url, folder, expected) in [
            ("/models/a/manifest.json", "/", "/models/a/manifest.json"),
            ("/models/a/manifest.json", "/derm/", "models/a/manifest.json"),
            ("/v1/classify?model=a", "/a/b/", "v1/classify?model=a"),
            ("/derm/models/a/manifest.json", "/derm/", "/derm/models/a/manifest.json"),
            ("models/a/manifest.json", "/derm/", "models/a/manifest.json"),
            ("https://elsewhere.example/manifest.json", "/derm/", "https://elsewhere.example/manifest.json"),
            ("//elsewhere.example/manifest.json", "/derm/", "//elsewhere.example/manifest.json"),
        ] {
            assert_eq!(relative_to_page(url, folder), expected);
        }
    }
}
