//! Limits how often a list is read again from the top because Graph no longer accepts the link to its next page.

/// Maximum number of restarts of a list. A channel is long, and each of its links may expire.
const MAX_RESTARTS: u32 = 5;

/// The restarts of one list.
#[derive(Debug, Default)]
pub(crate) struct Restarts {
    count: u32,
    furthest: u64,
}

impl Restarts {
    /// Whether to restart after this number of pages: once in any case, because the link may have expired, and again as long as each
    /// attempt gets further.
    pub(crate) fn allows(&mut self, pages: u64) -> bool {
        let is_allowed = self.count == 0 || self.count < MAX_RESTARTS && pages > self.furthest;
        (self.count, self.furthest) = (self.count + 1, self.furthest.max(pages));
        is_allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_restarts_once_and_then_only_if_it_got_further() {
        let begun = |pages: &[u64]| {
            let mut restarts = Restarts::default();
            pages.iter().take_while(|&&pages| restarts.allows(pages)).count()
        };
        assert_eq!(begun(&[7, 7]), 1);
        assert_eq!(begun(&[0, 7, 7]), 2);
        assert_eq!(begun(&[1, 2, 3, 4, 5, 6, 7]), 5);
    }
}
