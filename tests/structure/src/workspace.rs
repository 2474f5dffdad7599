//! What the rules look at: packages as cargo sees them, source files and the top level as they lie on disk.
//!
//! Invariant: paths are relative to the workspace's root and written with `/`; build output is never read.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Folders that hold Rust code of ours.
const CODE: [&str; 3] = ["functions", "shared", "tests"];

/// Folders that hold what tools made.
const MADE: [&str; 2] = ["target", "node_modules"];

/// One dependency of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// The package's name, whatever it is called locally.
    pub package: String,
    /// True for a dependency that only the package's own tests have.
    pub only_tests: bool,
}

/// One member of the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its folder: `shared/domain`.
    pub folder: String,
    /// What it depends on.
    pub dependencies: Vec<Dependency>,
    /// Its `Cargo.toml` as text.
    pub manifest: String,
}

/// One `.rs` file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// `shared/domain/src/lib.rs`.
    pub path: String,
    /// All of it.
    pub text: String,
}

/// Everything that the rules look at.
#[derive(Debug)]
pub struct Workspace {
    /// The members.
    pub packages: Vec<Package>,
    /// Every `.rs` file below `functions`, `shared` and `tests`, in order of their paths.
    pub sources: Vec<SourceFile>,
    /// Names of the files and folders beside the root manifest.
    pub top_level: Vec<String>,
    /// The threat model, `.github/SECURITY.md`.
    pub threats: String,
}

impl Workspace {
    /// Reads the workspace that this package belongs to.
    ///
    /// # Errors
    /// When cargo cannot tell its members, or a file cannot be read.
    pub fn read() -> io::Result<Self> {
        let metadata = metadata()?;
        let root = PathBuf::from(string(&metadata, "workspace_root")?);
        let members = list(&metadata, "packages")?;
        let mut sources = Vec::new();
        for folder in CODE {
            collect(&root, &root.join(folder), &mut sources)?;
        }
        Ok(Self {
            packages: members.iter().map(|member| package(&root, member)).collect::<io::Result<_>>()?,
            sources,
            top_level: names(&root)?,
            threats: fs::read_to_string(root.join(".github/SECURITY.md"))?,
        })
    }
}

fn metadata() -> io::Result<Value> {
    let told = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .output()?;
    if !told.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&told.stderr).into_owned()));
    }
    serde_json::from_slice(&told.stdout).map_err(io::Error::other)
}

fn package(root: &Path, member: &Value) -> io::Result<Package> {
    let manifest = PathBuf::from(string(member, "manifest_path")?);
    let folder = manifest.parent().unwrap_or(root);
    let dependency = |dependency: &Value| {
        let only_tests = dependency.get("kind").and_then(Value::as_str) == Some("dev");
        Ok(Dependency { package: string(dependency, "name")?, only_tests })
    };
    Ok(Package {
        name: string(member, "name")?,
        folder: relative(root, folder),
        dependencies: list(member, "dependencies")?.iter().map(dependency).collect::<io::Result<_>>()?,
        manifest: fs::read_to_string(&manifest)?,
    })
}

fn collect(root: &Path, folder: &Path, sources: &mut Vec<SourceFile>) -> io::Result<()> {
    for name in names(folder)? {
        let path = folder.join(&name);
        if path.is_dir() {
            if !MADE.contains(&name.as_str()) && !name.starts_with('.') {
                collect(root, &path, sources)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push(SourceFile { path: relative(root, &path), text: fs::read_to_string(&path)? });
        }
    }
    Ok(())
}

fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = fs::read_dir(folder)?;
    let mut names: Vec<String> =
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect::<io::Result<_>>()?;
    names.sort();
    Ok(names)
}

fn relative(root: &Path, path: &Path) -> String {
    let inside = path.strip_prefix(root).unwrap_or(path);
    inside.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

fn string(value: &Value, key: &str) -> io::Result<String> {
    value.get(key).and_then(Value::as_str).map(str::to_owned).ok_or_else(|| absent(key))
}

fn list<'a>(value: &'a Value, key: &str) -> io::Result<&'a Vec<Value>> {
    value.get(key).and_then(Value::as_array).ok_or_else(|| absent(key))
}

fn absent(key: &str) -> io::Error {
    io::Error::other(format!("cargo metadata tells no `{key}`"))
}
