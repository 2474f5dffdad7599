//! How messages read: the bundled templates, and the users' own in their place.
//!
//! Invariant: a message always has a text. A template that fails, that says nothing or that writes too much gives way
//! to a plain message that names it; values are escaped for the receiver's markup, so that nothing in an alert pings,
//! links or formats. A template can include no other, so that none recurs.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use domain::ReceiverKind;
use handlebars::{Handlebars, TemplateErrorReason};
use serde_json::Value;
use thiserror::Error;

use crate::definition;
use crate::facts::Facts;
use crate::text::{cut, one_line};

mod check;
mod extras;
mod markup;
mod plain;
pub(crate) use markup::{GUARD, Markup, is_markdown_sign};

/// Longest rendered text, in bytes.
const OUTPUT_BYTES_MAX: usize = 64 * 1024;

/// Longest reason in a template's error, in UTF-16 units.
const WHY_UNITS_MAX: usize = 300;

/// One template that comes with Tocsin.
pub(crate) struct Template {
    /// `<receiver>/<name>.hbs`.
    pub(crate) name: &'static str,
    /// How its values are escaped.
    pub(crate) markup: Markup,
    /// The bundled text.
    pub(crate) text: &'static str,
}

/// Every template's name, by receiver kind.
static NAMES: LazyLock<Vec<&'static str>> = LazyLock::new(|| every().map(|template| template.name).collect());

/// The templates of every kind.
fn every() -> impl Iterator<Item = &'static Template> {
    ReceiverKind::ALL.into_iter().flat_map(|kind| definition(kind).templates)
}

/// One mistake in one template.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{name}:{line}: {why}")]
pub struct TemplateError {
    /// The template's name: `slack/message.hbs`.
    pub name: String,
    /// The line, from 1; 1 where the mistake is the whole file's.
    pub line: usize,
    /// What is wrong, for people.
    pub why: String,
}

/// Every template, ready to render.
#[derive(Clone)]
pub struct Templates {
    engines: BTreeMap<&'static str, Engine>,
    /// What gave way to a plain message, where someone wants to know.
    noted: Option<Arc<Mutex<Vec<TemplateError>>>>,
}

/// One template in a registry of its own, so that it finds no other to include.
#[derive(Clone)]
struct Engine {
    markup: Markup,
    handlebars: Handlebars<'static>,
}

impl Templates {
    /// The templates that come with Tocsin.
    #[must_use]
    pub fn bundled() -> Self {
        // A bundled template that did not parse would leave its engine empty and its messages plain: a test forbids it.
        let engines = every().map(|one| (one.name, Engine::new(one.markup, one.name, one.text).0)).collect();
        Self { engines, noted: None }
    }

    /// The same, and what gives way to a plain message is noted from now on, for [`Self::noted`].
    #[must_use]
    pub fn noting(&self) -> Self {
        Self { engines: self.engines.clone(), noted: Some(Arc::default()) }
    }

    /// Takes what gave way to a plain message since it was last taken.
    #[must_use]
    pub fn noted(&self) -> Vec<TemplateError> {
        let noted = self.noted.as_ref().map(|noted| noted.lock().unwrap_or_else(PoisonError::into_inner));
        noted.map(|mut noted| std::mem::take(&mut *noted)).unwrap_or_default()
    }

    /// The users' templates by name (`slack/message.hbs`), the bundled ones in place of those not given.
    ///
    /// # Errors
    /// Every mistake of every file: a name that no receiver asks for, a syntax error, a tag that is not allowed, an
    /// unknown helper.
    pub fn from_files(files: impl IntoIterator<Item = (String, String)>) -> Result<Self, Vec<TemplateError>> {
        let mut templates = Self::bundled();
        let mut errors = Vec::new();
        for (name, text) in files {
            let Some(Template { name: known, markup, .. }) = every().find(|known| known.name == name) else {
                let why = format!("no receiver asks for a template of that name; there are {}", NAMES.join(", "));
                errors.push(TemplateError { name, line: 1, why });
                continue;
            };
            match check::mistake(&text).map(|(line, why)| error(known, line, &why)) {
                Some(mistake) => errors.push(mistake),
                None => match Engine::new(*markup, known, &text) {
                    (_, Some(mistake)) => errors.push(mistake),
                    (engine, None) => drop(templates.engines.insert(known, engine)),
                },
            }
        }
        if errors.is_empty() { Ok(templates) } else { Err(errors) }
    }

    /// The bundled templates' names and texts, to be copied and edited.
    pub fn texts() -> impl Iterator<Item = (&'static str, &'static str)> {
        every().map(|template| (template.name, template.text))
    }

    /// The names there are.
    #[must_use]
    pub fn names() -> &'static [&'static str] {
        &NAMES
    }

    /// The template's text over the facts, or the plain message in its markup.
    pub(crate) fn render(&self, name: &str, facts: &Facts) -> String {
        let markup = self.engines.get(name).map_or(Markup::Plain, |engine| engine.markup);
        self.written(name, facts).unwrap_or_else(|| plain::message(name, markup, facts))
    }

    /// The same on one line.
    pub(crate) fn render_line(&self, name: &str, facts: &Facts) -> String {
        let line = self.written(name, facts).map(|text| one_line(&text)).filter(|line| says_something(line));
        line.unwrap_or_else(|| plain::line(name, facts))
    }

    /// The template's text as JSON, or the plain message as an object that says which template failed.
    pub(crate) fn render_json(&self, name: &str, facts: &Facts) -> Value {
        let read = self.written(name, facts).and_then(|text| match serde_json::from_str(&text) {
            Ok(body) => Some(body),
            Err(mistake) => {
                self.note(name, 1, &format!("what it writes is not JSON: {mistake}"));
                None
            }
        });
        read.unwrap_or_else(|| plain::object(name, facts))
    }

    /// What the template writes, where it says something.
    fn written(&self, name: &str, facts: &Facts) -> Option<String> {
        match self.engines.get(name)?.render(name, facts) {
            Ok(text) if says_something(&text) => Some(text),
            Ok(_) => {
                self.note(name, 1, "it says nothing");
                None
            }
            Err(mistake) => {
                self.note(name, mistake.line_no.unwrap_or(1), &mistake.reason().to_string());
                None
            }
        }
    }

    fn note(&self, name: &str, line: usize, why: &str) {
        if let Some(noted) = &self.noted {
            noted.lock().unwrap_or_else(PoisonError::into_inner).push(error(name, line, why));
        }
    }
}

impl fmt::Debug for Templates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.engines.keys()).finish()
    }
}

impl Engine {
    /// The engine, and what is wrong with its template. An engine without its template renders nothing.
    fn new(markup: Markup, name: &'static str, text: &str) -> (Self, Option<TemplateError>) {
        let mut handlebars = Handlebars::new();
        handlebars.register_escape_fn(move |value| markup.escape(value));
        // It writes values to the log.
        handlebars.unregister_helper("log");
        extras::register(&mut handlebars, markup);
        let parsed = handlebars.register_template_string(name, text);
        let mut engine = Self { markup, handlebars };
        let mistake = match parsed {
            Err(mistake) => {
                let why = match mistake.reason() {
                    TemplateErrorReason::InvalidSyntax(why) => format!("not a template here: {why}"),
                    reason => reason.to_string(),
                };
                Some(error(name, mistake.pos().map_or(1, |(line, _)| line), &why))
            }
            Ok(()) => engine.try_out(name),
        };
        if mistake.is_some() {
            engine.handlebars.clear_templates();
        }
        (engine, mistake)
    }

    /// Renders it over full and over empty facts: an unknown helper shows only then.
    fn try_out(&mut self, name: &'static str) -> Option<TemplateError> {
        for facts in [Facts::sample(), Facts::default()] {
            let text = match self.render(name, &facts) {
                Ok(text) => text,
                Err(mistake) => {
                    return Some(error(name, mistake.line_no.unwrap_or(1), &mistake.reason().to_string()));
                }
            };
            let read = serde_json::from_str::<Value>(&text);
            if let (Markup::Json, Err(mistake)) = (self.markup, read) {
                return Some(error(name, 1, &format!("what it writes is not JSON: {mistake}")));
            }
        }
        None
    }

    fn render(&self, name: &str, facts: &Facts) -> Result<String, handlebars::RenderError> {
        let mut output = Bounded::default();
        self.handlebars.render_with_context_to_write(name, facts.read()?, &mut output)?;
        Ok(String::from_utf8(output.0)?)
    }
}

/// A buffer that refuses to grow past [`OUTPUT_BYTES_MAX`].
#[derive(Default)]
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > OUTPUT_BYTES_MAX {
            return Err(io::Error::other("it writes more than 64 KB"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// True where there is more than white space and the marks of our own line format.
fn says_something(text: &str) -> bool {
    text.chars().any(|c| !c.is_whitespace() && !c.is_control() && !"#-~*".contains(c))
}

fn error(name: &str, line: usize, why: &str) -> TemplateError {
    TemplateError { name: name.to_owned(), line, why: cut(&one_line(why), WHY_UNITS_MAX) }
}
