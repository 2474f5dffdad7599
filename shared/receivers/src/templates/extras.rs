//! What templates have beside handlebars' own: `link`, `truncate`, `encoded`, and in JSON `json` and `number`.
//!
//! Invariant: what they write is as inert as a plain value, whatever their parameters are.

use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, JsonRender, JsonValue, Output, RenderContext, RenderError,
    ScopedJson,
};

use super::Markup;
use crate::text::{cut, percent_encoded};

const NULL: &str = "null";

pub(super) fn register(handlebars: &mut Handlebars<'static>, markup: Markup) {
    handlebars.register_helper("link", Box::new(Link(markup)));
    handlebars.register_helper("truncate", Box::new(Truncate));
    handlebars.register_helper("encoded", Box::new(Encoded));
    if markup == Markup::Json {
        handlebars.register_helper("json", Box::new(Json));
        handlebars.register_helper("number", Box::new(Number));
    }
}

/// `{{link href text}}`; without a text the address is the text.
struct Link(Markup);

impl HelperDef for Link {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let parameter = |i| helper.param(i).map(|p| p.value().render()).unwrap_or_default();
        Ok(out.write(&self.0.link(&parameter(0), &parameter(1)))?)
    }
}

/// `{{encoded text}}`: percent-encoded, for a part of an address.
struct Encoded;

impl HelperDef for Encoded {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let text = helper.param(0).map(|p| p.value().render()).unwrap_or_default();
        Ok(out.write(&percent_encoded(&text))?)
    }
}

/// `{{json fact}}`: text in quotes, a list, an object, a number, or `null`.
struct Json;

impl HelperDef for Json {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let value = helper.param(0).map(|p| p.value().to_string());
        Ok(out.write(value.as_deref().unwrap_or(NULL))?)
    }
}

/// `{{number fact}}`: the number that a text holds, else `null`.
struct Number;

impl HelperDef for Number {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let text = helper.param(0).map(|p| p.value().render()).unwrap_or_default();
        // What JSON takes as a number is narrower than what Rust does.
        let number = serde_json::from_str::<serde_json::Number>(&text).map(|number| number.to_string());
        Ok(out.write(number.as_deref().unwrap_or(NULL))?)
    }
}

/// `{{truncate text units}}`.
struct Truncate;

impl HelperDef for Truncate {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let text = helper.param(0).map(|p| p.value().render()).unwrap_or_default();
        let units = helper.param(1).and_then(|p| p.value().as_u64()).and_then(|n| usize::try_from(n).ok());
        Ok(ScopedJson::Derived(JsonValue::String(cut(&text, units.unwrap_or(usize::MAX)))))
    }
}
