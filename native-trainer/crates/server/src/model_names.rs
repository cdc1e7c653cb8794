//! Names of the models that answer. The key of a model, its folder's name, is unique; its own name, which its manifest
//! gives, may be another model's too.

/// Key and own name of each model.
pub(super) type Names<'a> = [[&'a str; 2]];

/// Returns a unique name for each model: its own name, or its key where another model has that name.
pub(super) fn unique<'a>(names: &Names<'a>) -> Vec<&'a str> {
    let is_of_another =
        |at: usize, name: &str| names.iter().enumerate().any(|(i, of)| i != at && of.contains(&name));
    let unique = |(at, [key, own]): (usize, &[&'a str; 2])| if is_of_another(at, own) { *key } else { *own };
    names.iter().enumerate().map(unique).collect()
}

/// Returns all names by which requests can call the models.
pub(super) fn accepted<'a>(names: &Names<'a>) -> Vec<&'a str> {
    let both = |([key, _], unique): (&[&'a str; 2], &'a str)| {
        std::iter::once(*key).chain(Some(unique).filter(|unique| unique != key))
    };
    names.iter().zip(unique(names)).flat_map(both).collect()
}

/// Several models have this name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ambiguous {
    pub(super) keys: Vec<String>,
}

/// Returns the place of the model with this name: a key, or an own name that only one model has.
///
/// # Errors
/// [`Ambiguous`] if several models have it and it is the key of none.
pub(super) fn find(names: &Names<'_>, is_wanted: impl Fn(&str) -> bool) -> Result<Option<usize>, Ambiguous> {
    for kind in [0, 1] {
        let places: Vec<usize> = (0..names.len()).filter(|&at| is_wanted(names[at][kind])).collect();
        match places[..] {
            [] => {}
            [only] => return Ok(Some(only)),
            _ => return Err(Ambiguous { keys: places.iter().map(|&at| names[at][0].to_owned()).collect() }),
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Found in use: the first of two models called `demo` answered for both.
    #[test]
    fn a_name_of_two_models_is_none_of_them() {
        let names = [["a", "demo"], ["b", "demo"], ["c", "third"]];
        assert_eq!(unique(&names), ["a", "b", "third"]);
        assert_eq!(accepted(&names), ["a", "b", "c", "third"]);
        let find = |wanted: &str| find(&names, |name| name == wanted);
        assert_eq!((find("b"), find("third"), find("x")), (Ok(Some(1)), Ok(Some(2)), Ok(None)));
        assert_eq!(find("demo"), Err(Ambiguous { keys: vec!["a".into(), "b".into()] }));
    }

    #[test]
    fn a_key_goes_before_the_own_name_of_another() {
        let names = [["x", "demo"], ["demo", "demo two"]];
        assert_eq!(unique(&names), ["x", "demo two"]);
        assert_eq!(accepted(&names), ["x", "demo", "demo two"]);
        assert_eq!(find(&names, |name| name == "demo"), Ok(Some(1)));
        assert_eq!(accepted(&[["demo", "demo"]]), ["demo"]);
    }
}
