//! From a JSON schema to a list of keys.

use serde_json::Value;

/// One key of a file.
pub struct Key {
    /// With the keys around it: `data.zero_shot[].name`.
    pub path: String,
    pub kind: String,
    /// "required", "optional", or its default.
    pub need: String,
    pub about: String,
}

/// The keys of a schema, in alphabetical order.
pub fn of(schema: &Value) -> Vec<Key> {
    let mut keys = Vec::new();
    Reader { root: schema }.object(schema, "", &mut keys);
    keys
}

struct Reader<'a> {
    root: &'a Value,
}

impl<'a> Reader<'a> {
    /// The schema that a reference stands for, with what the reference says itself.
    fn resolved(&self, schema: &'a Value) -> &'a Value {
        let target = schema.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
        target.and_then(|target| self.root.pointer(target)).unwrap_or(schema)
    }

    /// The schema without "or null".
    fn present(&self, schema: &'a Value) -> &'a Value {
        let choices = schema.get("anyOf").and_then(Value::as_array);
        let is_null = |choice: &&Value| choice.get("type") == Some(&"null".into());
        match choices.map(|choices| choices.iter().filter(|choice| !is_null(choice)).collect::<Vec<_>>()).as_deref()
        {
            Some(&[only]) => self.resolved(only),
            _ => self.resolved(schema),
        }
    }

    fn object(&self, schema: &'a Value, path: &str, keys: &mut Vec<Key>) {
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        for (name, property) in properties {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            self.key(property, path, required.contains(&name.as_str()), keys);
        }
    }

    fn key(&self, property: &'a Value, path: String, is_required: bool, keys: &mut Vec<Key>) {
        let inner = self.present(property);
        let about =
            [property, inner].iter().find_map(|schema| schema.get("description")?.as_str()).unwrap_or_default();
        let need = match property.get("default") {
            Some(default) if !default.is_null() && default.as_object().is_none() => format!("default `{default}`"),
            _ if is_required => "required".into(),
            _ => "optional".into(),
        };
        keys.push(Key { path: path.clone(), kind: self.kind(property), need, about: plain(about) });
        self.inside(inner, &path, keys);
    }

    /// The keys inside a value.
    fn inside(&self, schema: &'a Value, path: &str, keys: &mut Vec<Key>) {
        if let Some(items) = schema.get("items") {
            self.inside(self.present(items), &format!("{path}[]"), keys);
        }
        if let Some(values) = schema.get("additionalProperties").filter(|values| values.is_object()) {
            self.inside(self.present(values), &format!("{path}.{{}}"), keys);
        }
        for variant in schema.get("oneOf").and_then(Value::as_array).into_iter().flatten() {
            self.variant(variant, path, keys);
        }
        self.object(schema, path, keys);
    }

    /// The keys of one variant of an enum: its tag, and the fields beside it.
    fn variant(&self, variant: &'a Value, path: &str, keys: &mut Vec<Key>) {
        let own = variant.get("properties").and_then(Value::as_object);
        let tag = own.and_then(|own| own.iter().find(|(_, value)| value.get("const").is_some()));
        let path = tag.map_or(path.to_owned(), |(tag, value)| format!("{path}({tag} = {})", value["const"]));
        let before = keys.len();
        self.object(variant, &path, keys);
        let target = self.resolved(variant);
        if !std::ptr::eq(target, variant) {
            self.inside(target, &path, keys);
        }
        let about = variant.get("description").and_then(Value::as_str).unwrap_or_default();
        // What is said of the variant is said of its tag, or of the one key that its fields are in.
        let name = tag.map(|(tag, _)| tag).or_else(|| own.filter(|own| own.len() == 1)?.keys().next());
        if let (Some(name), true) = (name, !about.is_empty()) {
            let of_name = keys[before..].iter_mut().find(|key| key.path == format!("{path}.{name}"));
            of_name.into_iter().for_each(|key| key.about = plain(about));
        }
    }

    /// The type in words.
    fn kind(&self, schema: &'a Value) -> String {
        if schema.get("$ref").is_some() {
            return self.kind(self.resolved(schema));
        }
        if let Some(value) = schema.get("const") {
            return format!("`{value}`");
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            return values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ");
        }
        for choices in ["oneOf", "anyOf"] {
            if let Some(choices) = schema.get(choices).and_then(Value::as_array) {
                let mut kinds: Vec<String> = choices.iter().map(|choice| self.kind(choice)).collect();
                kinds.dedup();
                return kinds.join(" or ");
            }
        }
        match schema.get("type") {
            Some(Value::Array(kinds)) => {
                let named = kinds.iter().filter_map(Value::as_str).map(|kind| self.named(kind, schema));
                named.collect::<Vec<_>>().join(" or ")
            }
            Some(Value::String(kind)) => self.named(kind, schema),
            _ => "any".into(),
        }
    }

    fn named(&self, kind: &str, schema: &'a Value) -> String {
        match (kind, schema.get("items")) {
            ("array", Some(items)) => format!("list of {}", self.kind(items)),
            ("array", None) => "list".into(),
            ("boolean", _) => "true or false".into(),
            (kind, _) => kind.into(),
        }
    }
}

/// A description on one line, without the marks of Rust's documentation, in the words of the files.
fn plain(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.replace("[`", "`").replace("`]", "`").replace("`None`", "`null`")
}
