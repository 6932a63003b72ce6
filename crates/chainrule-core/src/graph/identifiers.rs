//! A map from node ids to small numbers.

/// A table keyed by node id. A few entries are simply listed. More are kept in pages of neighbouring ids, because the
/// ids of one walk come in runs, and the pages are found by hashing: the ids themselves would do as their hashes, were
/// it not that several runs, folded into one table, end up behind each other.
pub(crate) struct IdMap {
    listed: Vec<(u64, u32)>,
    pages: Vec<[u32; PAGE]>,
    /// The number of a run of ids, counted from 1, and its page; 0 where the slot is free.
    slots: Vec<(u64, u32)>,
}

/// As many entries as are found faster by looking at each.
const LISTED: usize = 8;
/// Ids on a page: one line of the cache.
const PAGE: usize = 16;
/// Slots of the smallest hash table.
const SLOTS: usize = 16;
const FREE: u64 = 0;
/// What stands for an id that is not there; no value.
const ABSENT: u32 = u32::MAX;

impl IdMap {
    pub(crate) fn new() -> IdMap {
        IdMap {
            listed: Vec::new(),
            pages: Vec::new(),
            slots: Vec::new(),
        }
    }

    pub(crate) fn get(&self, id: u64) -> Option<u32> {
        if self.slots.is_empty() {
            let found = self.listed.iter().find(|(listed, _)| *listed == id);
            return found.map(|(_, value)| *value);
        }
        let (run, page) = self.slots[self.slot(run_of(id))];
        let value = match run {
            FREE => ABSENT,
            _ => self.pages[page as usize][id as usize % PAGE],
        };
        (value != ABSENT).then_some(value)
    }

    pub(crate) fn contains(&self, id: u64) -> bool {
        self.get(id).is_some()
    }

    /// Stores `value` under `id`, whatever was there.
    pub(crate) fn insert(&mut self, id: u64, value: u32) {
        *self.entry(id) = value;
    }

    /// Stores `value` under `id` if that is new, and returns whether it was.
    pub(crate) fn add(&mut self, id: u64, value: u32) -> bool {
        let entry = self.entry(id);
        let new = *entry == ABSENT;
        if new {
            *entry = value;
        }
        new
    }

    /// The place of `id`'s value; [`ABSENT`] stands there when there is none, and must be replaced.
    fn entry(&mut self, id: u64) -> &mut u32 {
        if self.slots.is_empty() {
            let known = self.listed.iter().position(|(listed, _)| *listed == id);
            if known.is_some() || self.listed.len() < LISTED {
                let position = known.unwrap_or_else(|| {
                    self.listed.reserve_exact(LISTED - self.listed.len());
                    self.listed.push((id, ABSENT));
                    self.listed.len() - 1
                });
                return &mut self.listed[position].1;
            }
            self.slots = vec![(FREE, 0); SLOTS];
            for (id, value) in std::mem::take(&mut self.listed) {
                *self.paged_entry(id) = value;
            }
        }
        self.paged_entry(id)
    }

    fn paged_entry(&mut self, id: u64) -> &mut u32 {
        let run = run_of(id);
        let mut slot = self.slot(run);
        if self.slots[slot].0 == FREE {
            if self.pages.len() * 2 >= self.slots.len() {
                self.grow();
                slot = self.slot(run);
            }
            self.slots[slot] = (run, self.pages.len() as u32);
            self.pages.push([ABSENT; PAGE]);
        }
        &mut self.pages[self.slots[slot].1 as usize][id as usize % PAGE]
    }

    /// The slot of a run of ids, or the free one where it belongs.
    fn slot(&self, run: u64) -> usize {
        let mask = self.slots.len() - 1;
        let hash = run.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut slot = (hash >> 32) as usize & mask;
        while self.slots[slot].0 != run && self.slots[slot].0 != FREE {
            slot = (slot + 1) & mask;
        }
        slot
    }

    fn grow(&mut self) {
        let doubled = vec![(FREE, 0); self.slots.len() * 2];
        for (run, page) in std::mem::replace(&mut self.slots, doubled) {
            if run != FREE {
                let slot = self.slot(run);
                self.slots[slot] = (run, page);
            }
        }
    }
}

fn run_of(id: u64) -> u64 {
    id / PAGE as u64 + 1
}

#[cfg(test)]
mod tests {
    use super::IdMap;

    #[test]
    fn finds_what_was_stored_listed_and_paged() {
        for distance in [1, 7, 32] {
            let mut map = IdMap::new();
            let id_of = |number: u32| u64::from(number) * distance + 5;
            for number in 0..1000 {
                let id = id_of(number);
                assert!(!map.contains(id));
                assert!(map.add(id, number) && !map.add(id, 7));
                if number % 3 == 0 {
                    map.insert(id, number + 1);
                }
            }
            for number in 0..1000 {
                let expected = number + u32::from(number % 3 == 0);
                assert_eq!(map.get(id_of(number)), Some(expected));
            }
            assert!(!map.contains(1) && !map.contains(id_of(1000)));
        }
    }
}
