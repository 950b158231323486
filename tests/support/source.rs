//! Rust sources as tokens, for tests of what the compiler doesn't check: who may name whom, and what is spelled where.

use crate::repository;
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use std::collections::BTreeMap;

/// One file of the repository, without its attributes, its documentation and its modules of tests.
#[derive(Clone, Debug)]
pub struct Source {
    /// Relative to the repository.
    pub file: String,
    pub lines: usize,
    /// Every path of two names or more that the file spells, in `use` and anywhere else: `["std", "sync", "Arc"]`. Those within the
    /// crate start with `crate`, also where the file says `super`.
    pub paths: Vec<Vec<String>>,
    /// The text of every string.
    pub strings: Vec<String>,
    /// What it logs: the level and the message of each of `tracing`'s events, but for those with a target of their own (metrics).
    pub events: Vec<(String, String)>,
    tokens: TokenStream,
}

impl Source {
    /// Reads a file of a crate whose sources are in `root` (`shared/src`).
    ///
    /// # Panics
    /// If there is no such file or it isn't Rust.
    pub fn read(root: &str, file: &str) -> Self {
        let text = repository::read(file);
        let module = file.strip_prefix(root).expect("the file is of the crate").trim_start_matches('/');
        Self::parse(file, &text, &module_of(module))
    }

    /// Every file of a crate but those of tests.
    pub fn all(root: &str) -> Vec<Self> {
        let files = repository::files(root, ".rs");
        files.iter().filter(|file| !is_of_tests(file)).map(|file| Self::read(root, file)).collect()
    }

    /// Reads a text as the module `module` of its crate.
    ///
    /// # Panics
    /// If it isn't Rust.
    pub fn parse(file: &str, text: &str, module: &[String]) -> Self {
        let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("{file}: {error}"));
        let mut source = Self {
            file: file.to_owned(),
            lines: text.lines().count(),
            paths: Vec::new(),
            strings: Vec::new(),
            events: Vec::new(),
            tokens: tokens.clone(),
        };
        source.walk(tokens, &mut module.to_vec());
        source
    }

    /// The bodies of all functions by name, each with what [`Source`] says of it.
    pub fn functions(&self) -> BTreeMap<String, Self> {
        let mut found = BTreeMap::new();
        self.find_functions(self.tokens.clone(), &mut found);
        found
    }

    /// The names of the methods that are called on a variable or a field of this name.
    pub fn calls_on(&self, receiver: &str) -> Vec<String> {
        let mut found = Vec::new();
        calls_on(self.tokens.clone(), receiver, &mut found);
        found
    }

    fn find_functions(&self, tokens: TokenStream, found: &mut BTreeMap<String, Self>) {
        let mut named = None;
        let mut after_fn = false;
        for token in tokens {
            match token {
                TokenTree::Ident(name) if after_fn => {
                    named = Some(name.to_string());
                    after_fn = false;
                }
                TokenTree::Ident(word) => after_fn = word == "fn",
                // A `;` ends a declaration without a body.
                TokenTree::Punct(punct) if punct.as_char() == ';' => named = None,
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => match named.take() {
                    Some(name) => {
                        let mut body = Self {
                            file: self.file.clone(),
                            lines: 0,
                            paths: Vec::new(),
                            strings: Vec::new(),
                            events: Vec::new(),
                            tokens: group.stream(),
                        };
                        body.walk(group.stream(), &mut Vec::new());
                        found.insert(name, body);
                    }
                    None => self.find_functions(group.stream(), found),
                },
                TokenTree::Group(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }

    fn walk(&mut self, tokens: TokenStream, module: &mut Vec<String>) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        let mut for_tests = false;
        while let Some(token) = tokens.get(at) {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    let length = attribute(&tokens[at..]);
                    for_tests |= tokens[at..at + length].iter().any(is_cfg_test);
                    at += length;
                    continue;
                }
                TokenTree::Punct(_) => at += 1,
                TokenTree::Literal(literal) => {
                    self.strings.extend(string(&literal.to_string()));
                    at += 1;
                }
                TokenTree::Group(group) => {
                    self.walk(group.stream(), module);
                    at += 1;
                }
                TokenTree::Ident(word) if word == "mod" => match (tokens.get(at + 1), tokens.get(at + 2)) {
                    (Some(TokenTree::Ident(_)), Some(TokenTree::Group(_))) if for_tests => at += 3,
                    (Some(TokenTree::Ident(name)), Some(TokenTree::Group(body))) => {
                        module.push(name.to_string());
                        self.walk(body.stream(), module);
                        module.pop();
                        at += 3;
                    }
                    _ => at += 1,
                },
                TokenTree::Ident(_) => {
                    let mut paths = Vec::new();
                    at += tree(&tokens[at..], &[], &mut paths);
                    self.events.extend(event(&paths, &tokens[at..]));
                    let absolute = paths.into_iter().filter(|path| path.len() > 1);
                    self.paths.extend(absolute.map(|path| resolve(path, module)));
                }
            }
            for_tests = false;
        }
    }
}

/// The module that a file is: `["dynamodb", "keys"]` of `dynamodb/keys.rs`.
fn module_of(file: &str) -> Vec<String> {
    let name = file.trim_end_matches(".rs");
    let name = name.strip_suffix("/mod").unwrap_or(name);
    let at_root = matches!(name, "lib" | "main" | "mod");
    if at_root { Vec::new() } else { name.split('/').map(str::to_owned).collect() }
}

/// Whether a file is a module of tests by its name.
fn is_of_tests(file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or_default();
    name == "tests.rs" || name.ends_with("_tests.rs")
}

/// Whether this is the bracket of `#[cfg(test)]`.
fn is_cfg_test(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.stream().to_string().replace(' ', "") == "cfg(test)")
}

/// How many tokens an attribute takes.
fn attribute(tokens: &[TokenTree]) -> usize {
    let inner = matches!(tokens.get(1), Some(TokenTree::Punct(punct)) if punct.as_char() == '!');
    let group = if inner { 2 } else { 1 };
    let is_group =
        matches!(tokens.get(group), Some(TokenTree::Group(it)) if it.delimiter() == Delimiter::Bracket);
    if is_group { group + 1 } else { 1 }
}

/// Reads the path, or the tree of a `use`, that starts here; answers how many tokens it took.
fn tree(tokens: &[TokenTree], prefix: &[String], paths: &mut Vec<Vec<String>>) -> usize {
    let mut path = prefix.to_vec();
    let mut at = 0;
    loop {
        match tokens.get(at) {
            Some(TokenTree::Ident(name)) => path.push(name.to_string()),
            Some(TokenTree::Punct(punct)) if punct.as_char() == '*' => path.push("*".to_owned()),
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace && at > 0 => {
                for branch in split(group) {
                    tree(&branch, &path, paths);
                }
                return at + 1;
            }
            // The arguments of a generic type.
            _ => break,
        }
        at += 1;
        if !is_path_separator(&tokens[at..]) {
            break;
        }
        at += 2;
    }
    paths.push(path);
    at.max(1)
}

fn is_path_separator(tokens: &[TokenTree]) -> bool {
    let colon =
        |token: Option<&TokenTree>| matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
    colon(tokens.first()) && colon(tokens.get(1))
}

/// What the commas of a group divide.
fn split(group: &Group) -> Vec<Vec<TokenTree>> {
    let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
    let comma = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',');
    tokens.split(comma).filter(|branch| !branch.is_empty()).map(<[TokenTree]>::to_vec).collect()
}

/// A path in module `module`, from the crate's root if it is within the crate.
fn resolve(path: Vec<String>, module: &[String]) -> Vec<String> {
    let up = path.iter().take_while(|name| *name == "super").count();
    let (base, rest) = match path[0].as_str() {
        "super" => (&module[..module.len().saturating_sub(up)], &path[up..]),
        "self" => (module, &path[1..]),
        _ => return path,
    };
    let root = ["crate".to_owned()];
    [&root[..], base, rest].concat()
}

fn calls_on(tokens: TokenStream, receiver: &str, found: &mut Vec<String>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        if let TokenTree::Group(group) = token {
            calls_on(group.stream(), receiver, found);
        }
        if let [
            TokenTree::Ident(name),
            TokenTree::Punct(dot),
            TokenTree::Ident(method),
            TokenTree::Group(group),
            ..,
        ] = &tokens[at..]
            && name == receiver
            && dot.as_char() == '.'
            && group.delimiter() == Delimiter::Parenthesis
        {
            found.push(method.to_string());
        }
    }
}

/// The level and the message of `tracing::LEVEL!(…, "message")`, whose arguments come `after` its path.
fn event(paths: &[Vec<String>], after: &[TokenTree]) -> Option<(String, String)> {
    let [path] = paths else { return None };
    let [TokenTree::Punct(bang), TokenTree::Group(arguments), ..] = after else { return None };
    let is_event = path.len() == 2 && path[0] == "tracing" && bang.as_char() == '!';
    let arguments: Vec<TokenTree> = arguments.stream().into_iter().collect();
    let Some(TokenTree::Literal(message)) = arguments.last().filter(|_| is_event) else { return None };
    let has_target = matches!(arguments.first(), Some(TokenTree::Ident(first)) if first == "target");
    string(&message.to_string()).filter(|_| !has_target).map(|message| (path[1].to_uppercase(), message))
}

/// The text of a string literal as it is spelled, without its quotes; `None` for any other literal.
fn string(literal: &str) -> Option<String> {
    let raw = literal.trim_start_matches(['b', 'c', 'r', '#']);
    let text = raw.strip_prefix('"')?.trim_end_matches('#').strip_suffix('"')?;
    Some(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::parse("some.rs", text, &["outer".to_owned(), "inner".to_owned()])
    }

    fn paths(text: &str) -> Vec<String> {
        source(text).paths.iter().map(|path| path.join("::")).collect()
    }

    #[test]
    fn paths_are_found_in_trees_bodies_and_inner_modules() {
        assert_eq!(
            paths("use crate::{a::{b, c::*}, d as e};"),
            ["crate::a::b", "crate::a::c::*", "crate::d"]
        );
        assert_eq!(
            paths("use super::x; fn f() { super::super::y::z(self::w) }"),
            ["crate::outer::x", "crate::y::z", "crate::outer::inner::w",]
        );
        assert_eq!(
            paths("mod tests { use super::*; use super::super::super::far::off; }"),
            ["crate::outer::inner::*", "crate::far::off",]
        );
        assert_eq!(
            paths("fn f(a: Vec<crate::a::B>) -> C { a.b(|x| std::env::var::<T>(x)); D { e: crate::f::G } }"),
            ["crate::a::B", "std::env::var", "crate::f::G"]
        );
        assert_eq!(paths("macro_rules! m { () => { $crate::a::b } }"), ["crate::a::b"]);
    }

    #[test]
    fn strings_are_those_that_run() {
        let text = r##"//! "no"
            /// "no"
            #[doc = "no"]
            fn f() { g("one", b"two", r#"three"#, 'x', 4); }"##;
        assert_eq!(source(text).strings, ["one", "two", "three"]);
    }

    #[test]
    fn events_are_known_by_level_and_message() {
        let source = source(
            r#"fn f() { tracing::warn!(%fault, why = "x", "one"); match a { b => tracing::info!("two"), }
               tracing::info!(target: "metrics", Rule = "no"); other::info!("no"); tracing::debug_span!("no", c = 1); }
               #[cfg(test)] mod tests { fn g() { tracing::info!("no"); } }"#,
        );
        let found: Vec<_> =
            source.events.iter().map(|(level, message)| format!("{level} {message}")).collect();
        assert_eq!(found, ["WARN one", "INFO two"]);
    }

    #[test]
    fn functions_are_known_by_their_names() {
        let source = source(
            r#"impl A { fn one(&self) -> B { self.env.two("x").three(env.four()) } fn five(); } fn six() { "y" }"#,
        );
        let functions = source.functions();
        assert_eq!(functions.keys().collect::<Vec<_>>(), ["one", "six"]);
        assert_eq!(
            (&functions["one"].strings[..], &functions["six"].strings[..]),
            (&["x".to_owned()][..], &["y".to_owned()][..],)
        );
        assert_eq!(functions["one"].calls_on("env"), ["two", "four"]);
    }
}
