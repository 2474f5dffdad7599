//! What a queue gives up on goes to its dead letter queue, and can be sent back.

use std::time::Duration;

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};

use crate::clients::{Sqs, sqs, start};

async fn create(sqs: &Sqs, name: &str, attributes: &[(QueueAttributeName, String)]) -> String {
    let mut create = sqs.create_queue().queue_name(name);
    for (attribute, value) in attributes {
        create = create.attributes(attribute.clone(), value);
    }
    create.send().await.expect("the queue is created").queue_url.expect("a queue has an address")
}

async fn arn(sqs: &Sqs, queue: &str) -> String {
    let asked = sqs.get_queue_attributes().queue_url(queue).attribute_names(QueueAttributeName::QueueArn);
    let found = asked.send().await.expect("the attributes are read").attributes.expect("the ARN was asked for");
    found[&QueueAttributeName::QueueArn].clone()
}

async fn receive(sqs: &Sqs, queue: &str) -> Option<Message> {
    let receive = sqs
        .receive_message()
        .queue_url(queue)
        .visibility_timeout(0)
        .message_system_attribute_names(MessageSystemAttributeName::All);
    receive.send().await.expect("the queue is asked").messages.unwrap_or_default().pop()
}

#[tokio::test]
async fn the_receive_after_the_last_allowed_one_moves_a_message_to_the_dead_letter_queue() {
    let engines = start().await;
    let sqs = sqs(&engines);
    let dead = create(&sqs, "deliver-slack-dead", &[]).await;
    let dead_arn = arn(&sqs, &dead).await;
    assert_eq!(dead_arn, "arn:aws:sqs:us-east-1:000000000000:deliver-slack-dead");
    let policy = format!(r#"{{"deadLetterTargetArn":"{dead_arn}","maxReceiveCount":2}}"#);
    let queue = create(&sqs, "deliver-slack", &[(QueueAttributeName::RedrivePolicy, policy)]).await;
    sqs.send_message().queue_url(&queue).message_body("poison").send().await.expect("the message is sent");

    for _ in 0..2 {
        assert_eq!(receive(&sqs, &queue).await.and_then(|m| m.body), Some("poison".to_owned()));
        assert_eq!(receive(&sqs, &dead).await, None, "it moves at the next receive, not before");
    }
    assert_eq!(receive(&sqs, &queue).await, None, "the third receive finds it spent");
    tokio::time::sleep(Duration::from_millis(50)).await;
    let buried = receive(&sqs, &dead).await.expect("it is in the dead letter queue");
    assert_eq!(buried.body(), Some("poison"));
    let source = buried.attributes().and_then(|a| a.get(&MessageSystemAttributeName::DeadLetterQueueSourceArn));
    assert_eq!(source.map(String::as_str), Some("arn:aws:sqs:us-east-1:000000000000:deliver-slack"));
    let times = buried.attributes().and_then(|a| a.get(&MessageSystemAttributeName::ApproximateReceiveCount));
    assert_eq!(times.map(String::as_str), Some("1"), "the count begins again");

    let moved = sqs.start_message_move_task().source_arn(dead_arn).send().await;
    assert!(moved.is_err(), "the engine moves nothing back: redrive receives and sends");
}

#[tokio::test]
async fn a_dead_letter_queue_that_is_not_there_keeps_the_message_where_it_is() {
    let engines = start().await;
    let sqs = sqs(&engines);
    let policy = r#"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:nowhere","maxReceiveCount":1}"#;
    let queue = create(&sqs, "deliver-jira", &[(QueueAttributeName::RedrivePolicy, policy.to_owned())]).await;
    sqs.send_message().queue_url(&queue).message_body("poison").send().await.expect("the message is sent");
    assert!(receive(&sqs, &queue).await.is_some());
    assert_eq!(receive(&sqs, &queue).await, None);
    let asked = sqs.get_queue_attributes().queue_url(&queue).attribute_names(QueueAttributeName::All);
    let found = asked.send().await.expect("the attributes are read").attributes.expect("All was asked for");
    assert_eq!(found[&QueueAttributeName::ApproximateNumberOfMessages], "1");
}
