//! Messages of one queue: send, delay, receive, visibility, counts.

use std::time::{Duration, Instant};

use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName, SendMessageBatchRequestEntry};

use crate::clients::{Sqs, sqs, start};

/// The engine looks for messages that became visible once a second.
const TICK: Duration = Duration::from_millis(1_100);

/// Largest body, in bytes, that the engine takes: 256 KiB. AWS takes 1 MiB.
const BODY_BYTES_MAX: usize = 262_144;

async fn queue(sqs: &Sqs, visibility_secs: u32) -> String {
    let created = sqs
        .create_queue()
        .queue_name("inbox")
        .attributes(QueueAttributeName::VisibilityTimeout, visibility_secs.to_string())
        .send()
        .await
        .expect("the queue is created");
    created.queue_url.expect("a queue has an address")
}

async fn receive(sqs: &Sqs, queue: &str, wait_secs: i32) -> Vec<Message> {
    let receive = sqs
        .receive_message()
        .queue_url(queue)
        .max_number_of_messages(10)
        .wait_time_seconds(wait_secs)
        .message_system_attribute_names(MessageSystemAttributeName::All);
    receive.send().await.expect("the queue is asked").messages.unwrap_or_default()
}

fn bodies(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|message| message.body().unwrap_or_default()).collect()
}

/// Visible, in flight, delayed.
async fn counts(sqs: &Sqs, queue: &str) -> [String; 3] {
    let names = [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        QueueAttributeName::ApproximateNumberOfMessagesDelayed,
    ];
    let asked = sqs.get_queue_attributes().queue_url(queue).attribute_names(QueueAttributeName::All);
    let found = asked.send().await.expect("the attributes are read").attributes.expect("All was asked for");
    names.map(|name| found[&name].clone())
}

#[tokio::test]
async fn a_queue_address_points_at_the_engine_and_counts_tell_where_messages_are() {
    let engines = start().await;
    let sqs = sqs(&engines);
    let inbox = queue(&sqs, 30).await;
    assert_eq!(inbox, format!("{}/000000000000/inbox", engines.sqs_url()));
    for (body, delay_secs) in [("one", 0), ("two", 0), ("later", 60)] {
        let send = sqs.send_message().queue_url(&inbox).message_body(body).delay_seconds(delay_secs);
        send.send().await.expect("the message is sent");
    }
    assert_eq!(counts(&sqs, &inbox).await, ["2", "0", "1"]);
    let got = sqs.receive_message().queue_url(&inbox).send().await.expect("the queue is asked");
    assert_eq!(bodies(got.messages()), ["one"], "one message unless more are asked for, oldest first");
    assert_eq!(counts(&sqs, &inbox).await, ["1", "1", "1"]);

    let handle = got.messages().first().and_then(Message::receipt_handle).expect("a handle").to_owned();
    sqs.delete_message().queue_url(&inbox).receipt_handle(handle).send().await.expect("it is deleted");
    assert_eq!(counts(&sqs, &inbox).await, ["1", "0", "1"]);
}

#[tokio::test]
async fn a_batch_takes_ten_entries_each_with_its_own_delay_and_not_one_more() {
    let engines = start().await;
    let sqs = sqs(&engines);
    let inbox = queue(&sqs, 30).await;
    let entry = |id: usize| {
        let delay_secs = if id == 0 { 60 } else { 0 };
        let entry = SendMessageBatchRequestEntry::builder().id(format!("e{id}")).message_body(format!("m{id}"));
        entry.delay_seconds(delay_secs).build().expect("id and body are given")
    };
    let batch =
        |count: usize| sqs.send_message_batch().queue_url(&inbox).set_entries(Some((0..count).map(entry).collect()));
    let sent = batch(10).send().await.expect("ten are taken");
    assert_eq!((sent.successful().len(), sent.failed().len()), (10, 0));
    assert_eq!(counts(&sqs, &inbox).await, ["9", "0", "1"]);

    let error = batch(11).send().await.expect_err("eleven are refused").into_service_error();
    assert!(error.is_too_many_entries_in_batch_request(), "{error}");
    assert_eq!(error.code(), Some("AWS.SimpleQueueService.TooManyEntriesInBatchRequest"));
}

#[tokio::test]
async fn a_body_of_256_kib_is_taken_and_one_byte_more_is_refused() {
    let engines = start().await;
    let sqs = sqs(&engines);
    let inbox = queue(&sqs, 30).await;
    for (bytes, accepted) in [(BODY_BYTES_MAX, true), (BODY_BYTES_MAX + 1, false)] {
        let sent = sqs.send_message().queue_url(&inbox).message_body("x".repeat(bytes)).send().await;
        assert_eq!(sent.is_ok(), accepted, "{bytes} bytes");
    }
}

#[tokio::test]
async fn a_long_poll_wakes_at_once_for_a_message_and_within_a_second_for_a_delayed_one() {
    let engines = start().await;
    let sqs = sqs(&engines);
    let inbox = queue(&sqs, 30).await;
    let poll = |inbox: String| {
        let sqs = sqs.clone();
        tokio::spawn(async move {
            let began = Instant::now();
            let messages = receive(&sqs, &inbox, 10).await;
            (messages, began.elapsed())
        })
    };
    let waiting = poll(inbox.clone());
    tokio::time::sleep(Duration::from_millis(100)).await;
    sqs.send_message().queue_url(&inbox).message_body("now").send().await.expect("the message is sent");
    let (messages, waited) = waiting.await.expect("the poll ends");
    assert_eq!(bodies(&messages), ["now"]);
    assert!(waited < Duration::from_secs(1), "{waited:?}");

    sqs.send_message().queue_url(&inbox).message_body("in 1 s").delay_seconds(1).send().await.expect("it is sent");
    let (messages, waited) = poll(inbox).await.expect("the poll ends");
    assert_eq!(bodies(&messages), ["in 1 s"]);
    let delay = Duration::from_millis(900);
    assert!((delay..delay + TICK).contains(&waited), "{waited:?}");
}

#[tokio::test]
async fn an_empty_long_poll_ends_when_its_time_is_up() {
    let engines = start().await;
    let sqs = sqs(&engines);
    let inbox = queue(&sqs, 30).await;
    let began = Instant::now();
    assert_eq!(receive(&sqs, &inbox, 1).await, []);
    let waited = began.elapsed();
    assert!((Duration::from_millis(900)..Duration::from_millis(1_900)).contains(&waited), "{waited:?}");
}

#[tokio::test]
async fn a_message_comes_back_when_its_visibility_ends_or_is_ended() {
    let engines = start().await;
    let sqs = sqs(&engines);
    let inbox = queue(&sqs, 1).await;
    sqs.send_message().queue_url(&inbox).message_body("again").send().await.expect("the message is sent");
    let first = receive(&sqs, &inbox, 0).await;
    assert_eq!(bodies(&first), ["again"]);
    assert_eq!(receive(&sqs, &inbox, 0).await, [], "it is in flight");

    tokio::time::sleep(TICK).await;
    let second = receive(&sqs, &inbox, 0).await;
    assert_eq!(times_received(&second), ["2"], "its second of visibility ended");

    let handle = second.first().and_then(Message::receipt_handle).expect("a handle");
    let change =
        |secs| sqs.change_message_visibility().queue_url(&inbox).receipt_handle(handle).visibility_timeout(secs);
    change(60).send().await.expect("it is held for longer");
    tokio::time::sleep(TICK).await;
    assert_eq!(receive(&sqs, &inbox, 0).await, [], "it is held");
    change(0).send().await.expect("it is given back");
    assert_eq!(times_received(&receive(&sqs, &inbox, 0).await), ["3"]);
}

fn times_received(messages: &[Message]) -> Vec<&str> {
    let name = MessageSystemAttributeName::ApproximateReceiveCount;
    messages.iter().filter_map(|message| message.attributes()?.get(&name)).map(String::as_str).collect()
}

#[tokio::test]
async fn a_handle_of_an_ended_visibility_deletes_nothing_and_changes_nothing() {
    let engines = start().await;
    let sqs = sqs(&engines);
    let inbox = queue(&sqs, 1).await;
    sqs.send_message().queue_url(&inbox).message_body("late").send().await.expect("the message is sent");
    let got = receive(&sqs, &inbox, 0).await;
    let handle = got.first().and_then(Message::receipt_handle).expect("a handle").to_owned();
    tokio::time::sleep(2 * TICK).await;

    let change = sqs.change_message_visibility().queue_url(&inbox).receipt_handle(&handle).visibility_timeout(5);
    let error = change.send().await.expect_err("it is no longer in flight").into_service_error();
    assert_eq!(error.code(), Some("MessageNotInflight"), "AWS puts `AWS.SimpleQueueService.` before it");
    sqs.delete_message().queue_url(&inbox).receipt_handle(&handle).send().await.expect("the answer is still 200");
    assert_eq!(bodies(&receive(&sqs, &inbox, 0).await), ["late"], "AWS would have deleted it");
}

#[tokio::test]
async fn a_queue_that_is_not_there_is_told_apart() {
    let engines = start().await;
    let sqs = sqs(&engines);
    let nowhere = format!("{}/000000000000/nowhere", engines.sqs_url());
    let refused = sqs.send_message().queue_url(nowhere).message_body("x").send().await;
    let error = refused.expect_err("there is no such queue").into_service_error();
    assert!(error.is_queue_does_not_exist(), "{error}");
    let refused = sqs.get_queue_url().queue_name("nowhere").send().await;
    assert!(refused.expect_err("there is no such queue").into_service_error().is_queue_does_not_exist());
}
