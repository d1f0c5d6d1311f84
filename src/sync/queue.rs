//! The jobs that are to be begun: what leads to others first, then one team after the other, for each team has a budget of its own.

use std::collections::{HashMap, VecDeque};

use super::job::Job;
use crate::graph::Urgency;

/// Jobs that wait for their beginning.
#[derive(Debug, Default)]
pub(super) struct Queue {
    leading: VecDeque<Job>,
    teams: HashMap<String, VecDeque<Job>>,
    /// The teams that have jobs, in the order of their turns.
    turns: VecDeque<String>,
}

impl Queue {
    pub(super) fn push(&mut self, job: Job) {
        match job.work.team().filter(|_| job.work.urgency() != Urgency::Leads) {
            None => self.leading.push_back(job),
            Some(team) => {
                if !self.teams.contains_key(team) {
                    self.turns.push_back(team.to_owned());
                }
                self.teams.entry(team.to_owned()).or_default().push_back(job);
            }
        }
    }

    pub(super) fn pop(&mut self) -> Option<Job> {
        if let Some(job) = self.leading.pop_front() {
            return Some(job);
        }
        let team = self.turns.pop_front()?;
        let jobs = self.teams.get_mut(&team)?;
        let job = jobs.pop_front();
        if jobs.is_empty() {
            self.teams.remove(&team);
        } else {
            self.turns.push_back(team);
        }
        job
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{job::Work, place::Facts},
        *,
    };
    use crate::streams::StreamSet;

    #[test]
    fn teams_take_turns() {
        let mut queue = Queue::default();
        for (team, channel) in [("a", "1"), ("a", "2"), ("a", "3"), ("b", "4"), ("c", "5"), ("c", "6")] {
            let work = Work::Channel { team: team.into(), channel: channel.into(), facts: Facts::default(), maybe_elsewhere: false };
            queue.push(Job::new(StreamSet::default(), work));
        }
        let order: Vec<_> = std::iter::from_fn(|| match queue.pop()?.work {
            Work::Channel { channel, .. } => Some(channel),
            _ => None,
        })
        .collect();
        assert_eq!(order, ["1", "4", "5", "2", "6", "3"]);
        assert!(queue.pop().is_none());
        assert!(queue.teams.is_empty());
    }
}
