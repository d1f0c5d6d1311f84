//! The queue of jobs: first those that find parents for other jobs, as long as few jobs are waiting, then one team after the other, because
//! each team has its own rate limit.

use std::collections::{HashMap, VecDeque};

use crate::{graph::Priority, read::job::Job};

/// Discovery pauses while at least this many jobs are waiting. A list of the whole tenant is read much faster than its teams and
/// channels, and all of them would have to be kept in memory. With this many jobs, the longest channels are still found early enough.
const MAX_WAITING_READS: usize = 4096;

/// A job counts once more for each this many bytes: descriptions of teams need far more memory than ids.
const BYTES_PER_JOB: usize = 256;

/// Jobs that have not started.
#[derive(Debug, Default)]
pub(super) struct Queue {
    discovery: VecDeque<Job>,
    teams: HashMap<String, VecDeque<Job>>,
    /// The teams that have jobs, in the order in which they take turns.
    turns: VecDeque<String>,
    /// The number of waiting jobs of teams. Large jobs count several times.
    waiting: usize,
}

impl Queue {
    pub(super) fn push(&mut self, job: Job) {
        let team = job.input.parent.top();
        match Some(team).filter(|team| !team.is_empty() && job.input.priority() != Priority::Discovery) {
            None => self.discovery.push_back(job),
            Some(team) => {
                self.waiting += weight(&job);
                let team = team.to_owned();
                if !self.teams.contains_key(&team) {
                    self.turns.push_back(team.clone());
                }
                self.teams.entry(team).or_default().push_back(job);
            }
        }
    }

    pub(super) fn pop(&mut self) -> Option<Job> {
        let discovers = self.waiting < MAX_WAITING_READS && !self.discovery.is_empty();
        if discovers { self.discovery.pop_front() } else { self.pop_from_next_team() }
    }

    fn pop_from_next_team(&mut self) -> Option<Job> {
        let team = self.turns.pop_front()?;
        let jobs = self.teams.get_mut(&team)?;
        let job = jobs.pop_front();
        self.waiting -= job.as_ref().map_or(0, weight);
        if jobs.is_empty() {
            self.teams.remove(&team);
        } else {
            self.turns.push_back(team);
        }
        job
    }
}

/// The number of jobs that this one counts as.
fn weight(job: &Job) -> usize {
    1 + job.input.bytes() / BYTES_PER_JOB
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        level::Partition,
        read::{found::Origin, job::JobInput},
        streams::{MESSAGES, StreamSet, TEAMS},
    };

    fn channel(team: &str, channel: &str) -> Job {
        Job::new(StreamSet::default(), JobInput::new(&MESSAGES, Partition::channel(team, channel), Origin::Listed))
    }

    #[test]
    fn teams_take_turns() {
        let mut queue = Queue::default();
        for (team, id) in [("a", "1"), ("a", "2"), ("a", "3"), ("b", "4"), ("c", "5"), ("c", "6")] {
            queue.push(channel(team, id));
        }
        let order: Vec<_> = std::iter::from_fn(|| Some(queue.pop()?.input.parent.own_id().to_owned())).collect();
        assert_eq!(order, ["1", "4", "5", "2", "6", "3"]);
        assert!(queue.pop().is_none());
        assert!(queue.teams.is_empty());
    }

    #[test]
    fn large_jobs_count_several_times() {
        let mut queue = Queue::default();
        let team = |letters| {
            let mut input = JobInput::new(&TEAMS, Partition::team("t"), Origin::Listed);
            input.details.group_properties = vec![("description".to_owned(), "x".repeat(letters))];
            input
        };
        for (letters, waiting) in [(0, 1), (1000, 1 + 4)] {
            queue.push(Job::new(StreamSet::default(), team(letters)));
            assert_eq!(queue.waiting, waiting);
        }
        assert!(queue.pop().is_some() && queue.waiting == 4);
        assert!(queue.pop().is_some() && queue.waiting == 0);
    }

    #[test]
    fn discovery_goes_first_until_enough_jobs_are_waiting() {
        let mut queue = Queue::default();
        let groups = || JobInput::new(&TEAMS, Partition::default(), Origin::Configured);
        for number in 0..=MAX_WAITING_READS {
            queue.push(channel(&format!("team {}", number % 7), &number.to_string()));
        }
        queue.push(Job::new(StreamSet::default(), groups()));
        queue.push(Job::new(StreamSet::default(), groups()));
        let order: Vec<_> = std::iter::from_fn(|| Some(queue.pop()?.input.parent.level().is_none())).collect();
        assert_eq!((order.len(), &order[..5]), (MAX_WAITING_READS + 3, [false, false, true, true, false].as_slice()));
    }
}
