//! Start, count, stop, start again.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use aws_sdk_sqs::types::Message;
use tempfile::TempDir;
use tocsin_embedded::{Embedded, StartError, Storage};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::clients::{TABLE, create_table, dynamo, get, item, number, sqs, start};

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

#[tokio::test]
async fn tables_in_a_directory_survive_a_restart_and_queues_do_not() {
    let home = TempDir::new().expect("a directory");
    let storage = || Storage::Directory(home.path().join("data"));
    let kept = item("FP#1", "INCIDENT", &[("version", number(1))]);
    let engines = Embedded::start(storage()).await.expect("the directory is made");
    let client = dynamo(&engines);
    create_table(&client).await;
    client.put_item().table_name(TABLE).set_item(Some(kept.clone())).send().await.expect("the item is put");
    sqs(&engines).create_queue().queue_name("inbox").send().await.expect("the queue is created");
    drop(engines);

    let engines = Embedded::start(storage()).await.expect("the tables are opened again");
    assert_eq!(get(&dynamo(&engines), "FP#1", "INCIDENT").await, Some(kept));
    let queues = sqs(&engines).list_queues().send().await.expect("the queues are listed");
    assert_eq!(queues.queue_urls(), [] as [String; 0]);
}

#[tokio::test]
async fn every_call_is_counted_by_its_operation_also_a_refused_one() {
    let engines = start().await;
    assert!(engines.calls().is_empty());
    let client = dynamo(&engines);
    create_table(&client).await;
    for _ in 0..3 {
        assert_eq!(get(&client, "FP#1", "INCIDENT").await, None);
    }
    let nowhere = format!("{}/000000000000/nowhere", engines.sqs_url());
    let refused = sqs(&engines).send_message().queue_url(nowhere).message_body("x").send().await;
    assert!(refused.is_err());
    let calls: Vec<_> = engines.calls().into_iter().collect();
    let expected = [("CreateTable", 1), ("GetItem", 3), ("SendMessage", 1)];
    assert_eq!(calls, expected.map(|(operation, times)| (operation.to_owned(), times)));
}

#[tokio::test]
async fn an_operation_that_no_engine_has_is_refused_and_not_counted() {
    let engines = start().await;
    for target in ["DynamoDB_20120810.Invented", "AmazonSQS.SendMessage", "Nonsense"] {
        let answer = post(engines.dynamodb_url(), target).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        assert!(answer.ends_with(r#"{"__type":"com.amazon.coral.service#UnknownOperationException"}"#), "{answer}");
    }
    let answer = post(engines.dynamodb_url(), "DynamoDB_20120810.GetItem").await;
    assert!(answer.contains("x-amzn-requestid: 1\r\n"), "{answer}");
    assert_eq!(engines.calls().len(), 1);
}

/// Posts `{}` without any signature and returns the whole answer.
async fn post(url: &str, target: &str) -> String {
    let address = url.strip_prefix("http://").expect("a plain address");
    let mut stream = TcpStream::connect(address).await.expect("the engine listens");
    let request = format!(
        "POST / HTTP/1.1\r\nhost: {address}\r\nx-amz-target: {target}\r\nconnection: close\r\n\
         content-length: 2\r\n\r\n{{}}"
    );
    stream.write_all(request.as_bytes()).await.expect("the request is written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("the answer is read");
    answer
}

#[tokio::test]
async fn dropping_the_engines_ends_a_waiting_poll_and_frees_the_port() {
    let engines = start().await;
    let port: u16 = engines.sqs_url().rsplit(':').next().and_then(|p| p.parse().ok()).expect("a port");
    let client = sqs(&engines);
    let inbox = client.create_queue().queue_name("inbox").send().await.expect("it is created").queue_url;
    let poll = client.receive_message().set_queue_url(inbox).wait_time_seconds(20);
    let waiting = tokio::spawn(poll.send());
    tokio::time::sleep(Duration::from_millis(100)).await;
    let began = Instant::now();
    drop(engines);
    assert!(waiting.await.expect("the poll ends").is_err());
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());

    let again = Embedded::start_on(Storage::Memory, loopback(0), loopback(port)).await.expect("the port is free");
    assert_eq!(again.sqs_url(), format!("http://127.0.0.1:{port}"));
}

#[tokio::test]
async fn a_poll_whose_caller_is_gone_takes_no_message() {
    let engines = start().await;
    let client = sqs(&engines);
    let inbox = client.create_queue().queue_name("inbox").send().await.expect("it is created").queue_url;
    let abandoned = client.receive_message().set_queue_url(inbox.clone()).wait_time_seconds(20);
    let abandoned = tokio::time::timeout(Duration::from_millis(200), abandoned.send()).await;
    assert!(abandoned.is_err(), "nothing was there to receive");

    tokio::time::sleep(Duration::from_millis(200)).await;
    client.send_message().set_queue_url(inbox.clone()).message_body("kept").send().await.expect("it is sent");
    let got = client.receive_message().set_queue_url(inbox).send().await.expect("the queue is asked");
    assert_eq!(got.messages().first().and_then(Message::body), Some("kept"));
}

#[tokio::test]
async fn an_address_that_others_can_reach_or_that_is_taken_is_refused() {
    let open = SocketAddr::from(([0, 0, 0, 0], 0));
    let refused = Embedded::start_on(Storage::Memory, open, loopback(0)).await;
    assert!(matches!(refused, Err(StartError::NotLoopback { address }) if address == open));

    let engines = start().await;
    let taken = engines.dynamodb_url().rsplit(':').next().and_then(|p| p.parse().ok()).map(loopback);
    let taken = taken.expect("a port");
    let refused = Embedded::start_on(Storage::Memory, taken, loopback(0)).await;
    assert!(matches!(refused, Err(StartError::Listen { address, .. }) if address == taken));
}

#[tokio::test]
async fn one_address_serves_both() {
    let engines = Embedded::start_at(Storage::Memory, loopback(0)).await.expect("a port is free");
    assert_eq!(engines.dynamodb_url(), engines.sqs_url());
    let kept = item("FP#1", "INCIDENT", &[("version", number(1))]);
    let client = dynamo(&engines);
    create_table(&client).await;
    client.put_item().table_name(TABLE).set_item(Some(kept.clone())).send().await.expect("the item is put");
    assert_eq!(get(&client, "FP#1", "INCIDENT").await, Some(kept));
    let client = sqs(&engines);
    let inbox = client.create_queue().queue_name("inbox").send().await.expect("it is created").queue_url;
    assert!(inbox.as_deref().is_some_and(|url| url.starts_with(engines.sqs_url())), "{inbox:?}");
    client.send_message().set_queue_url(inbox.clone()).message_body("rung").send().await.expect("it is sent");
    let got = client.receive_message().set_queue_url(inbox).send().await.expect("the queue is asked");
    assert_eq!(got.messages().first().and_then(Message::body), Some("rung"));
    let answer = post(engines.sqs_url(), "Nonsense").await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
}

#[tokio::test]
async fn a_directory_that_cannot_be_made_is_named() {
    let home = TempDir::new().expect("a directory");
    let file = home.path().join("file");
    std::fs::write(&file, "in the way").expect("a file is written");
    let refused = Embedded::start(Storage::Directory(file.join("data"))).await;
    assert!(matches!(refused, Err(StartError::Directory { directory, .. }) if directory == file.join("data")));
}
