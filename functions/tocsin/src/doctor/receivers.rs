//! Whether each receiver can be told. What is asked, its own file in `shared/receivers` says.
//!
//! Invariant: nobody is told. Where a vendor has no question that proves a credential without telling someone, the finding
//! says what was not proven.

use config::Config;
use receivers::Receiver;
use receivers::readiness::Check;
use web::Sender;

use super::question::{Finding, Question, ask, either};

/// Questions to one vendor, at most.
const QUESTIONS_MAX: usize = 8;

pub(super) fn questions<'a>(config: &'a Config, sender: &'a Sender) -> Vec<Question<'a>> {
    let question = |receiver: &'a Receiver| {
        let section = format!("receivers.{}", receiver.name);
        let asked = Box::pin(async move { either(asked(receiver, sender).await) });
        Question { what: section.clone(), section, asked }
    };
    config.receivers.iter().map(question).collect()
}

async fn asked(receiver: &Receiver, sender: &Sender) -> Result<Finding, Finding> {
    let mut answers = Vec::new();
    for _ in 0..QUESTIONS_MAX {
        match receiver.check(&answers)? {
            Check::Ask(request) => answers.push(ask(sender, request).await?),
            Check::Ready(text) => return Ok(Finding::Ok(text)),
        }
    }
    Ok(Finding::Skipped(format!("it was not done after {QUESTIONS_MAX} questions")))
}
