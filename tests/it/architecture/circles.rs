//! Which file uses which, read from the paths that its source names, and the circles among them.
//!
//! A file uses another if it names an item of it. What a file only declares (`mod`) or hands on (`pub use`) it does not use, and an
//! item that is named through such a file counts as one of the file that has it. A folder's `mod.rs` and what lies below it may use
//! each other: it is where they have what they share.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The files that each file uses, by the path of their modules.
pub type Graph = BTreeMap<String, BTreeSet<String>>;

/// The shortest circle through each group of files that use one another, the first file again at its end.
pub fn circles(graph: &Graph) -> Vec<Vec<String>> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for start in graph.keys() {
        if seen.contains(start) {
            continue;
        }
        if let Some(circle) = shortest_circle(graph, start) {
            seen.extend(circle.iter().cloned());
            found.push(circle);
        }
    }
    found
}

fn shortest_circle(graph: &Graph, start: &str) -> Option<Vec<String>> {
    let mut from: BTreeMap<&str, &str> = BTreeMap::new();
    let mut waiting = VecDeque::from([start]);
    while let Some(file) = waiting.pop_front() {
        for used in graph.get(file).into_iter().flatten() {
            if used == start {
                let mut circle = vec![start.to_owned()];
                let mut at = file;
                while at != start {
                    circle.push(at.to_owned());
                    at = from[at];
                }
                circle.push(start.to_owned());
                circle.reverse();
                return Some(circle);
            }
            if !from.contains_key(used.as_str()) {
                from.insert(used, file);
                waiting.push_back(used);
            }
        }
    }
    None
}

/// The graph of a crate's sources: path below its `src` and text.
pub fn graph(sources: &BTreeMap<String, String>) -> Graph {
    let files: BTreeMap<String, File> = sources.iter().map(|(path, text)| (module(path), File::read(text))).collect();
    let uses = |name: &String, file: &File| {
        let named = file.named.iter().filter_map(|path| owner(&files, name, path, 0));
        named.filter(|used| used != name && !name.starts_with(&format!("{used}::"))).collect()
    };
    files.iter().map(|(name, file)| (name.clone(), uses(name, file))).collect()
}

/// `a/b.rs` and `a/b/mod.rs` are `crate::a::b`.
fn module(path: &str) -> String {
    let path = path.trim_end_matches(".rs");
    let path = if matches!(path, "lib" | "main" | "mod") { "" } else { path.trim_end_matches("/mod") };
    if path.is_empty() { "crate".to_owned() } else { format!("crate::{}", path.replace('/', "::")) }
}

/// What one source says of names.
#[derive(Default)]
struct File {
    /// Modules that it declares.
    children: BTreeSet<String>,
    /// Names that it imports or hands on, with their path.
    imports: BTreeMap<String, Vec<String>>,
    /// Paths that it names, those that it only hands on apart.
    named: BTreeSet<Vec<String>>,
}

impl File {
    fn read(text: &str) -> Self {
        let words = words(text);
        let mut file = Self::default();
        let mut at = 0;
        while at < words.len() {
            match words[at].as_str() {
                "mod" if words.get(at + 2).is_some_and(|word| word == ";") => {
                    file.children.insert(words[at + 1].clone());
                    at += 3;
                }
                "use" => {
                    let handed_on = at > 0 && matches!(words[at - 1].as_str(), "pub" | ")");
                    let mut paths = Vec::new();
                    at = tree(&words, at + 1, &[], &mut paths);
                    for (name, path) in paths {
                        if !handed_on {
                            file.named.insert(path.clone());
                        }
                        file.imports.insert(name, path);
                    }
                }
                word if is_name(word) && words.get(at + 1).is_some_and(|next| next == "::") => {
                    let mut path = vec![words[at].clone()];
                    at += 1;
                    while words.get(at).is_some_and(|word| word == "::")
                        && words.get(at + 1).is_some_and(|word| is_name(word))
                    {
                        path.push(words[at + 1].clone());
                        at += 2;
                    }
                    file.named.insert(path);
                }
                _ => at += 1,
            }
        }
        file
    }
}

/// The paths of a `use`, each with the name that it gets; returns where it ends.
fn tree(words: &[String], mut at: usize, before: &[String], paths: &mut Vec<(String, Vec<String>)>) -> usize {
    let mut path = before.to_vec();
    while let Some(word) = words.get(at) {
        match word.as_str() {
            "{" => {
                at += 1;
                while words.get(at).is_some_and(|word| word != "}") {
                    at = tree(words, at, &path, paths);
                    at += usize::from(words.get(at).is_some_and(|word| word == ","));
                }
                return at + 1;
            }
            "as" => {
                paths.push((words[at + 1].clone(), path));
                return at + 2;
            }
            "::" | "*" => at += 1,
            "self" if !path.is_empty() => at += 1,
            word if is_name(word) => {
                path.push(word.to_owned());
                at += 1;
            }
            _ => break,
        }
    }
    paths.extend(path.last().cloned().map(|name| (name, path)));
    at
}

/// The file that has the item of a path that `file` names, none for one of another crate.
fn owner(files: &BTreeMap<String, File>, file: &str, path: &[String], depth: usize) -> Option<String> {
    let parent = |name: &str| name.rsplit_once("::").map(|(parent, _)| parent.to_owned());
    let first = path.first()?;
    let mut rest = &path[1..];
    let mut at = match first.as_str() {
        "crate" => "crate".to_owned(),
        "self" => file.to_owned(),
        "super" => parent(file)?,
        child if files[file].children.contains(child) => format!("{file}::{child}"),
        name => {
            let import = files[file].imports.get(name).filter(|import| depth < 8 && import.first() != Some(first))?;
            let whole: Vec<_> = import.iter().chain(rest).cloned().collect();
            return owner(files, file, &whole, depth + 1);
        }
    };
    while let Some((next, after)) = rest.split_first() {
        let child = format!("{at}::{next}");
        if next == "super" {
            at = parent(&at)?;
        } else if files.contains_key(&child) {
            at = child;
        } else if let Some(import) = files[&at].imports.get(next).filter(|_| depth < 8) {
            let whole: Vec<_> = import.iter().chain(after).cloned().collect();
            return owner(files, &at, &whole, depth + 1);
        } else {
            break;
        }
        rest = after;
    }
    Some(at)
}

fn is_name(word: &str) -> bool {
    word.starts_with(|letter: char| letter.is_alphabetic() || letter == '_')
}

/// Names, `::` and single signs of a source, without comments, strings and letters.
fn words(text: &str) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    let is = |at: usize, letter: char| letters.get(at) == Some(&letter);
    let in_name = |at: usize| letters.get(at).is_some_and(|letter| letter.is_alphanumeric() || *letter == '_');
    let mut words = Vec::new();
    let mut at = 0;
    while at < letters.len() {
        let from = at;
        match letters[at] {
            '/' if is(at + 1, '/') => {
                while at < letters.len() && !is(at, '\n') {
                    at += 1;
                }
            }
            'r' if is(at + 1, '"') || (is(at + 1, '#') && (is(at + 2, '"') || is(at + 2, '#'))) => {
                let hashes = (at + 1..letters.len()).take_while(|at| is(*at, '#')).count();
                at += hashes + 2;
                while at < letters.len() && !(is(at, '"') && (1..=hashes).all(|more| is(at + more, '#'))) {
                    at += 1;
                }
                at += hashes + 1;
            }
            '"' => {
                at += 1;
                while at < letters.len() && !is(at, '"') {
                    at += 1 + usize::from(is(at, '\\'));
                }
                at += 1;
            }
            '\'' if is(at + 1, '\\') || is(at + 2, '\'') => {
                at += 2 + usize::from(is(at + 1, '\\'));
                while at < letters.len() && !is(at, '\'') {
                    at += 1;
                }
                at += 1;
            }
            ':' if is(at + 1, ':') => {
                words.push("::".to_owned());
                at += 2;
            }
            letter if letter.is_whitespace() => at += 1,
            _ if in_name(at) => {
                while in_name(at) {
                    at += 1;
                }
                words.push(letters[from..at].iter().collect());
            }
            letter => {
                words.push(letter.to_string());
                at += 1;
            }
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(sources: &[(&str, &str)]) -> Vec<String> {
        let sources = sources.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        circles(&graph(&sources)).iter().map(|circle| circle.join(" → ")).collect()
    }

    #[test]
    fn a_circle_is_found_however_it_is_written() {
        let circle = ["crate::a → crate::b → crate::c → crate::a"];
        let with = |a: &str, b: &str, c: &str| {
            found(&[("lib.rs", "mod a; mod b; mod c; mod d;"), ("a.rs", a), ("b/mod.rs", b), ("c.rs", c), ("d.rs", "")])
        };
        assert_eq!(with("use crate::b::B;", "use crate::c::C;", "use crate::a::A;"), circle);
        assert_eq!(with("use super::b::{self, B};", "use crate::{c::C, d};", "use super::{d, a::A as Other};"), circle);
        assert_eq!(with("fn a() { crate::b::b(); }", "use super::c;", "struct C(super::a::A);"), circle);
        assert_eq!(
            with("use super::d::D; use super::b; fn a() { b::b() }", "use crate::c;", "use crate::a::*;"),
            circle
        );
        // No use of anything: another crate, words of texts and comments, a declaration.
        assert!(
            with("use b::B;", "use crate::c;", "// crate::a\nconst A: &str = \"crate::a::A \\\" crate::a\";")
                .is_empty()
        );
        assert!(with("mod b;", "use crate::c;", "const A: &str = r#\"crate::a\"#; /// [`crate::a`]").is_empty());
    }

    #[test]
    fn a_folder_s_own_file_may_be_used_below_it_and_no_other_way_round_is_let_through() {
        let below = |one: &str, other: &str| {
            found(&[
                ("a/mod.rs", "mod one; mod other; use one::One; struct A;"),
                ("a/one.rs", one),
                ("a/other.rs", other),
            ])
        };
        assert!(below("use super::A;", "use super::A; use super::one::One;").is_empty());
        // Named through the folder's file, it is still the other's.
        assert_eq!(below("use super::other;", "use super::One;"), ["crate::a::one → crate::a::other → crate::a::one"]);
        let outside = found(&[
            ("a/mod.rs", "mod one; use one::One;"),
            ("a/one.rs", "use crate::b;"),
            ("b.rs", "use crate::a::A;"),
        ]);
        assert_eq!(outside, ["crate::a → crate::a::one → crate::b → crate::a"]);
    }
}
