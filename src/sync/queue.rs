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
        match job.work.team().filter(|_| job.work.urgency() != Urgency::Leads) {
            None => self.leading.push_back(job),
            Some(team) => {
                self.waiting += weight(&job);
                if !self.teams.contains_key(team) {
                    self.turns.push_back(team.to_owned());
                }
                self.teams.entry(team.to_owned()).or_default().push_back(job);
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
        graph::Pages,
        read::{
            job::{Groups, Work},
            place::Facts,
        },
        streams::{StreamSet, groups},
    };
    use std::collections::BTreeMap;

    fn channel(team: &str, channel: &str) -> Job {
        let work = Work::Channel { team: team.into(), channel: channel.into(), facts: Facts::default(), maybe_elsewhere: false };
        Job::new(StreamSet::default(), work)
    }

    #[test]
    fn teams_take_turns() {
        let mut queue = Queue::default();
        for (team, id) in [("a", "1"), ("a", "2"), ("a", "3"), ("b", "4"), ("c", "5"), ("c", "6")] {
            queue.push(channel(team, id));
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

    #[test]
    fn large_jobs_count_several_times() {
        let mut queue = Queue::default();
        let team = |letters| Work::Team { team: "t".to_owned(), of_group: vec![("description".to_owned(), "x".repeat(letters))] };
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
        let groups = || Work::Groups(Groups::new(Pages::new(groups(None)), StreamSet::default(), BTreeMap::new(), BTreeMap::new()));
        for number in 0..=ENOUGH {
            queue.push(channel(&format!("team {}", number % 7), &number.to_string()));
        }
        queue.push(Job::new(StreamSet::default(), groups()));
        queue.push(Job::new(StreamSet::default(), groups()));
        let order: Vec<_> = std::iter::from_fn(|| Some(matches!(queue.pop()?.work, Work::Groups(_)))).collect();
        assert_eq!((order.len(), &order[..5]), (ENOUGH + 3, [false, false, true, true, false].as_slice()));
    }
}
