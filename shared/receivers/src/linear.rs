//! Linear over GraphQL: one issue an episode, everything later as its comments, and its state when it is over.
//!
//! Invariant: at most one issue an episode and one comment a delivery. Both are made under a UUID that the delivery's id
//! gives, so that the same one is never there twice; an answer that was lost, and a refusal because the id is taken, are
//! looked up by that UUID.
//! Source: <https://linear.app/developers/graphql>, and the schema that it serves (`IssueCreateInput`, `CommentCreateInput`).

use std::collections::BTreeMap;

use domain::{Outcome, ReceiverKind, Severity, Transition};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::facts::Facts;
use crate::form;
use crate::kind::{Definition, YES};
use crate::readiness::{Check, NotReady, json_of, word, word_or};
use crate::section::Section;
use crate::templates::{Markup, Template};
use crate::text::{address, cut};
use crate::{Address, Context, Method, Request, Response, Step, Vendor};

mod answer;
mod id;

pub use id::client_id;

/// Registered in `domain`.
pub(crate) const DEFINITION: Definition = Definition {
    settings,
    templates: &[
        Template {
            name: "linear/title.hbs",
            markup: Markup::Plain,
            text: include_str!("../../../templates/linear/title.hbs"),
        },
        Template {
            name: "linear/description.hbs",
            markup: Markup::CommonMark,
            text: include_str!("../../../templates/linear/description.hbs"),
        },
        Template {
            name: "linear/comment.hbs",
            markup: Markup::CommonMark,
            text: include_str!("../../../templates/linear/comment.hbs"),
        },
    ],
    yes: YES,
};

/// Where the API lives; `/graphql` follows it.
pub const BASE_URL: &str = "https://api.linear.app";

/// Creates the issue.
const CREATE: &str = "create";
/// Adds a comment.
const COMMENT: &str = "comment";
/// Reads the team's states.
const STATES: &str = "states";
/// Moves the issue into its last state.
const MOVE: &str = "move";

/// Longest title, in UTF-16 units; no limit is documented.
const TITLE_UNITS_MAX: usize = 255;

/// Linear's priorities: 1 is urgent, 2 high, 3 medium, 4 low; 0 is none.
const PRIORITY_MAX: u8 = 4;

/// Hexadecimal digits between the hyphens of a UUID.
const UUID: [usize; 5] = [8, 4, 4, 4, 12];

/// What an OAuth token begins with. It is sent as `Bearer`, a personal API key as it is.
const OAUTH_PREFIX: &str = "lin_oauth_";

const CREATE_ISSUE: &str = "mutation TocsinCreate($input: IssueCreateInput!) { issueCreate(input: $input) { success \
                            issue { id identifier url } } }";
const CREATE_COMMENT: &str =
    "mutation TocsinComment($input: CommentCreateInput!) { commentCreate(input: $input) { success comment { id } } }";
const MOVE_ISSUE: &str = "mutation TocsinMove($id: String!, $input: IssueUpdateInput!) { issueUpdate(id: $id, input: \
                          $input) { success issue { id } } }";
const FIND_ISSUE: &str = "query TocsinIssue($filter: IssueFilter) { issues(filter: $filter, first: 1, includeArchived: \
                          true) { nodes { id identifier url } } }";
const FIND_COMMENT: &str =
    "query TocsinComments($filter: CommentFilter) { comments(filter: $filter, first: 1) { nodes { id } } }";
const TEAM_STATES: &str =
    "query TocsinStates($id: String!) { team(id: $id) { states { nodes { id name type position } } } }";

/// Who we are, and whether the team is there.
const VIEWER: &str = "query TocsinDoctor($id: String!) { viewer { id } team(id: $id) { id name } }";

/// Where issues are made, as whom, and how they look.
#[derive(Debug, Clone)]
pub struct Settings {
    /// [`BASE_URL`] unless a test says otherwise.
    pub base_url: String,
    /// A personal API key (`lin_api_…`) or an OAuth token (`lin_oauth_…`).
    pub api_key: SecretString,
    /// The team's UUID.
    pub team: String,
    /// The project's UUID.
    pub project: Option<String>,
    /// UUIDs of labels.
    pub labels: Vec<String>,
    /// Linear's priority by severity: 1 is urgent, 4 low, 0 none.
    pub priorities: BTreeMap<Severity, u8>,
    /// UUID of the state that an issue ends in; without it the team's first one of type `completed`.
    pub resolved_state: Option<String>,
}

/// Team, project, labels and state are UUIDs, the form in which Linear's API wants them.
fn settings(section: &Section<'_>) -> Option<Box<dyn Vendor>> {
    let base_url = section.base_url(Some(BASE_URL), "The API's address, where it is another.");
    let api_key = section.required("api_key", form::token(), "May create issues and comments.");
    let uuid = || {
        let mend = "copy it in Linear: command menu, \"Copy model UUID\"";
        form::text().checked("this is no UUID", mend, |text| is_uuid(text)).map(|text| text.to_ascii_lowercase())
    };
    let team = section.required("team", uuid(), "The team's UUID.");
    let project = section.optional("project", uuid(), "The project's UUID.");
    let labels = section.or("labels", Vec::new(), form::one_or_more(uuid()), "UUIDs of labels.");
    let priority = form::whole(0, PRIORITY_MAX.into()).map(|priority| u8::try_from(priority).unwrap_or(PRIORITY_MAX));
    let priorities =
        section.or("priorities", BTreeMap::new(), form::by_severity(priority), "1 is urgent, 4 low, 0 none.");
    let resolved_state = section.optional("resolved_state", uuid(), "UUID of the state that an issue ends in.");
    let usual = [(Severity::Critical, 1), (Severity::Error, 2), (Severity::Warning, 3), (Severity::Info, 4)];
    Some(Box::new(Settings {
        base_url: base_url?,
        api_key: api_key?,
        team: team?,
        project: project?,
        labels: labels?,
        priorities: usual.into_iter().chain(priorities?).collect(),
        resolved_state: resolved_state?,
    }))
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let hex = |part: &&str| part.bytes().all(|b| b.is_ascii_hexdigit());
    parts.iter().map(|part| part.len()).eq(UUID) && parts.iter().all(hex)
}

impl Vendor for Settings {
    fn kind(&self) -> ReceiverKind {
        ReceiverKind::Linear
    }

    fn next(&self, context: &Context<'_>) -> Step {
        if let Some(step) = self.look_up(context) {
            return step;
        }
        let known = context.known.get("issue").filter(|_| context.notification.transition != Transition::Opened);
        let told = match known {
            Some(issue) => (!context.done(COMMENT)).then(|| self.comment(context, issue)),
            None => (!context.done(CREATE)).then(|| self.create(context)),
        };
        let resolved = context.notification.transition == Transition::Resolved;
        match (told, context.handle("issue")) {
            (Some(step), _) => step,
            (None, Some(issue)) if resolved => self.close(context, issue),
            (None, _) => Step::Finished,
        }
    }

    fn interpret(&self, step: &str, response: &Response) -> Outcome {
        answer::interpret(step, response, self.api_key.expose_secret())
    }

    fn interpret_lookup(&self, of: &str, _context: &Context<'_>, response: &Response) -> Outcome {
        answer::interpret_lookup(of, response, self.api_key.expose_secret())
    }

    fn check(&self, answers: &[Response]) -> Result<Check, NotReady> {
        let Some(answer) = answers.first() else {
            let request = self.request(VIEWER, &json!({ "id": self.team }));
            return Ok(Check::Ask(Request { secret_path: true, ..request }));
        };
        let mends = [(400, "look at api_key"), (401, "look at api_key"), (403, "look at api_key")];
        let body = json_of("Linear", answer, &mends)?;
        let failed = body["errors"].get(0).map(|error| &error["message"]);
        match (failed, &body["data"]["team"]["id"]) {
            (Some(message), _) => Err(NotReady::new(format!("Linear: {}", word(message)), "look at api_key and team")),
            (None, Value::String(_)) => Ok(Check::Ready(format!(
                "Linear: the key is taken, and the team {} is there",
                word_or(&body["data"]["team"]["name"], "by its id")
            ))),
            (None, _) => Err(NotReady::new("Linear has no such team", "copy the team's UUID (Copy model UUID)")),
        }
    }

    fn credentials(&self) -> Vec<&SecretString> {
        vec![&self.api_key]
    }

    fn address(&mut self) -> Address<'_> {
        Address::Base(&mut self.base_url, "")
    }
}

impl Settings {
    fn create(&self, context: &Context<'_>) -> Step {
        let facts = Facts::of(context.notification);
        let mut input = json!({
            "id": client_id(CREATE, context.delivery),
            "teamId": self.team,
            "title": cut(&context.templates.render_line("linear/title.hbs", &facts), TITLE_UNITS_MAX),
            "description": context.templates.render("linear/description.hbs", &facts),
        });
        if let Some(priority) = self.priorities.get(&context.notification.severity) {
            input["priority"] = (*priority).into();
        }
        if let Some(project) = &self.project {
            input["projectId"] = project.as_str().into();
        }
        if !self.labels.is_empty() {
            input["labelIds"] = json!(self.labels);
        }
        self.send(CREATE, CREATE_ISSUE, &json!({ "input": input }))
    }

    fn comment(&self, context: &Context<'_>, issue: &str) -> Step {
        let body = context.templates.render("linear/comment.hbs", &Facts::of(context.notification));
        let id = client_id(COMMENT, context.delivery);
        self.send(COMMENT, CREATE_COMMENT, &json!({ "input": { "id": id, "issueId": issue, "body": body } }))
    }

    /// An issue whose team has no state to end in stays as it is.
    fn close(&self, context: &Context<'_>, issue: &str) -> Step {
        let state = self.resolved_state.as_deref().or_else(|| context.progress.handle.get("state"));
        match state {
            _ if context.done(MOVE) => Step::Finished,
            Some(state) => self.send(MOVE, MOVE_ISSUE, &json!({ "id": issue, "input": { "stateId": state } })),
            None if context.done(STATES) => Step::Finished,
            None => self.send(STATES, TEAM_STATES, &json!({ "id": self.team })),
        }
    }

    /// Asks for the issue or the comment that may be there.
    fn look_up(&self, context: &Context<'_>) -> Option<Step> {
        let of = [CREATE, COMMENT].into_iter().find(|step| context.uncertain(step))?;
        let query = if of == CREATE { FIND_ISSUE } else { FIND_COMMENT };
        let variables = json!({ "filter": { "id": { "eq": client_id(of, context.delivery) } } });
        Some(Step::LookUp { of, request: self.request(query, &variables) })
    }

    fn send(&self, name: &'static str, query: &str, variables: &Value) -> Step {
        Step::Send { name, request: self.request(query, variables) }
    }

    fn request(&self, query: &str, variables: &Value) -> Request {
        let key = self.api_key.expose_secret();
        let authorization = if key.starts_with(OAUTH_PREFIX) { format!("Bearer {key}") } else { key.to_owned() };
        Request {
            method: Method::Post,
            url: address(&self.base_url, "/graphql"),
            secret_path: false,
            headers: vec![("authorization", authorization.into())],
            body: Some(json!({ "query": query, "variables": variables })),
        }
    }
}
