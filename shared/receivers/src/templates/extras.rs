//! What templates have beside handlebars' own: `link` and `truncate`.
//!
//! Invariant: what they write is as inert as a plain value, whatever their parameters are.

use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, JsonRender, JsonValue, Output, RenderContext, RenderError,
    ScopedJson,
};

use super::Markup;
use crate::text::cut;

pub(super) fn register(handlebars: &mut Handlebars<'static>, markup: Markup) {
    handlebars.register_helper("link", Box::new(Link(markup)));
    handlebars.register_helper("truncate", Box::new(Truncate));
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
