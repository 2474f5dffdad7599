//! Deliveries as people look at them.
//!
//! Invariant: this reads the whole table and never writes: it is for a list that a person asks for, not for the way of an
//! alert.

use domain::Delivery;
use pipeline::ports::StoreError;

use crate::Store;
use crate::items::{Item, delivery_prefix, read_delivery, text};
use crate::store::unavailable;

impl Store {
    /// Every delivery of every incident, in no order.
    ///
    /// # Errors
    /// When the table does not answer, or holds what is no delivery.
    pub async fn all_deliveries(&self) -> Result<Vec<Delivery>, StoreError> {
        let mut deliveries = Vec::new();
        let mut from: Option<Item> = None;
        loop {
            let page = self
                .client
                .scan()
                .table_name(&self.table)
                .consistent_read(true)
                .filter_expression("begins_with(SK, :deliveries)")
                .expression_attribute_values(":deliveries", text(delivery_prefix(None)))
                .set_exclusive_start_key(from.take())
                .send()
                .await
                .map_err(|error| unavailable("Scan", &error))?;
            for item in page.items() {
                deliveries.push(read_delivery(item)?);
            }
            from = page.last_evaluated_key;
            if from.is_none() {
                return Ok(deliveries);
            }
        }
    }
}
