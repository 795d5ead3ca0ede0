//! Who gets how much of a text. All lengths are in characters.

/// What one description can do with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Need {
    /// With less it is not worth to be there.
    pub(super) least: usize,
    /// What it could use on top.
    pub(super) more: usize,
}

/// How many of `needs`, from the first, fit into `room` with the names of all others; and what is left then.
pub(super) fn how_many_fit(
    needs: &[Need],
    room: usize,
    names: impl Fn(usize) -> usize,
) -> (usize, usize) {
    let mut used = 0;
    for (number, need) in needs.iter().enumerate() {
        let others = needs.len() - number - 1;
        if used + need.least + names(others) > room {
            return (number, 0);
        }
        used += need.least;
    }
    (needs.len(), room - used)
}

/// Shares `spare` out: each gets what it can use, and those that could use more get equal parts.
pub(super) fn share_out(needs: &[Need], mut spare: usize) -> Vec<usize> {
    let mut shares = vec![0; needs.len()];
    let mut modest_first: Vec<_> = needs.iter().zip(&mut shares).collect();
    modest_first.sort_by_key(|(need, _)| need.more);
    let mut left = modest_first.len();
    for (need, share) in modest_first {
        *share = need.more.min(spare / left);
        spare -= *share;
        left -= 1;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(least: usize, more: &[usize]) -> Vec<Need> {
        more.iter()
            .map(|more| Need { least, more: *more })
            .collect()
    }

    #[test]
    fn the_modest_get_all_they_want_and_the_others_equal_parts() {
        let shares = share_out(&needs(0, &[500, 10, 500, 0]), 310);
        assert_eq!(shares, [150, 10, 150, 0]);
        assert_eq!(share_out(&needs(0, &[5, 5]), 100), [5, 5]);
    }

    #[test]
    fn the_names_of_the_others_have_their_place() {
        let names = |others: usize| 10 * others;
        assert_eq!(how_many_fit(&needs(30, &[0; 3]), 100, names), (3, 10));
        assert_eq!(how_many_fit(&needs(30, &[0; 3]), 89, names), (2, 0));
        assert_eq!(how_many_fit(&needs(30, &[0; 3]), 49, names), (0, 0));
    }
}
