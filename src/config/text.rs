//! Settings as a program writes them.

use serde_json::Value;

/// Sections of plain values, and lists of such sections, as TOML: the JSON of a plain value is TOML, too.
pub fn toml(settings: &Value) -> String {
    let mut lines = Vec::new();
    for (name, section) in settings.as_object().into_iter().flatten() {
        let (head, sections) = match section {
            Value::Array(sections) => (format!("[[{name}]]"), sections.as_slice()),
            only => (format!("[{name}]"), std::slice::from_ref(only)),
        };
        for section in sections {
            lines.push(head.clone());
            lines.extend(section.as_object().into_iter().flatten().map(|(key, value)| format!("{key} = {value}")));
        }
    }
    lines.join("\n") + "\n"
}
