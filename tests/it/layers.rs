//! The import rules: no folder of `src/` uses one on the same or a higher floor, there are no import cycles, and only the modules of a
//! protocol mention it. Re-exports are followed to the file that defines a name.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use syn::{
    Attribute, Item, ItemMod, ItemUse, UseTree, Visibility,
    visit::{self, Visit},
};

use crate::support::root;

/// The folders and files of `src/` by floor. Each may use the floors below it.
const FLOORS: &[&[&str]] = &[
    &["command"],
    &["check", "plan", "protocol", "sync"],
    &["console", "read"],
    &["emit"],
    &["error"],
    &["config", "schema", "state"],
    &["streams"],
    &["graph", "record"],
    &["cli", "printable", "secrets", "stdio"],
    &["level"],
];

/// The modules that may mention Airbyte or Singer.
const PROTOCOL_MODULES: &[&str] = &["cli", "command", "protocol"];

/// The path of a module or item from the root of the crate.
type Names = Vec<String>;

struct Source {
    path: PathBuf,
    text: String,
    /// The paths that the file imports or uses.
    imports: BTreeSet<Names>,
    /// Its re-exports: the name, and its origin.
    exports: BTreeMap<String, Names>,
}

/// All files of `src/` by module.
struct Modules(BTreeMap<Names, Source>);

impl Modules {
    fn read() -> Self {
        let mut paths = Vec::new();
        collect(&root().join("src"), &mut paths);
        let texts: Vec<_> = paths.into_iter().map(|path| (module(&path), fs::read_to_string(&path).unwrap(), path)).collect();
        Self(texts.into_iter().map(|(module, text, path)| (module.clone(), source(module, text, path))).collect())
    }

    /// The module that defines a name.
    fn defining(&self, names: &[String]) -> Names {
        let mut module = Names::new();
        for (at, name) in names.iter().enumerate() {
            let inner: Names = module.iter().chain([name]).cloned().collect();
            if self.0.contains_key(&inner) {
                module = inner;
            } else if let Some(from) = self.0[&module].exports.get(name) {
                let there: Names = from.iter().chain(&names[at + 1..]).cloned().collect();
                return self.defining(&there);
            } else {
                break;
            }
        }
        module
    }

    /// The other modules that each module uses.
    fn arrows(&self) -> BTreeMap<&Names, BTreeSet<Names>> {
        let of = |(module, source): (&Names, &Source)| {
            source.imports.iter().map(|names| self.defining(names)).filter(|used| used != module).collect()
        };
        self.0.iter().map(|entry| (entry.0, of(entry))).collect()
    }
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("main.rs") {
            paths.push(path);
        }
    }
}

fn module(path: &Path) -> Names {
    let inside = path.strip_prefix(root().join("src")).unwrap().with_extension("");
    let mut names: Names = inside.iter().map(|name| name.to_str().unwrap().to_owned()).collect();
    names.pop_if(|last| ["mod", "lib"].contains(&last.as_str()));
    names
}

fn source(module: Names, text: String, path: PathBuf) -> Source {
    let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let children = file.items.iter().filter_map(|item| match item {
        Item::Mod(item) if item.content.is_none() => Some(item.ident.to_string()),
        _ => None,
    });
    let mut reader =
        Reader { module, children: children.collect(), imports: BTreeSet::new(), exports: BTreeMap::new(), bare: BTreeSet::new() };
    reader.visit_file(&file);
    reader.imports.extend(reader.bare.iter().filter_map(|name| reader.exports.get(name).cloned()));
    let text = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
    Source { path, text, imports: reader.imports, exports: reader.exports }
}

/// Collects the imports of a file.
struct Reader {
    module: Names,
    children: BTreeSet<String>,
    imports: BTreeSet<Names>,
    exports: BTreeMap<String, Names>,
    /// Names without a path, which may be re-exports of the file.
    bare: BTreeSet<String>,
}

impl Reader {
    /// The path from the root of the crate, if it is in this crate.
    fn absolute(&self, names: &[String]) -> Option<Names> {
        let ups = names.iter().take_while(|name| *name == "super").count();
        let (base, rest) = match names.first()?.as_str() {
            "crate" => (&[][..], &names[1..]),
            "self" => (&*self.module, &names[1..]),
            "super" => (&self.module[..self.module.len().checked_sub(ups)?], &names[ups..]),
            first if self.children.contains(first) => (&*self.module, names),
            _ => return None,
        };
        Some(base.iter().chain(rest).cloned().collect())
    }

    fn import(&mut self, tree: &UseTree, before: &mut Names, is_export: bool) {
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.import(&path.tree, before, is_export);
                before.pop();
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.import(tree, before, is_export)),
            UseTree::Name(_) | UseTree::Rename(_) | UseTree::Glob(_) => {
                let (name, here) = match tree {
                    UseTree::Name(name) => (Some(name.ident.to_string()), name.ident.to_string()),
                    UseTree::Rename(rename) => (Some(rename.ident.to_string()), rename.rename.to_string()),
                    _ => (None, String::new()),
                };
                let names: Names = before.iter().cloned().chain(name.filter(|name| name != "self")).collect();
                let Some(names) = self.absolute(&names) else { return };
                if is_export {
                    self.exports.insert(here, names);
                } else {
                    self.imports.insert(names);
                }
            }
        }
    }
}

fn is_of_tests(attributes: &[Attribute]) -> bool {
    attributes
        .iter()
        .any(|attribute| attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test")))
}

impl<'f> Visit<'f> for Reader {
    fn visit_item_mod(&mut self, item: &'f ItemMod) {
        if !is_of_tests(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'f ItemUse) {
        self.import(&item.tree, &mut Names::new(), !matches!(item.vis, Visibility::Inherited));
    }

    /// Skips paths inside `pub(in crate::graph)`, which import nothing.
    fn visit_visibility(&mut self, _: &'f Visibility) {}

    fn visit_path(&mut self, path: &'f syn::Path) {
        let names: Names = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        match names.as_slice() {
            [name] => _ = self.bare.insert(name.clone()),
            names => self.imports.extend(self.absolute(names)),
        }
        visit::visit_path(self, path);
    }
}

fn floor(folder: &str) -> usize {
    let floor = FLOORS.iter().position(|floor| floor.contains(&folder));
    floor.unwrap_or_else(|| panic!("{folder} has no place in the house"))
}

#[test]
fn imports_follow_reexports_to_the_defining_file() {
    let read = |module: &[&str], text: &str| {
        let module: Names = module.iter().map(|&name| name.to_owned()).collect();
        (module.clone(), source(module, text.to_owned(), PathBuf::new()))
    };
    let house = Modules(BTreeMap::from([
        read(&[], "mod a; mod b;"),
        read(&["a"], "mod one; pub use one::One; pub use super::b::Two as Three;"),
        read(&["a", "one"], "pub struct One; fn f() -> crate::b::Two { super::super::b::g() } #[cfg(test)] mod tests { use crate::a; }"),
        read(&["b"], "use std::io; use crate::a::{self, One, Three}; pub struct Two;"),
    ]));
    let arrows: Vec<(String, Vec<String>)> =
        house.arrows().iter().map(|(from, to)| (from.join("::"), to.iter().map(|names| names.join("::")).collect())).collect();
    let expected = [("", vec![]), ("a", vec![]), ("a::one", vec!["b"]), ("b", vec!["a", "a::one"])];
    assert_eq!(arrows, expected.map(|(from, to)| (from.to_owned(), to.into_iter().map(str::to_owned).collect())));
}

#[test]
fn folders_only_use_lower_floors() {
    let house = Modules::read();
    for (module, used) in house.arrows() {
        let Some(folder) = module.first() else { continue };
        for used in used.iter().filter_map(|names| names.first()).filter(|used| *used != folder) {
            assert!(floor(used) > floor(folder), "{} uses {used}: {folder} may not", house.0[module].path.display());
        }
    }
}

#[test]
fn files_have_no_import_cycles() {
    let house = Modules::read();
    let arrows = house.arrows();
    let reached_from = |start: &Names| {
        let (mut reached, mut next) = (BTreeSet::new(), vec![start]);
        while let Some(module) = next.pop() {
            next.extend(arrows[module].iter().filter(|used| reached.insert((*used).clone())));
        }
        reached
    };
    let reached: BTreeMap<_, _> = arrows.keys().map(|&module| (module, reached_from(module))).collect();
    let circle = |module: &Names| -> Vec<String> {
        reached[module].iter().filter(|other| reached[other].contains(module)).map(|names| names.join("::")).collect()
    };
    let circles: BTreeSet<_> = arrows.keys().map(|module| circle(module)).filter(|circle| !circle.is_empty()).collect();
    assert!(circles.is_empty(), "files that import each other: {circles:#?}");
}

#[test]
fn no_file_leaves_its_module_with_super() {
    for source in Modules::read().0.values() {
        let depth = source.path.strip_prefix(root().join("src")).unwrap().components().count();
        let out = "super::".repeat(if source.path.ends_with("mod.rs") { depth - 1 } else { depth });
        assert!(out.is_empty() || !source.text.contains(&out), "{} uses {out}", source.path.display());
    }
}

#[test]
fn protocols_are_only_mentioned_in_their_modules() {
    for (module, source) in Modules::read().0 {
        if module.first().is_none_or(|folder| PROTOCOL_MODULES.contains(&folder.as_str())) {
            continue;
        }
        for word in ["airbyte", "singer", "meltano"] {
            assert!(!source.text.to_lowercase().contains(word), "{} mentions {word}", source.path.display());
        }
    }
}

#[test]
fn every_file_starts_with_its_purpose() {
    for source in Modules::read().0.values() {
        assert!(source.text.starts_with("//! "), "{}", source.path.display());
    }
}
