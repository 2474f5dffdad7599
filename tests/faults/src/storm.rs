//! A storm: alerts of a few problems, some of them over soon, while the functions work.
//!
//! Invariant: which problem fires when, what comes at the same time and how long nothing happens follow from the seed.

use futures::future::join_all;

use crate::world::World;

/// What a storm is made of.
#[derive(Debug, Clone, Copy)]
pub struct Storm {
    /// Problems that may fire.
    pub problems: usize,
    /// Webhooks.
    pub webhooks: usize,
    /// Whether problems end, too.
    pub ends: bool,
    /// Seconds that pass between two steps at most.
    pub pause_secs_max: usize,
}

impl Default for Storm {
    fn default() -> Self {
        Self { problems: 3, webhooks: 9, ends: true, pause_secs_max: 20 }
    }
}

/// The name of a problem by number.
#[must_use]
pub fn problem(number: usize) -> String {
    format!("model-{number}")
}

impl World {
    /// Plays a storm.
    ///
    /// # Errors
    /// When a queue does not answer.
    pub async fn storm(&self, storm: Storm) -> anyhow::Result<()> {
        let mut firing = vec![false; storm.problems];
        let mut left = storm.webhooks;
        while left > 0 {
            let at_once = (1 + self.pick(3)).min(left);
            left -= at_once;
            let mut posts = Vec::new();
            for _ in 0..at_once {
                let number = self.pick(storm.problems);
                let Some(fires) = firing.get_mut(number) else { continue };
                // Three of four webhooks of a problem that is there say so again.
                let ends = storm.ends && *fires && self.pick(4) == 0;
                *fires = !ends;
                posts.push((problem(number), !ends));
            }
            let posted = join_all(posts.iter().map(|(problem, fires)| async move {
                if *fires { self.fire(problem).await } else { self.clear(problem).await }
            }));
            if self.pick(2) == 0 {
                let (_, worked) = futures::join!(posted, self.round());
                worked?;
            } else {
                posted.await;
                self.work(self.pick(4)).await?;
            }
            self.sweep().await;
            if self.pick(3) == 0 {
                self.pass(1 + self.pick(storm.pause_secs_max) as u64).await;
            }
        }
        Ok(())
    }
}
