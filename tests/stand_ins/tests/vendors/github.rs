//! GitHub: deployments, statuses, comparisons, as plain HTTP and as octocrab reads them.

use jiff::{SignedDuration, Timestamp};
use octocrab::Octocrab;
use octocrab::models::commits::GithubCommitStatus;
use serde_json::json;
use tocsin_stand_ins::github::{Commit, Deployment, DeploymentStatus, Repo};
use tocsin_stand_ins::{Fault, Github};

use crate::wire::{Answer, client, install_crypto, send};

const BASE: &str = "5f1d3a9c0b7e4826d1f0a3c95b8e7d6420f1c3a7";
const HEAD: &str = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d";

fn now() -> Timestamp {
    "2026-11-20T10:00:00Z".parse().unwrap()
}

async fn seeded() -> Github {
    let vendor = Github::start().await.unwrap();
    vendor.seed_demo(now());
    vendor
}

async fn get(vendor: &Github, path: &str) -> Answer {
    send(client().get(format!("{}{path}", vendor.url())).header("user-agent", "test")).await
}

fn octocrab(vendor: &Github) -> Octocrab {
    install_crypto();
    Octocrab::builder().base_uri(vendor.url()).unwrap().build().unwrap()
}

fn deployment(id: u64, environment: &str, minutes: i64) -> Deployment {
    Deployment {
        id,
        sha: format!("{id:040x}"),
        git_ref: format!("v{id}"),
        environment: environment.to_owned(),
        creator: "mara".to_owned(),
        created_at: now().saturating_add(SignedDuration::from_mins(minutes)).unwrap(),
        statuses: Vec::new(),
    }
}

fn ids(answer: &Answer) -> Vec<u64> {
    answer.body.as_array().unwrap().iter().map(|deployment| deployment["id"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn the_demo_has_two_production_deployments() {
    let vendor = seeded().await;
    let answer = get(&vendor, "/repos/acme/support-chatbot/deployments?environment=production").await;
    assert_eq!((answer.status, ids(&answer)), (200, vec![4127, 4101]));
    let newest = &answer.body[0];
    assert_eq!((&newest["sha"], &newest["ref"]), (&json!(HEAD), &json!("main")));
    assert_eq!((&newest["creator"]["login"], &newest["production_environment"]), (&json!("jonas"), &json!(true)));

    let statuses = get(&vendor, "/repos/acme/support-chatbot/deployments/4127/statuses").await;
    let told: Vec<(&str, &str)> = statuses
        .body
        .as_array()
        .unwrap()
        .iter()
        .map(|status| (status["state"].as_str().unwrap(), status["created_at"].as_str().unwrap()))
        .collect();
    assert_eq!(told, [("success", "2026-11-20T09:48:00Z"), ("in_progress", "2026-11-20T09:44:00Z")]);
    let older = get(&vendor, "/repos/acme/support-chatbot/deployments/4101/statuses").await;
    assert_eq!(older.body[0]["created_at"], "2026-11-17T10:00:00Z");
}

#[tokio::test]
async fn octocrab_reads_the_comparison() {
    let vendor = seeded().await;
    let crab = octocrab(&vendor);
    let ahead = crab.commits("acme", "support-chatbot").compare(BASE, HEAD).send().await.unwrap();
    assert_eq!((ahead.total_commits, ahead.ahead_by, ahead.behind_by, ahead.commits.len()), (4, 4, 0, 4));
    assert!(matches!(ahead.status, GithubCommitStatus::Ahead));
    let newest = ahead.commits.last().unwrap();
    assert_eq!((newest.sha.as_str(), newest.commit.message.as_str()), (HEAD, "Switch chat route to gpt-4o-mini"));
    assert_eq!(newest.author.as_ref().map(|author| author.login.as_str()), Some("jonas"));
    assert_eq!(newest.parents[0].sha, ahead.commits[2].sha);

    let behind = crab.commits("acme", "support-chatbot").compare(HEAD, BASE).send().await.unwrap();
    assert_eq!((behind.total_commits, behind.behind_by, behind.commits.len()), (0, 4, 0));
    assert!(matches!(behind.status, GithubCommitStatus::Behind));
    assert_eq!(behind.merge_base_commit.sha, BASE);
    let same = crab.commits("acme", "support-chatbot").compare(HEAD, HEAD).send().await.unwrap();
    assert!(matches!(same.status, GithubCommitStatus::Identical));

    let page =
        crab.commits("acme", "support-chatbot").compare(BASE, HEAD).per_page(3).page(2_u32).send().await.unwrap();
    assert_eq!((page.total_commits, page.commits.len()), (4, 1));
    assert_eq!(page.commits[0].sha, HEAD);
}

#[tokio::test]
async fn octocrab_reads_the_deployments_by_a_plain_get() {
    let vendor = seeded().await;
    let query = [("environment", "production"), ("per_page", "1")];
    let found: Vec<serde_json::Value> =
        octocrab(&vendor).get("/repos/acme/support-chatbot/deployments", Some(&query)).await.unwrap();
    assert_eq!((found.len(), &found[0]["id"]), (1, &json!(4127)));
}

#[tokio::test]
async fn deployments_are_filtered_and_newest_first() {
    let vendor = Github::start().await.unwrap();
    let deployments = vec![deployment(2, "production", 5), deployment(1, "staging", 9), deployment(3, "production", 1)];
    vendor.seed(Repo { owner: "acme".to_owned(), name: "x".to_owned(), deployments, commits: Vec::new() });
    let cases = [
        ("", vec![1, 2, 3]),
        ("?environment=production", vec![2, 3]),
        ("?ref=v3", vec![3]),
        ("?sha=0000000000000000000000000000000000000002", vec![2]),
        ("?environment=staging&ref=v3", vec![]),
    ];
    for (query, expected) in cases {
        assert_eq!(ids(&get(&vendor, &format!("/repos/acme/x/deployments{query}")).await), expected, "{query}");
    }
}

#[tokio::test]
async fn pages_are_linked() {
    let vendor = Github::start().await.unwrap();
    let deployments = (1..=250).map(|id| deployment(id, "production", i64::try_from(id).unwrap())).collect();
    vendor.seed(Repo { owner: "acme".to_owned(), name: "x".to_owned(), deployments, commits: Vec::new() });
    let count = |answer: &Answer| answer.body.as_array().map(Vec::len);
    assert_eq!(count(&get(&vendor, "/repos/acme/x/deployments").await), Some(30));
    let page = get(&vendor, "/repos/acme/x/deployments?per_page=101&page=2&environment=production").await;
    assert_eq!((count(&page), ids(&page)[0]), (Some(100), 150));
    let own = format!("{}/repos/acme/x/deployments?environment=production&per_page=100", vendor.url());
    let link = format!(
        "<{own}&page=1>; rel=\"prev\", <{own}&page=1>; rel=\"first\", \
         <{own}&page=3>; rel=\"next\", <{own}&page=3>; rel=\"last\""
    );
    assert_eq!(page.header("link"), link);
    assert_eq!(count(&get(&vendor, "/repos/acme/x/deployments?per_page=100&page=4").await), Some(0));
    assert_eq!(get(&vendor, "/repos/acme/x/deployments?environment=none").await.header("link"), "");
}

#[tokio::test]
async fn what_is_unknown_is_404() {
    let vendor = seeded().await;
    let paths = [
        "/repos/acme/other/deployments".to_owned(),
        "/repos/other/support-chatbot/deployments".to_owned(),
        "/repos/acme/support-chatbot/deployments/1/statuses".to_owned(),
        format!("/repos/acme/support-chatbot/compare/{BASE}...ffffffff"),
        format!("/repos/acme/support-chatbot/compare/{BASE}"),
        "/rate_limits".to_owned(),
    ];
    let expected = json!({
        "message": "Not Found",
        "documentation_url": "https://docs.github.com/rest",
        "status": "404",
    });
    for path in paths {
        let answer = get(&vendor, &path).await;
        assert_eq!((answer.status, &answer.body), (404, &expected), "{path}");
    }
    let short = format!("/repos/Acme/Support-Chatbot/compare/{}...{}", &BASE[..7], &HEAD[..7]);
    assert_eq!(get(&vendor, &short).await.status, 200);
}

#[tokio::test]
async fn a_token_is_checked_where_one_is_asked_for() {
    let vendor = seeded().await;
    vendor.require_token(Some("t"));
    let url = format!("{}/repos/acme/support-chatbot/deployments", vendor.url());
    assert_eq!(send(client().get(&url)).await.body["message"], "Bad credentials");
    assert_eq!(send(client().get(&url).bearer_auth("wrong")).await.status, 401);
    assert_eq!(send(client().get(&url).bearer_auth("t")).await.status, 200);
    assert_eq!(send(client().get(&url).header("authorization", "token t")).await.status, 200);
    vendor.require_token(None);
    assert_eq!(send(client().get(&url)).await.status, 200);
}

#[tokio::test]
async fn rate_limits_show_in_the_headers() {
    let vendor = seeded().await;
    let path = "/repos/acme/support-chatbot/deployments";
    let usual = get(&vendor, path).await;
    assert_eq!((usual.header("x-ratelimit-limit"), usual.header("x-ratelimit-remaining")), ("5000", "4999"));
    vendor.faults().next(1, Fault::status(403));
    let primary = get(&vendor, path).await;
    assert_eq!((primary.status, primary.header("x-ratelimit-remaining")), (403, "0"));
    assert!(primary.header("x-ratelimit-reset").parse::<i64>().unwrap() > now().as_second());
    assert!(primary.body["message"].as_str().unwrap().starts_with("API rate limit exceeded"));
    vendor.faults().next(1, Fault::Status { status: 429, retry_after_secs: Some(60), body: String::new() });
    let secondary = get(&vendor, path).await;
    assert_eq!((secondary.status, secondary.header("retry-after")), (429, "60"));
    assert_eq!(secondary.header("x-ratelimit-remaining"), "4999");
    assert!(secondary.body["message"].as_str().unwrap().contains("secondary rate limit"));
}

#[tokio::test]
async fn a_repository_can_be_seeded_anew() {
    let vendor = seeded().await;
    let status = DeploymentStatus { state: "failure".to_owned(), created_at: now(), log_url: String::new() };
    let failed = Deployment { statuses: vec![status], ..deployment(9, "production", 0) };
    let message = "first".to_owned();
    let commits = vec![Commit { sha: HEAD.to_owned(), message, author: "mara".to_owned(), at: now() }];
    let (owner, name) = ("acme".to_owned(), "support-chatbot".to_owned());
    vendor.seed(Repo { owner, name, deployments: vec![failed], commits });
    assert_eq!(ids(&get(&vendor, "/repos/acme/support-chatbot/deployments").await), [9]);
    let statuses = get(&vendor, "/repos/acme/support-chatbot/deployments/9/statuses").await;
    assert_eq!(statuses.body[0]["state"], "failure");
    assert_eq!(vendor.repos().len(), 1);
}
