//! The jobs that are to be begun: what leads to others first, while few of these wait; then one team after the other, for each team has a budget
//! of its own.

use std::collections::{HashMap, VecDeque};

use crate::{graph::Urgency, read::job::Job};

/// The number of jobs that lead nowhere from which on no more are looked for: a list of the whole tenant comes much faster than its teams and
/// channels are read, and all of them would be in memory. Among these the longest channels are found early enough.
const ENOUGH: usize = 4096;

/// A job that holds this many bytes counts as one more: descriptions of teams take far more memory than ids.
const BYTES_OF_A_JOB: usize = 256;

/// Jobs that wait for their beginning.
#[derive(Debug, Default)]
pub(super) struct Queue {
    leading: VecDeque<Job>,
    teams: HashMap<String, VecDeque<Job>>,
    /// The teams that have jobs, in the order of their turns.
    turns: VecDeque<String>,
    /// The number of jobs of the teams; large jobs count several times.
    waiting: usize,
}

impl Queue {
    pub(super) fn push(&mut self, job: Job) {
        let team = job.work.of.top();
        match Some(team).filter(|team| !team.is_empty() && job.work.urgency() != Urgency::Leads) {
            None => self.leading.push_back(job),
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
        let leads = self.waiting < ENOUGH && !self.leading.is_empty();
        if leads { self.leading.pop_front() } else { self.pop_of_team() }
    }

    fn pop_of_team(&mut self) -> Option<Job> {
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

/// How many jobs it counts as.
fn weight(job: &Job) -> usize {
    1 + job.work.bytes() / BYTES_OF_A_JOB
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        level::Partition,
        read::{found::Origin, job::Work},
        streams::{MESSAGES, StreamSet, TEAMS},
    };

    fn channel(team: &str, channel: &str) -> Job {
        Job::new(StreamSet::default(), Work::new(&MESSAGES, Partition::channel(team, channel), Origin::Listed))
    }

    #[test]
    fn teams_take_turns() {
        let mut queue = Queue::default();
        for (team, id) in [("a", "1"), ("a", "2"), ("a", "3"), ("b", "4"), ("c", "5"), ("c", "6")] {
            queue.push(channel(team, id));
        }
        let order: Vec<_> = std::iter::from_fn(|| Some(queue.pop()?.work.of.own_id().to_owned())).collect();
        assert_eq!(order, ["1", "4", "5", "2", "6", "3"]);
        assert!(queue.pop().is_none());
        assert!(queue.teams.is_empty());
    }

    #[test]
    fn large_jobs_count_several_times() {
        let mut queue = Queue::default();
        let team = |letters| {
            let mut work = Work::new(&TEAMS, Partition::team("t"), Origin::Listed);
            work.said.of_group = vec![("description".to_owned(), "x".repeat(letters))];
            work
        };
        for (letters, waiting) in [(0, 1), (1000, 1 + 4)] {
            queue.push(Job::new(StreamSet::default(), team(letters)));
            assert_eq!(queue.waiting, waiting);
        }
        assert!(queue.pop().is_some() && queue.waiting == 4);
        assert!(queue.pop().is_some() && queue.waiting == 0);
    }

    #[test]
    fn what_leads_to_others_goes_first_until_enough_of_these_wait() {
        let mut queue = Queue::default();
        let groups = || Work::new(&TEAMS, Partition::default(), Origin::Named);
        for number in 0..=ENOUGH {
            queue.push(channel(&format!("team {}", number % 7), &number.to_string()));
        }
        queue.push(Job::new(StreamSet::default(), groups()));
        queue.push(Job::new(StreamSet::default(), groups()));
        let order: Vec<_> = std::iter::from_fn(|| Some(queue.pop()?.work.of.level().is_none())).collect();
        assert_eq!((order.len(), &order[..5]), (ENOUGH + 3, [false, false, true, true, false].as_slice()));
    }
}
